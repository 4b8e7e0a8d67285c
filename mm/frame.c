// SPDX-License-Identifier: MIT
/*
 * frame.c: the buddy allocator.
 *
 * Free memory is kept as blocks of 2^order frames, aligned to their size, on one list an order. Allocating splits
 * the smallest block that is large enough; freeing joins a block with its buddy (the other half of the
 * next larger block) as long as that one is free as a whole. The first record of a block carries its order and
 * links; the records inside a block are marked FRAME_INNER, so that no one takes them for a block.
 *
 * In front of that stands a stack of single frames (each CPU would have its own): what was freed last is taken first, while
 * caches remember it, and needs no joining and splitting. It is filled from a whole block and emptied in whole blocks where
 * its frames make one. Its frames are free in every count; their records are marked like those inside a block.
 */
#include "mm/frame.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"
#include "mm/bootmem.h"
#include "mm/oom.h"

#define NIL UINT32_MAX /* end of a free list */
#define JUNK 0xa5      /* fills new frames in debug builds: what is not cleared is seen */

#define HOT_ORDER 5 /* of the block that fills the stack, and that it is emptied in */
#define HOT_BATCH (1u << HOT_ORDER)
#define HOT_MAX (2 * HOT_BATCH)

struct frame *frame_array;
pfn_t frame_count;

static struct spinlock frame_lock = SPINLOCK_INIT;

/* All below: frame_lock. */
static uint32_t free_head[FRAME_ORDERS];
static struct frame_figures figures;
static uint64_t least_free = UINT64_MAX; /* at one time since boot */
static uint64_t fail_countdown, fail_count;
static struct {
    unsigned count;
    struct frame *frame[HOT_MAX];
} hot;
static struct {
    unsigned count;
    struct frame *frame[HOT_MAX];
} blank;
static uint64_t reserve;                 /* set once by frame_init() */
static struct {
    uint64_t now, peak;
    uint64_t reserve; /* frames that must stay free when one of this kind is taken; set once */
} of_kind[FRAME_KINDS];

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
    while ((buddy = free_buddy(pfn, order))) {
        pfn_t upper = pfn | (1ul << order);
        free_list_remove(buddy, order);
        frame_at(upper)->kind = FRAME_FREE;
        frame_at(upper)->order = FRAME_INNER;
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
    return frame;
}

/* Cut [start, end) into the largest aligned blocks. */
static void free_range_add(paddr_t start, paddr_t end)
{
    pfn_t pfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    for (pfn_t i = pfn; i < last; i++)
        *frame_at(i) = (struct frame){ .kind = FRAME_FREE, .order = FRAME_INNER };
    figures.total += last - pfn;
    figures.free += last - pfn;
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
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        of_kind[kind].reserve = kind == FRAME_KERNEL || kind == FRAME_SLAB || kind == FRAME_TABLE ? reserve / 2 : reserve;
}

uint64_t frame_reserve(void) { return reserve; }

/* May 2^order frames of this kind be taken? */
static bool alloc_is_allowed(enum frame_kind kind, unsigned order)
{
    if (likely(figures.free >= (1ul << order) + of_kind[kind].reserve))
        return true;
    return oom_may_use_reserve();
}

/* ---- the stack ---- */

/* Do the frames from `i` on make a block of HOT_ORDER, in order? */
static bool hot_is_block(unsigned i)
{
    const struct frame *first = hot.frame[i];

    if (!is_aligned(frame_pfn(first), HOT_BATCH) || i + HOT_BATCH > hot.count)
        return false;
    for (unsigned k = 1; k < HOT_BATCH; k++)
        if (hot.frame[i + k] != first + k)
            return false;
    return true;
}

/* Give back the `least` frames that have been there longest, and what makes up a block with them. */
static void hot_drain(unsigned least)
{
    unsigned gone = 0, left = 0;

    while (gone < least) {
        unsigned order = hot_is_block(gone) ? HOT_ORDER : 0;
        block_free(frame_pfn(hot.frame[gone]), order);
        gone += 1u << order;
    }
    while (gone < hot.count)
        hot.frame[left++] = hot.frame[gone++];
    hot.count = left;
}

/* What is kept blank becomes like all that is free. */
static void blank_drain(void)
{
    while (blank.count)
        block_free(frame_pfn(blank.frame[--blank.count]), 0);
}

/* The stack is empty: fill it from the largest block up to HOT_ORDER that there is. False: there is none at all. */
static __noinline bool hot_fill(void)
{
    struct frame *block = NULL;
    unsigned order = HOT_ORDER + 1;

    while (!block && order--)
        block = block_alloc(order);
    if (!block && blank.count) {
        blank_drain();
        return hot_fill();
    }
    for (unsigned i = block ? 1u << order : 0; i--;) { /* the first is taken first */
        block[i].order = FRAME_INNER;
        hot.frame[hot.count++] = &block[i];
    }
    return block;
}

static inline void figures_count_alloc(enum frame_kind kind, unsigned order)
{
    uint64_t now = of_kind[kind].now += 1ul << order, left = figures.free -= 1ul << order;

    if (unlikely(now > of_kind[kind].peak))
        of_kind[kind].peak = now;
    if (unlikely(left < least_free))
        least_free = left;
}

/* A block from the lists, or NULL. What lies on the stack may complete one. */
static struct frame *block_take(unsigned order)
{
    struct frame *block = block_alloc(order);

    if (block || !(hot.count | blank.count))
        return block;
    hot_drain(hot.count);
    blank_drain();
    return block_alloc(order);
}

/* Is this the allocation that is to fail? */
static bool alloc_must_fail(void)
{
    if (likely(!fail_countdown) || --fail_countdown)
        return false;
    fail_count++;
    return true;
}

struct frame *frame_alloc_order(enum frame_kind kind, unsigned order)
{
    ASSERT(order < FRAME_ORDERS && kind > FRAME_RESERVED);
    spin_lock(&frame_lock);
    bool allowed = !alloc_must_fail() && alloc_is_allowed(kind, order);
    struct frame *frame = allowed ? block_take(order) : NULL;
    if (frame) {
        *frame = (struct frame){ .refs = 1, .kind = kind, .order = order };
        figures_count_alloc(kind, order);
    }
    spin_unlock(&frame_lock);
    if (DEBUG && frame)
        memset(frame_address(frame), JUNK, PAGE_SIZE << order);
    return frame;
}

/* A frame of the stack, which is not empty. */
static inline struct frame *hot_take(enum frame_kind kind)
{
    struct frame *frame = hot.frame[--hot.count];

    *frame = (struct frame){ .refs = 1, .kind = kind };
    figures_count_alloc(kind, 0);
    return frame;
}

/* The lock is held on the way in and not on the way out. */
static __noinline struct frame *frame_alloc_hard(enum frame_kind kind)
{
    bool allowed = !alloc_must_fail() && alloc_is_allowed(kind, 0);
    struct frame *frame = allowed && (hot.count || hot_fill()) ? hot_take(kind) : NULL;

    spin_unlock(&frame_lock);
    return frame;
}

struct frame *frame_alloc(enum frame_kind kind)
{
    struct frame *frame;

    ASSERT(kind > FRAME_RESERVED);
    spin_lock(&frame_lock);
    if (likely(hot.count && figures.free > of_kind[kind].reserve && !fail_countdown)) {
        frame = hot_take(kind);
        spin_unlock(&frame_lock);
    } else {
        frame = frame_alloc_hard(kind);
    }
    if (DEBUG && frame)
        memset(frame_address(frame), JUNK, PAGE_SIZE);
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
    unsigned order = frame->order;

    BUG_ON(frame->refs != 0 || frame->kind <= FRAME_RESERVED, "freeing frame 0x%lx: kind %u, refs %u",
           frame_pfn(frame), frame->kind, frame->refs);
    spin_lock(&frame_lock);
    of_kind[frame->kind].now -= 1ul << order;
    figures.free += 1ul << order;
    if (likely(order == 0)) {
        frame->kind = FRAME_FREE;
        frame->order = FRAME_INNER;
        if (unlikely(hot.count == HOT_MAX))
            hot_drain(HOT_BATCH);
        hot.frame[hot.count++] = frame;
    } else {
        block_free(frame_pfn(frame), order);
    }
    spin_unlock(&frame_lock);
}

/*
 * Beside the stack lies a second one, of frames that are known to be full of zeroes: page tables leave nearly all of a frame
 * as it was, so the few words that were used are cheaper to clear than the whole of the next table. Others take from it when
 * there is nothing else.
 */
struct frame *frame_alloc_blank(enum frame_kind kind)
{
    struct frame *frame = NULL;

    spin_lock(&frame_lock);
    if (likely(blank.count && figures.free > of_kind[kind].reserve && !fail_countdown)) {
        frame = blank.frame[--blank.count];
        *frame = (struct frame){ .refs = 1, .kind = kind };
        figures_count_alloc(kind, 0);
    }
    spin_unlock(&frame_lock);
    return likely(frame) ? frame : frame_alloc_zeroed(kind);
}

bool frame_keeps_blanks(void) { return READ_ONCE(blank.count) < HOT_MAX; }

void frame_free_blank(struct frame *frame)
{
    BUG_ON(frame->refs != 0 || frame->order != 0, "frame 0x%lx is not to be freed", frame_pfn(frame));
    ASSERT(page_is_clear(frame_address(frame)));
    spin_lock(&frame_lock);
    bool is_kept = blank.count < HOT_MAX;
    if (likely(is_kept)) {
        of_kind[frame->kind].now--;
        figures.free++;
        frame->kind = FRAME_FREE;
        frame->order = FRAME_INNER;
        blank.frame[blank.count++] = frame;
    }
    spin_unlock(&frame_lock);
    if (unlikely(!is_kept))
        frame_free(frame);
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
    hot_drain(hot.count); /* so that the blocks add up */
    blank_drain();
    *copy = figures;
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++) {
        copy->by_kind[kind] = of_kind[kind].now;
        copy->peak_by_kind[kind] = of_kind[kind].peak;
    }
    copy->peak = figures.total - MIN(least_free, figures.free);
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
