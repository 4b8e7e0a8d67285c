/*
 * The entry at `slot`, in a table that is ours, points at a table and has no write bit: that table is shared, or has been.
 * Make it ours, for whoever is about to change what lies below. `addr` is an address on whose path it lies.
 *
 * Contract: returns the table below, to which this entry alone points, and the entry has its write bit.
 *   - A table that others have as well is replaced by a copy (table_copy()), and has one reference less.
 *   - A table that nobody else has any more is not copied.
 *   - What the CPU remembers of the old entry is forgotten (tlb_flush_page(): the SDM says that invlpg drops the caches
 *     of upper entries, too) before a reference is given back.
 *   - NULL: out of memory, nothing has changed.
 * Only the owner of a path changes it; but references of shared tables are everybody's: they are counted and given up under
 * table_share_lock (spin_lock(), spin_unlock()). trace_entry(TRACE_TABLE, slot, old entry, new entry, table that was left
 * or NULL) tells the trace of it. Does not sleep.
 */
static struct frame *entry_unshare(pte_t *slot, vaddr_t addr)
{
    (void)slot, (void)addr;
    lab_missing_panic("tables", "entry_unshare");
}
