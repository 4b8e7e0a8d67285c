/*
 * All entries of `table` in [start, end), which lies in what the table covers, become none, and what they held goes
 * to `gather`.
 *
 * Contract:
 *   - table_seek() finds the next entry that is not none; table_stretch() says what of [start, end) lies under it,
 *     and whether that is all that the entry covers (`whole`). mm/table.h has both.
 *   - What an entry covers only in part is left in place: its table loses the entries that are inside, and goes only
 *     if it has none left. The path to it has been made ours (pagetable_prepare_release()).
 *   - What lies inside whole goes with its entry, be it a page or a table with all below it: it is not looked into.
 *   - gather_add() takes over the reference that the entry was: it is given back after the flush, and never before.
 *     The address is one under the entry, for the flush.
 *
 * What stands here leaves everything where it is. It stays mapped, and is freed with the address space.
 */
static void table_release(struct frame *table, vaddr_t start, vaddr_t end, struct gather *gather)
{
    (void)table, (void)start, (void)end, (void)gather;
    lab_missing("walk", "table_release");
}
