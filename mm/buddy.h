// SPDX-License-Identifier: MIT
/*
 * buddy.h: free memory as blocks of frames. Inside of mm/: frame.c stands before it.
 *
 * A block has 2^order frames and is aligned to its size; there is one list of free ones an order. Allocating splits the smallest
 * block that is large enough; freeing joins a block with its buddy (the other half of the next larger block) as long as
 * that one is free as a whole. The first record of a block carries its order and links; the records inside a
 * block are marked FRAME_FREE and FRAME_INNER, so that no one takes them for a block.
 *
 * Locks: frame_lock is held in all of these.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "kernel/lib/spinlock.h"
#include "mm/frame.h"

extern struct spinlock frame_lock;

/* No block is free. Called once. */
void buddy_init(void);

/* A block of exactly this order, split off a larger one if need be; NULL: none is large enough. Its records say nothing yet. */
struct frame *block_alloc(unsigned order) __must_check;

/* The block at `pfn` is free: its records are marked, as if they were inside of one. */
void block_free(pfn_t pfn, unsigned order);

/* The same for all frames of [pfn, end), cut into the largest aligned blocks. */
void blocks_free(pfn_t pfn, pfn_t end);

/* How many are on the list. */
uint64_t buddy_free_blocks(unsigned order);

#endif
