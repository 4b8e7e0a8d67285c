/*
 * Contract (mm/table.h): `slot`, an entry of `table`, becomes `entry`, and the table's record says what is in it now:
 *   - `used`: how many entries are not none (pte_is_none()). Whatever was there before no longer counts.
 *   - in a leaf table, `table.leaf.resident[kind]`: how many of them count as resident memory, by kind:
 *     frame_resident_kind() of entry_frame(entry); RESIDENT_NONE does not count. table_is_leaf() tells.
 *   - `groups`, where walks look for entries: that is written already, and comes last.
 *
 * pte_store() writes an entry whole. No reference is taken or given; nothing is flushed: both are the caller's.
 */
void table_set(struct frame *table, pte_t *slot, pte_t entry)
{
    lab_missing_panic("walk", "table_set");
    if (!table_is_leaf(table))
        table_note(table, slot);
    else if (!pte_is_none(entry))
        leaf_note(table, slot);
}
