/*
 * Yours to write: a copy of a table that more than one entry points at, with one reference.
 *
 *     static struct frame *table_copy(struct frame *shared)
 *
 * Contract: afterwards there are two tables of the same level with the same entries, and a program sees no difference in
 * either. What the entries point at has two entries that point at it where it had one, and neither of them may be written
 * through: table_share(), above, does that to all entries of a table, whatever its level.
 *   - The original keeps its references: who had them still has them.
 *   - frame_alloc_blank(FRAME_TABLE) is a frame of zeroes with one reference. NULL: out of memory, nothing has changed.
 *   - Each copy counts in pagetable_copies.
 * The page-table lock is held. Does not sleep.
 */
