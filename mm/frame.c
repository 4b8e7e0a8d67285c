// SPDX-License-Identifier: MIT
/*
 * frame.c: records, counts, and taking and giving back.
 *
 * Free memory is blocks (mm/buddy.h). In front of them stands a stack of single frames (each CPU would have its own): what
 * was freed last is taken first, while caches remember it, and needs no joining and splitting. It is filled from a whole
 * block; from it, and from what is given up in great numbers, neighbours go back together. Its frames are free in every
 * count; their records are marked like those inside a block. Beside it lie blank frames (mm/blank.h), which are free as well.
 */
#include "mm/frame.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"
#include "mm/blank.h"
#include "mm/bootmem.h"
#include "mm/buddy.h"
#include "mm/oom.h"
#include "mm/reserve.h"

#define JUNK 0xa5 /* fills new frames in debug builds: what is not cleared is seen */

#define HOT_ORDER 5 /* of the block that fills the stack */
#define HOT_BATCH (1u << HOT_ORDER)
#define HOT_MAX (2 * HOT_BATCH)

struct frame *frame_array;
pfn_t frame_count;

struct spinlock frame_lock = SPINLOCK_INIT;

/* All below: frame_lock. */
static struct frame_figures figures;
static uint64_t least_free = UINT64_MAX; /* at one time since boot */
static uint64_t fail_countdown, fail_count;
static struct {
    unsigned count;
    struct frame *frame[HOT_MAX];
} hot;
static uint64_t parked; /* frames_park(): free, though on no list */
static uint64_t reserve;
static struct {
    uint64_t now, peak;
    uint64_t reserve; /* frames that must stay free when one of this kind is taken */
} of_kind[FRAME_KINDS];

/* What all free frames have that do not begin a block. */
static inline void frame_mark_free(struct frame *frame)
{
    *frame = (struct frame){ .kind = FRAME_FREE, .order = FRAME_INNER };
}

static void free_range_add(paddr_t start, paddr_t end)
{
    pfn_t pfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    for (pfn_t i = pfn; i < last; i++)
        frame_mark_free(frame_at(i));
    figures.total += last - pfn;
    figures.free += last - pfn;
    blocks_free(pfn, last);
}

void frame_init(void)
{
    frame_count = bootmem_end() >> PAGE_SHIFT;
    frame_array = direct_address(bootmem_alloc(frame_count * sizeof(struct frame), PAGE_SIZE, RAM_LIMIT));
    for (pfn_t i = 0; i < frame_count; i++)
        *frame_at(i) = (struct frame){ .refs = 1, .kind = FRAME_RESERVED };
    buddy_init();
    spin_lock(&frame_lock);
    bootmem_for_each_free(free_range_add);
    spin_unlock(&frame_lock);
    blank_init(figures.total / 2);
    reserve_init(figures.total);
}

void frame_set_reserve(uint64_t frames)
{
    spin_lock(&frame_lock);
    reserve = frames;
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        of_kind[kind].reserve = kind == FRAME_KERNEL || kind == FRAME_SLAB || kind == FRAME_TABLE ? reserve / 2 : reserve;
    spin_unlock(&frame_lock);
}

uint64_t frame_reserve(void) { return reserve; }

/* May so many frames of this kind be taken? */
static bool alloc_is_allowed(enum frame_kind kind, uint64_t frames)
{
    if (likely(figures.free >= frames + of_kind[kind].reserve))
        return true;
    return oom_may_use_reserve();
}

/* ---- the stack ---- */

/* Give back the `least` frames that have been there longest, and what goes on from them. */
static void hot_drain(unsigned least)
{
    unsigned gone = 0, left = 0;

    while (gone < least) {
        pfn_t first = frame_pfn(hot.frame[gone]), end = first + 1;
        while (++gone < hot.count && hot.frame[gone] == frame_at(end))
            end++;
        if (end - first == 1)
            block_free(first, 0);
        else
            blocks_free(first, end);
    }
    while (gone < hot.count)
        hot.frame[left++] = hot.frame[gone++];
    hot.count = left;
}

/* The stack is empty: fill it from the largest block up to HOT_ORDER that there is. False: there is none at all. */
static __noinline bool hot_fill(void)
{
    struct frame *block = NULL;
    unsigned order = HOT_ORDER + 1;

    while (!block && order--)
        block = block_alloc(order);
    for (unsigned i = block ? 1u << order : 0; i--;) { /* the first is taken first */
        block[i].order = FRAME_INNER;
        hot.frame[hot.count++] = &block[i];
    }
    return block;
}

static inline void figures_count_alloc(enum frame_kind kind, uint64_t frames)
{
    uint64_t now = of_kind[kind].now += frames, left = figures.free -= frames;

    if (unlikely(now > of_kind[kind].peak))
        of_kind[kind].peak = now;
    if (unlikely(left < least_free))
        least_free = left;
}

/* A block from the lists, or NULL. What lies on the stack, or is kept blank, may complete one. */
static struct frame *block_take(unsigned order)
{
    struct frame *block = block_alloc(order);

    if (block || !(hot.count | blank_count))
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
    bool allowed = !alloc_must_fail() && alloc_is_allowed(kind, 1ul << order);
    struct frame *frame = allowed ? block_take(order) : NULL;
    if (frame) {
        *frame = (struct frame){ .refs = 1, .kind = kind, .order = order };
        figures_count_alloc(kind, 1ul << order);
    }
    spin_unlock(&frame_lock);
    if (DEBUG && frame)
        memset(frame_address(frame), JUNK, PAGE_SIZE << order);
    return frame;
}

/* A single free frame, which is on no list any more, is given out. */
static inline struct frame *frame_give(struct frame *frame, enum frame_kind kind)
{
    *frame = (struct frame){ .refs = 1, .kind = kind };
    figures_count_alloc(kind, 1);
    return frame;
}

/* A single frame, wherever there is one; blank ones last. */
static struct frame *frame_find(void)
{
    return hot.count || hot_fill() ? hot.frame[--hot.count] : blank_pop();
}

/* The lock is held on the way in and not on the way out. */
static __noinline struct frame *frame_alloc_hard(enum frame_kind kind)
{
    bool allowed = !alloc_must_fail() && alloc_is_allowed(kind, 1);
    struct frame *frame = allowed ? frame_find() : NULL;

    if (frame)
        frame_give(frame, kind);
    spin_unlock(&frame_lock);
    return frame;
}

struct frame *frame_alloc(enum frame_kind kind)
{
    struct frame *frame;

    ASSERT(kind > FRAME_RESERVED);
    spin_lock(&frame_lock);
    if (likely(hot.count && figures.free > of_kind[kind].reserve && !fail_countdown)) {
        frame = frame_give(hot.frame[--hot.count], kind);
        spin_unlock(&frame_lock);
    } else {
        frame = frame_alloc_hard(kind);
    }
    if (DEBUG && frame)
        memset(frame_address(frame), JUNK, PAGE_SIZE);
    return frame;
}

void frame_free(struct frame *frame)
{
    unsigned order = frame->order;

    BUG_ON(frame->refs != 0 || frame->kind <= FRAME_RESERVED, "freeing frame 0x%lx: kind %u, refs %u",
           frame_pfn(frame), frame->kind, frame->refs);
    spin_lock(&frame_lock);
    of_kind[frame->kind].now -= 1ul << order;
    figures.free += 1ul << order;
    frame_mark_free(frame);
    if (likely(order == 0)) {
        if (unlikely(hot.count == HOT_MAX))
            hot_drain(HOT_BATCH);
        hot.frame[hot.count++] = frame;
    } else {
        block_free(frame_pfn(frame), order);
    }
    spin_unlock(&frame_lock);
}

struct frame *frame_alloc_blank(enum frame_kind kind)
{
    struct frame *frame = NULL;

    spin_lock(&frame_lock);
    if (likely(blank_top && figures.free > of_kind[kind].reserve && !fail_countdown)) {
        frame = frame_give(blank_pop(), kind);
        blank_figures.taken++;
    }
    spin_unlock(&frame_lock);
    return likely(frame) ? frame : frame_alloc_cleared(kind);
}

bool frame_make_blank(void)
{
    if (!blank_is_wanted())
        return false;
    spin_lock(&frame_lock);
    struct frame *frame = hot.count || hot_fill() ? hot.frame[--hot.count] : NULL;
    if (frame)
        blank_make(frame);
    spin_unlock(&frame_lock);
    return frame;
}

void frame_free_blank(struct frame *frame)
{
    BUG_ON(frame->refs != 0 || frame->order != 0, "frame 0x%lx is not to be freed", frame_pfn(frame));
    spin_lock(&frame_lock);
    bool is_kept = frame_keeps_blanks();
    if (likely(is_kept)) {
        of_kind[frame->kind].now--;
        figures.free++;
        frame_mark_free(frame);
        blank_push(frame);
    }
    spin_unlock(&frame_lock);
    if (unlikely(!is_kept))
        frame_free(frame);
}

void frames_park(enum frame_kind kind, uint64_t count)
{
    spin_lock(&frame_lock);
    of_kind[kind].now -= count;
    figures.free += count;
    parked += count;
    ASSERT(parked < reserve);
    spin_unlock(&frame_lock);
}

bool frames_unpark(enum frame_kind kind, uint64_t count)
{
    spin_lock(&frame_lock);
    bool allowed = !alloc_must_fail() && alloc_is_allowed(kind, count);
    if (likely(allowed)) {
        figures_count_alloc(kind, count);
        parked -= count;
    }
    spin_unlock(&frame_lock);
    return allowed;
}

/* lab frames: begin */
void frame_put(struct frame *frame)
{
    ASSERT(frame->kind != FRAME_TABLE || frame->used == 0);
    if (frame_drop(frame))
        frame_free(frame);
}
/* lab frames: instead frame_put.c */

/* Mark the single frames of a run, which nothing refers to, as free. */
static void run_mark(const struct frame_run *run)
{
    uint8_t kind = run->first->kind;

    for (struct frame *frame = run->first; frame < run->end; frame++) {
        BUG_ON(frame->refs != 0 || kind <= FRAME_RESERVED || frame->order != 0,
               "freeing frame 0x%lx of a run: kind %u, refs %u, order %u", frame_pfn(frame), kind, frame->refs, frame->order);
        frame_mark_free(frame);
    }
}

static void run_free(const struct frame_run *run)
{
    struct frame *frame = run->first;

    spin_lock(&frame_lock);
    of_kind[frame->kind].now -= (uint64_t)(run->end - frame);
    figures.free += (uint64_t)(run->end - frame);
    run_mark(run);
    while (frame < run->end && hot.count < HOT_MAX)
        hot.frame[hot.count++] = frame++;
    blocks_free(frame_pfn(frame), frame_pfn(run->end));
    spin_unlock(&frame_lock);
}

static inline void run_end(const struct frame_run *run)
{
    if (likely((vaddr_t)run->end - (vaddr_t)run->first == sizeof(*run->first))) /* nothing is won by its being a run */
        frame_free(run->first);
    else if (run->first)
        run_free(run);
}

void frame_run_finish(struct frame_run *run)
{
    run_end(run);
    *run = (struct frame_run){ 0 };
}

void frame_run_turn(struct frame_run *run, struct frame *frame)
{
    if (frame + 1 == run->first && frame->kind == run->first->kind) {
        run->first = frame;
        return;
    }
    run_end(run);
    *run = (struct frame_run){ frame, frame + 1 };
}

void frame_join(void)
{
    spin_lock(&frame_lock);
    hot_drain(hot.count);
    blank_drain();
    spin_unlock(&frame_lock);
}

void frame_figures(struct frame_figures *copy)
{
    spin_lock(&frame_lock);
    *copy = figures;
    copy->blank = blank_figures;
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        copy->free_blocks[order] = buddy_free_blocks(order);
    copy->free_blocks[0] += hot.count + blank_count + parked;
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
