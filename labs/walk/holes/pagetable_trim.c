/*
 * Contract (mm/pagetable.h): tables on the path to `addr` that are empty (record: `used`) go, from the leaf table up,
 * until one has an entry left. The root stays. Only tables of ours are looked at: where an entry lacks its write bit,
 * the table below it is, or was, somebody else's as well, and it and all below stay.
 *   - For each that goes, in this order: its entry becomes none (table_set()), the CPU forgets it
 *     (tlb_flush_page(addr) drops what it remembers of upper entries as well), trace_entry(TRACE_TABLE, slot, entry,
 *     pte_none(), NULL), its reference is given back (table_put()).
 *
 * What stands here leaves them, empty.
 */
void pagetable_trim(struct pagetable *tree, vaddr_t addr)
{
    (void)tree, (void)addr;
    lab_missing("walk", "pagetable_trim");
}
