// SPDX-License-Identifier: MIT
/*
 * blank.h: free frames that are known to be full of zeroes.
 *
 * Two leave them here. A page table leaves nearly all of its frame as it was, so the few words that were used are cheaper to
 * clear than the whole of the next table: some are kept for that (BLANK_FOR_TABLES). And with prezero=N the idle process
 * clears up to N more ahead of need, for anonymous memory: the contrary of laziness, so only if asked to.
 *
 * They are free in every count (records: FRAME_FREE, FRAME_INNER), and go back to the blocks, or to whoever finds no other
 * frame, before an allocation fails. Behind mm/frame.c, which counts.
 *
 * Lock: the caller of each holds frame_lock, but of blank_init(), blank_is_wanted() and blank_check().
 */
#ifndef MM_BLANK_H
#define MM_BLANK_H

#include "mm/buddy.h"
#include "mm/frame.h"

extern struct frame *blank_top; /* linked by free.below */
extern struct blank_figures blank_figures;

/* Read the parameter; there will be no more than `most` frames for anonymous memory. Called once. */
void blank_init(uint64_t most);

/* Is one more worth work of its own: with prezero=N, until there are so many? */
static inline bool blank_is_wanted(void) { return blank_limit > BLANK_FOR_TABLES && frame_keeps_blanks(); }

/* A free frame full of zeroes, on no list, is kept. */
static inline void blank_push(struct frame *frame)
{
    ASSERT(spin_is_held(&frame_lock) && page_is_clear(frame_address(frame)));
    frame->free.below = blank_top;
    blank_top = frame;
    blank_count++;
}

/* A kept frame, or NULL. */
static inline __must_check struct frame *blank_pop(void)
{
    struct frame *frame = blank_top;

    ASSERT(spin_is_held(&frame_lock));
    if (unlikely(!frame))
        return NULL;
    blank_top = frame->free.below;
    blank_count--;
    return frame;
}

/* Clear a free frame that is on no list, and keep it. With the lock held: so nobody misses a frame that is on its way. */
void blank_make(struct frame *frame);

/* All of them back to the blocks. */
void blank_drain(void);

/* What is kept is free, and clear. Panics with what is wrong. */
void blank_check(void);

#endif
