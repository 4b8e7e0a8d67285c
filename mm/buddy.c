// SPDX-License-Identifier: MIT
/*
 * buddy.c: see buddy.h.
 */
#include "mm/buddy.h"

#include "kernel/lib/assert.h"

#define NIL UINT32_MAX /* end of a free list */

/* All below: frame_lock. */
static uint32_t free_head[FRAME_ORDERS];
static uint64_t free_blocks[FRAME_ORDERS];

void buddy_init(void)
{
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        free_head[order] = NIL;
}

uint64_t buddy_free_blocks(unsigned order) { return free_blocks[order]; }

static void free_list_push(pfn_t pfn, unsigned order)
{
    uint32_t head = free_head[order];

    *frame_at(pfn) = (struct frame){ .kind = FRAME_FREE, .order = order, .free = { .next = head, .prev = NIL } };
    if (head != NIL)
        frame_at(head)->free.prev = (uint32_t)pfn;
    free_head[order] = (uint32_t)pfn;
    free_blocks[order]++;
}

static void free_list_remove(struct frame *frame, unsigned order)
{
    uint32_t next = frame->free.next, prev = frame->free.prev;

    if (prev == NIL)
        free_head[order] = next;
    else
        frame_at(prev)->free.next = next;
    if (next != NIL)
        frame_at(next)->free.prev = prev;
    free_blocks[order]--;
}

/* lab frames: begin */
/* The buddy of the block at pfn if it is free as a whole, else NULL. */
static struct frame *free_buddy(pfn_t pfn, unsigned order)
{
    pfn_t buddy_pfn = pfn ^ (1ul << order);
    if (order == FRAME_ORDERS - 1 || buddy_pfn >= frame_count)
        return NULL;
    struct frame *buddy = frame_at(buddy_pfn);
    return buddy->kind == FRAME_FREE && buddy->order == order ? buddy : NULL;
}

void block_free(pfn_t pfn, unsigned order)
{
    struct frame *buddy;

    ASSERT(spin_is_held(&frame_lock));
    while ((buddy = free_buddy(pfn, order))) {
        free_list_remove(buddy, order);
        frame_at(pfn | (1ul << order))->order = FRAME_INNER; /* the upper one of the two */
        pfn &= ~(1ul << order);
        order++;
    }
    free_list_push(pfn, order);
}

struct frame *block_alloc(unsigned order)
{
    unsigned have = order;

    ASSERT(spin_is_held(&frame_lock));
    while (free_head[have] == NIL)
        if (++have == FRAME_ORDERS)
            return NULL;
    pfn_t pfn = free_head[have];
    free_list_remove(frame_at(pfn), have);
    while (have > order) {
        have--;
        free_list_push(pfn + (1ul << have), have);
    }
    return frame_at(pfn);
}

void blocks_free(pfn_t pfn, pfn_t end)
{
    while (pfn < end) {
        unsigned aligned = (unsigned)__builtin_ctzl(pfn | 1ul << (FRAME_ORDERS - 1));
        unsigned fits = 63 - (unsigned)__builtin_clzl(end - pfn);
        unsigned order = MIN(aligned, fits);
        block_free(pfn, order);
        pfn += 1ul << order;
    }
}
/* lab frames: instead buddy.c */
