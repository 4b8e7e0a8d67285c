// SPDX-License-Identifier: MIT
/*
 * frame.c: the buddy allocator.
 *
 * Free memory is kept as blocks of 2^order frames, aligned to their size, on one list an order. Allocating splits
 * the smallest block that is large enough; freeing joins a block with its buddy (the other half of the
 * next larger block) as long as that one is free as a whole. The first record of a block carries its order and
 * links; the records inside a block are marked INNER, so that no one takes them for a block.
 */
#include "mm/frame.h"

#include "arch/x86_64/mmu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"
#include "mm/bootmem.h"
#include "mm/oom.h"

#define NIL UINT32_MAX /* end of a free list */
#define INNER 0xf      /* order of a record inside a block */
#define JUNK 0xa5      /* fills new frames in debug builds: what is not cleared is seen */

struct frame *frame_array;
pfn_t frame_count;

static struct spinlock frame_lock = SPINLOCK_INIT;

/* All below: frame_lock. */
static uint32_t free_head[FRAME_ORDERS];
static struct frame_figures figures;
static uint64_t fail_countdown, fail_count;
static uint64_t reserve; /* set once by frame_init() */

static void free_list_push(struct frame *frame, unsigned order)
{
    uint32_t pfn = frame_pfn(frame), head = free_head[order];

    frame->refs = 0;
    frame->kind = FRAME_FREE;
    frame->order = order;
    frame->free.next = head;
    frame->free.prev = NIL;
    if (head != NIL)
        frame_at(head)->free.prev = pfn;
    free_head[order] = pfn;
    figures.free_blocks[order]++;
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
    figures.free_blocks[order]--;
}

/* The buddy of the block at pfn if it is free as a whole, else NULL. */
static struct frame *free_buddy(pfn_t pfn, unsigned order)
{
    pfn_t buddy_pfn = pfn ^ (1ul << order);
    if (order == FRAME_ORDERS - 1 || buddy_pfn >= frame_count)
        return NULL;
    struct frame *buddy = frame_at(buddy_pfn);
    return buddy->kind == FRAME_FREE && buddy->order == order ? buddy : NULL;
}

static void block_free(pfn_t pfn, unsigned order)
{
    struct frame *buddy;

    ASSERT(spin_is_held(&frame_lock));
    figures.free += 1ul << order;
    while ((buddy = free_buddy(pfn, order))) {
        pfn_t upper = pfn | (1ul << order);
        free_list_remove(buddy, order);
        frame_at(upper)->kind = FRAME_FREE;
        frame_at(upper)->order = INNER;
        pfn &= ~(1ul << order);
        order++;
    }
    free_list_push(frame_at(pfn), order);
}

/* A block of exactly this order, split off a larger one if need be; NULL: none is large enough. */
static struct frame *block_alloc(unsigned order)
{
    unsigned have = order;

    ASSERT(spin_is_held(&frame_lock));
    while (free_head[have] == NIL)
        if (++have == FRAME_ORDERS)
            return NULL;
    struct frame *frame = frame_at(free_head[have]);
    free_list_remove(frame, have);
    while (have > order) {
        have--;
        free_list_push(frame + (1ul << have), have);
    }
    figures.free -= 1ul << order;
    return frame;
}

/* Cut [start, end) into the largest aligned blocks. */
static void free_range_add(paddr_t start, paddr_t end)
{
    pfn_t pfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    for (pfn_t i = pfn; i < last; i++)
        *frame_at(i) = (struct frame){ .kind = FRAME_FREE, .order = INNER };
    figures.total += last - pfn;
    while (pfn < last) {
        unsigned order = FRAME_ORDERS - 1;
        while (!is_aligned(pfn, 1ul << order) || pfn + (1ul << order) > last)
            order--;
        block_free(pfn, order);
        pfn += 1ul << order;
    }
}

static uint64_t square_root(uint64_t n)
{
    uint64_t root = 0;
    while ((root + 1) * (root + 1) <= n)
        root++;
    return root;
}

void frame_init(void)
{
    frame_count = bootmem_end() >> PAGE_SHIFT;
    frame_array = direct_address(bootmem_alloc(frame_count * sizeof(struct frame), PAGE_SIZE, RAM_LIMIT));
    for (pfn_t i = 0; i < frame_count; i++)
        *frame_at(i) = (struct frame){ .refs = 1, .kind = FRAME_RESERVED };
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        free_head[order] = NIL;
    spin_lock(&frame_lock);
    bootmem_for_each_free(free_range_add);
    spin_unlock(&frame_lock);
    reserve = square_root(figures.total * (PAGE_SIZE >> 10) * 16) / (PAGE_SIZE >> 10);
}

uint64_t frame_reserve(void) { return reserve; }

/* Frames that must stay free when a frame of this kind is taken. */
static uint64_t reserve_for(enum frame_kind kind)
{
    bool kernel = kind == FRAME_KERNEL || kind == FRAME_SLAB || kind == FRAME_TABLE;
    return kernel ? reserve / 2 : reserve;
}

/* May 2^order frames of this kind be taken? */
static bool alloc_is_allowed(enum frame_kind kind, unsigned order)
{
    if (likely(figures.free >= (1ul << order) + reserve_for(kind)))
        return true;
    return oom_may_use_reserve();
}

static void figures_count_alloc(enum frame_kind kind, unsigned order)
{
    uint64_t *now = &figures.by_kind[kind];

    *now += 1ul << order;
    figures.peak_by_kind[kind] = MAX(figures.peak_by_kind[kind], *now);
    figures.peak = MAX(figures.peak, figures.total - figures.free);
}

struct frame *frame_alloc_order(enum frame_kind kind, unsigned order)
{
    struct frame *frame;

    ASSERT(order < FRAME_ORDERS && kind > FRAME_RESERVED);
    spin_lock(&frame_lock);
    if (unlikely(fail_countdown) && --fail_countdown == 0) {
        fail_count++;
        frame = NULL;
    } else {
        frame = alloc_is_allowed(kind, order) ? block_alloc(order) : NULL;
    }
    if (frame) {
        *frame = (struct frame){ .refs = 1, .kind = kind, .order = order };
        figures_count_alloc(kind, order);
    }
    spin_unlock(&frame_lock);
#if DEBUG
    if (frame)
        memset(frame_address(frame), JUNK, PAGE_SIZE << order);
#endif
    return frame;
}

struct frame *frame_alloc(enum frame_kind kind) { return frame_alloc_order(kind, 0); }

struct frame *frame_alloc_zeroed(enum frame_kind kind)
{
    struct frame *frame = frame_alloc(kind);
    if (frame)
        page_clear(frame_address(frame));
    return frame;
}

bool frame_drop(struct frame *frame)
{
    uint32_t left = __atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL);
    BUG_ON(left == UINT32_MAX, "frame 0x%lx (kind %u) dropped once too often", frame_pfn(frame), frame->kind);
    return left == 0;
}

void frame_free(struct frame *frame)
{
    BUG_ON(frame->refs != 0 || frame->kind <= FRAME_RESERVED, "freeing frame 0x%lx: kind %u, refs %u",
           frame_pfn(frame), frame->kind, frame->refs);
    spin_lock(&frame_lock);
    figures.by_kind[frame->kind] -= 1ul << frame->order;
    block_free(frame_pfn(frame), frame->order);
    spin_unlock(&frame_lock);
}

void frame_put(struct frame *frame)
{
    ASSERT(frame->kind != FRAME_TABLE || frame->used == 0);
    if (frame_drop(frame))
        frame_free(frame);
}

void frame_figures(struct frame_figures *copy)
{
    spin_lock(&frame_lock);
    *copy = figures;
    spin_unlock(&frame_lock);
}

uint64_t frame_free_count(void) { return READ_ONCE(figures.free); }
uint64_t frame_total_count(void) { return figures.total; }

void frame_fail_nth(uint64_t n)
{
    spin_lock(&frame_lock);
    fail_countdown = n;
    spin_unlock(&frame_lock);
}

uint64_t frame_failures(void) { return fail_count; }
