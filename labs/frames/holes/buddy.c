/*
 * The block of 2^order frames at `pfn` is free from now on. It becomes one with its buddy, if that is free as a whole;
 * the two with theirs, and so on.
 *
 * Contract (mm/buddy.h): frame_lock is held. `pfn` is aligned to the block's size; all records of the block are marked
 * FRAME_FREE and FRAME_INNER.
 *   - The buddy is the other half of the block of the next larger order that both lie in.
 *   - It is free as a whole if its first record says FRAME_FREE and the same order. A smaller order: only a part is.
 *     There is a record for each pfn below frame_count, and none beyond.
 *   - No block is larger than 2^(FRAME_ORDERS - 1).
 *   - A block has its order in its first record alone. A record that comes to lie inside says FRAME_INNER again.
 *   - free_list_push() and free_list_remove(), above, are the lists; push also writes the first record.
 */
void block_free(pfn_t pfn, unsigned order)
{
    (void)pfn, (void)order;
    lab_missing_panic("frames", "block_free");
    free_list_push(pfn, order);
}

/*
 * A block of exactly 2^order frames. It is taken from the smallest free block that is large enough; what is split off stays
 * free, in the largest blocks that it makes.
 *
 * Contract (mm/buddy.h): frame_lock is held. NULL: no free block is large enough; nothing has changed. What the block's
 * records say does not matter: the caller writes the first, and the others have not to be touched.
 */
struct frame *block_alloc(unsigned order)
{
    (void)order;
    lab_missing_panic("frames", "block_alloc");
    free_list_remove(NULL, order);
    return NULL;
}

/*
 * All frames of [pfn, end) are free from now on: cut into the largest blocks that are aligned to their size and lie in the
 * range, each of which goes to block_free(). The range may be empty. At boot this is the memory that nobody uses.
 */
void blocks_free(pfn_t pfn, pfn_t end)
{
    (void)pfn, (void)end;
    lab_missing_panic("frames", "blocks_free");
}
