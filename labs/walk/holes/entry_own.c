/*
 * Contract (mm/table.h): one step down, for whoever is about to change something below. `table` is ours; what its
 * entry for `addr` points at becomes ours, too, and is returned.
 *   - An entry with its write bit: it is ours already.
 *   - An entry without: entry_unshare(), above, which stands here already.
 *   - None: a new table, which is empty (all of its entries are none: frame_alloc_blank(FRAME_TABLE)), knows its
 *     level, and stands in the entry with all rights (pte_make_table()): the leaf entries decide.
 *     trace_entry(TRACE_TABLE, slot, old entry, new entry, NULL). The frame's first reference is the entry's.
 *   - NULL: out of memory, nothing has changed.
 */
struct frame *entry_own(struct frame *table, vaddr_t addr)
{
    pte_t *slot = &table_entries(table)[pte_index(addr, table->level)];
    pte_t entry = pte_load(slot);

    if (!pte_is_none(entry) && !pte_is_writable(entry))
        return entry_unshare(slot, addr);
    lab_missing_panic("walk", "entry_own");
}
