// SPDX-License-Identifier: MIT
/*
 * frame.c: tests of the buddy allocator: blocks, references, counts, exhaustion, failure on order.
 */
#include "mm/frame.h"

#include "kernel/lib/string.h"
#include "kernel/selftest.h"

/* With all that is free in blocks. */
static void figures_joined(struct frame_figures *figures)
{
    frame_join();
    frame_figures(figures);
}

static bool free_blocks_same(const struct frame_figures *before)
{
    struct frame_figures now;

    figures_joined(&now);
    return !memcmp(now.free_blocks, before->free_blocks, sizeof(now.free_blocks));
}

static void frame_free_blank_now(struct frame *frame)
{
    if (EXPECT(frame && frame_drop(frame)))
        frame_free_blank(frame);
}

KTEST(frame, blocks_of_every_order)
{
    struct frame_figures before;

    figures_joined(&before);
    for (unsigned order = 0; order < 8; order++) {
        struct frame *frame = frame_alloc_order(FRAME_KERNEL, order);
        REQUIRE(frame);
        EXPECT(is_aligned(frame_pfn(frame), 1ul << order));
        EXPECT_EQUAL(frame->order, order);
        EXPECT_EQUAL(frame->kind, FRAME_KERNEL);
        EXPECT_EQUAL(frame->refs, 1);
        EXPECT_EQUAL(frame_free_count(), before.free - (1ul << order));
        frame_put(frame);
        EXPECT(free_blocks_same(&before));
    }
}

KTEST(frame, split_block_joins_again)
{
    struct frame_figures before;
    struct frame *part[16];

    figures_joined(&before);
    for (unsigned i = 0; i < ARRAY_SIZE(part); i++)
        REQUIRE((part[i] = frame_alloc(FRAME_KERNEL)));
    /* Every second one first: no two of those are buddies, so nothing may join yet. */
    for (unsigned i = 0; i < ARRAY_SIZE(part); i += 2)
        frame_put(part[i]);
    for (unsigned i = 1; i < ARRAY_SIZE(part); i += 2)
        frame_put(part[i]);
    EXPECT(free_blocks_same(&before));
}

/* All memory that frames of this kind may have, onto a list through the frames' own first words. Frames taken. */
static uint64_t take_everything(enum frame_kind kind, struct frame **list)
{
    uint64_t count = 0;
    struct frame *frame;

    for (; (frame = frame_alloc(kind)); count++) {
        *(struct frame **)frame_address(frame) = *list;
        *list = frame;
    }
    return count;
}

KTEST(frame, exhaustion_and_return)
{
    struct frame_figures before;
    struct frame *list = NULL, *next;
    uint64_t reserve = frame_reserve();

    figures_joined(&before);
    if (before.free > 256ul << 20 >> PAGE_SHIFT)
        SKIP("so much memory takes long");
    EXPECT(reserve > 1 && reserve < before.free / 4);
    EXPECT_EQUAL(take_everything(FRAME_ANON, &list), before.free - reserve);
    EXPECT_EQUAL(take_everything(FRAME_KERNEL, &list), reserve - reserve / 2); /* the kernel may take half of it */
    EXPECT_EQUAL(frame_free_count(), reserve / 2);
    EXPECT(!frame_alloc(FRAME_ANON));
    EXPECT(!frame_alloc_order(FRAME_ANON, 3));
    EXPECT(!frame_alloc_zeroed(FRAME_ANON));
    for (; list; list = next) {
        next = *(struct frame **)frame_address(list);
        if (!EXPECT_EQUAL(list->refs, 1)) /* a frame handed out twice would come by twice */
            break;
        frame_put(list);
    }
    EXPECT(free_blocks_same(&before));
}

KTEST(frame, blank_frames_stay_blank)
{
    struct frame *first = frame_alloc_blank(FRAME_TABLE), *second;

    REQUIRE(first);
    EXPECT(page_is_clear(frame_address(first)));
    page_clear_words(memset(frame_address(first), 0x42, 64), 64 / 8);
    frame_free_blank_now(first);
    second = frame_alloc_blank(FRAME_TABLE);
    EXPECT_EQUAL(frame_pfn(second), frame_pfn(first)); /* it was kept, and not cleared: */
    EXPECT(page_is_clear(frame_address(second)));
    EXPECT_EQUAL(second->refs, 1);
    EXPECT_EQUAL(second->kind, FRAME_TABLE);
    frame_put(second);
}

KTEST(frame, references)
{
    uint64_t before = frame_free_count();
    struct frame *frame = frame_alloc(FRAME_ANON);

    REQUIRE(frame);
    frame_get(frame);
    frame_get(frame);
    EXPECT_EQUAL(frame->refs, 3);
    frame_put(frame);
    frame_put(frame);
    EXPECT_EQUAL(frame->refs, 1);
    EXPECT_EQUAL(frame_free_count(), before - 1);
    frame_put(frame);
    EXPECT_EQUAL(frame->refs, 0);
    EXPECT_EQUAL(frame->kind, FRAME_FREE);
    EXPECT_EQUAL(frame_free_count(), before);
}

KTEST(frame, counts_by_kind)
{
    struct frame_figures before, during, after;

    frame_figures(&before);
    struct frame *frame = frame_alloc_order(FRAME_SHM, 2);
    REQUIRE(frame);
    frame_figures(&during);
    frame_put(frame);
    frame_figures(&after);
    EXPECT_EQUAL(during.by_kind[FRAME_SHM], before.by_kind[FRAME_SHM] + 4);
    EXPECT_EQUAL(after.by_kind[FRAME_SHM], before.by_kind[FRAME_SHM]);
    EXPECT(after.peak_by_kind[FRAME_SHM] >= before.by_kind[FRAME_SHM] + 4);
    EXPECT(after.peak >= after.total - after.free + 4);
    EXPECT_EQUAL(frame_total_count(), after.total);
}

/* Frames put one after the other: those given up for good go, whatever order and kind they have, and the others stay. */
KTEST(frame, runs_are_given_back_whole)
{
    struct frame_figures before, after;
    struct frame_run run = { 0 };
    struct frame *part[96];

    figures_joined(&before);
    for (unsigned i = 0; i < ARRAY_SIZE(part); i++)
        REQUIRE((part[i] = frame_alloc(i % 24 == 7 ? FRAME_SHM : FRAME_ANON)));
    frame_get(part[40]);
    for (unsigned i = 0; i < ARRAY_SIZE(part) / 2; i++)
        frame_run_put(&run, part[i]);
    for (unsigned i = ARRAY_SIZE(part); i-- > ARRAY_SIZE(part) / 2;) /* backwards */
        frame_run_put(&run, part[i]);
    frame_run_finish(&run);
    frame_run_finish(&run); /* which is empty now */
    EXPECT_EQUAL(part[40]->refs, 1);
    EXPECT_EQUAL(part[40]->kind, FRAME_ANON);
    EXPECT_EQUAL(part[41]->kind, FRAME_FREE);
    EXPECT_EQUAL(frame_free_count(), before.free - 1);
    frame_put(part[40]);
    frame_figures(&after);
    EXPECT(free_blocks_same(&before));
    EXPECT_EQUAL(after.free, before.free);
    EXPECT_EQUAL(after.by_kind[FRAME_ANON], before.by_kind[FRAME_ANON]);
    EXPECT_EQUAL(after.by_kind[FRAME_SHM], before.by_kind[FRAME_SHM]);
}

static bool filled_with(const struct frame *frame, uint8_t value)
{
    const uint8_t *bytes = frame_address(frame);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

KTEST(frame, contents_of_new_frames)
{
    struct frame *frame = frame_alloc(FRAME_ANON);

    REQUIRE(frame);
    memset(frame_address(frame), 0x42, PAGE_SIZE);
    frame_put(frame);
    struct frame *again = frame_alloc_zeroed(FRAME_ANON);
    REQUIRE(again);
    EXPECT(filled_with(again, 0));
    frame_put(again);
#if DEBUG
    again = frame_alloc(FRAME_ANON);
    REQUIRE(again);
    EXPECT(filled_with(again, 0xa5));
    frame_put(again);
#endif
}

KTEST(frame, fails_the_nth_time)
{
    struct frame *first, *second, *third;

    frame_fail_nth(2);
    first = frame_alloc(FRAME_ANON);
    second = frame_alloc(FRAME_ANON);
    third = frame_alloc(FRAME_ANON);
    EXPECT(first && !second && third);
    if (first)
        frame_put(first);
    if (second)
        frame_put(second);
    if (third)
        frame_put(third);
}

KTEST(frame, addresses)
{
    struct frame *frame = frame_alloc(FRAME_KERNEL);

    REQUIRE(frame);
    char *address = frame_address(frame);
    EXPECT(is_aligned((vaddr_t)address, PAGE_SIZE));
    EXPECT(frame_of(address) == frame);
    EXPECT(frame_of(address + PAGE_SIZE - 1) == frame);
    EXPECT(frame_at(frame_pfn(frame)) == frame);
    frame_put(frame);
}

KTEST(frame, what_counts_as_resident)
{
    static const struct {
        enum frame_kind kind;
        enum resident_kind resident;
    } cases[] = {
        { FRAME_ANON, RESIDENT_ANON }, { FRAME_FILE, RESIDENT_FILE },   { FRAME_SHM, RESIDENT_SHM },
        { FRAME_ZERO, RESIDENT_NONE }, { FRAME_KERNEL, RESIDENT_NONE },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct frame record = { .kind = cases[i].kind };
        EXPECT_EQUAL(frame_resident_kind(&record), cases[i].resident);
    }
}
