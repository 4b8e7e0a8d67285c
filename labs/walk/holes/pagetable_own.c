/*
 * Contract (mm/pagetable.h): the leaf entry of `addr`, for changing: from the root down, each table on the path
 * exists and is this tree's alone. entry_own() (mm/table.c) is the step from one table to the next; the leaf entry
 * itself is left as it is.
 *   - NULL: out of memory. Tables that have been made for nothing by then go again: pagetable_trim().
 *   - `*regained`, if `regained` is not NULL: was there a table on the way whose entry lacked the write bit before?
 *
 * The address space's mutex is held; does not sleep.
 */
pte_t *pagetable_own(struct pagetable *tree, vaddr_t addr, bool *regained)
{
    (void)tree, (void)addr, (void)regained;
    lab_missing_panic("walk", "pagetable_own");
}
