// SPDX-License-Identifier: MIT
/*
 * blank.c: tests of the frames that are kept blank (prezero=N): each on a machine of its own.
 */
#include "mm/blank.h"

#include <string.h>

#include "kernel/selftest.h"
#include "mm/aspace.h"
#include "tests/host/machine.h"

static uint64_t make_all(void)
{
    uint64_t made = 0;

    while (frame_make_blank())
        made++;
    return made;
}

static void machine_with(const char *params)
{
    machine_set_params(params);
    machine_start(16ul << 20);
}

KTEST(bare, blank_frames_are_not_made_unless_asked_for)
{
    machine_with("");
    EXPECT(!frame_make_blank());
    EXPECT_EQUAL(blank_count, 0);
}

KTEST(bare, blank_frames_are_free_memory)
{
    struct frame_figures before, after;

    machine_with("prezero=100");
    frame_figures(&before);
    EXPECT_EQUAL(make_all(), 100 + BLANK_FOR_TABLES);
    frame_figures(&after);
    EXPECT_EQUAL(blank_count, 100 + BLANK_FOR_TABLES);
    EXPECT_EQUAL(after.blank.made, 100 + BLANK_FOR_TABLES);
    EXPECT_EQUAL(after.free, before.free);
    EXPECT_EQUAL(after.peak, before.peak);
    EXPECT_EQUAL(after.by_kind[FRAME_KERNEL], before.by_kind[FRAME_KERNEL]);
    uint64_t in_blocks = 0;
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        in_blocks += after.free_blocks[order] << order;
    EXPECT_EQUAL(in_blocks, after.free);
    EXPECT_EQUAL(mm_check(), 0);
}

/* Who wants zeroes gets blank frames, except for those that page tables are to have; who wants any frame gets another. */
KTEST(bare, blank_frames_serve_zeroes)
{
    struct frame *frame[BLANK_FOR_TABLES + 8];
    const unsigned all = ARRAY_SIZE(frame);

    machine_with("prezero=4");
    for (unsigned i = 0; i < all; i++) {
        REQUIRE((frame[i] = frame_alloc(FRAME_ANON)));
        memset(frame_address(frame[i]), 0x42, PAGE_SIZE);
    }
    for (unsigned i = 0; i < all; i++)
        frame_put(frame[i]);
    EXPECT_EQUAL(make_all(), BLANK_FOR_TABLES + 4);
    REQUIRE((frame[0] = frame_alloc(FRAME_ANON)));
    EXPECT_EQUAL(blank_count, BLANK_FOR_TABLES + 4);
    for (unsigned i = 1; i < 8; i++) {
        REQUIRE((frame[i] = frame_alloc_zeroed(FRAME_ANON)));
        EXPECT(page_is_clear(frame_address(frame[i])));
        EXPECT_EQUAL(frame[i]->refs, 1);
        EXPECT_EQUAL(blank_count, BLANK_FOR_TABLES + (i < 4 ? 4 - i : 0));
    }
    for (unsigned i = 8; i < all; i++) {
        REQUIRE((frame[i] = frame_alloc_blank(FRAME_KERNEL)));
        EXPECT(page_is_clear(frame_address(frame[i])));
        EXPECT_EQUAL(blank_count, all - 1 - i);
    }
    EXPECT_EQUAL(blank_figures.taken, BLANK_FOR_TABLES + 4);
    for (unsigned i = 0; i < all; i++)
        frame_put(frame[i]);
    EXPECT_EQUAL(make_all(), BLANK_FOR_TABLES + 4);
}

/* At most half of memory is kept for others than tables, and all of it is there for everybody. */
KTEST(bare, blank_frames_give_way)
{
    struct frame *list = NULL, *frame;
    uint64_t taken = 0;

    machine_with("prezero=1000000");
    EXPECT_EQUAL(make_all(), frame_total_count() / 2 + BLANK_FOR_TABLES);
    uint64_t free_frames = frame_free_count();
    for (; (frame = frame_alloc(FRAME_ANON)); taken++) {
        *(struct frame **)frame_address(frame) = list;
        list = frame;
    }
    EXPECT_EQUAL(taken, free_frames - frame_reserve());
    EXPECT(!frame_alloc_zeroed(FRAME_ANON));
    EXPECT(!frame_alloc_blank(FRAME_ANON));
    while ((frame = list)) {
        list = *(struct frame **)frame_address(frame);
        frame_put(frame);
    }
    EXPECT_EQUAL(mm_check(), 0);
}

/* A block that is free but for blank frames can be had. */
KTEST(bare, blank_frames_join_their_blocks)
{
    struct frame *blocks[8], *block;
    unsigned count = 0, without = 0;

    machine_with("prezero=1000000");
    while (without < ARRAY_SIZE(blocks) && (block = frame_alloc_order(FRAME_KERNEL, FRAME_ORDERS - 1)))
        blocks[without++] = block;
    for (unsigned i = 0; i < without; i++)
        frame_put(blocks[i]);
    REQUIRE(without > 1);
    make_all();
    while (count < ARRAY_SIZE(blocks) && (block = frame_alloc_order(FRAME_KERNEL, FRAME_ORDERS - 1)))
        blocks[count++] = block;
    EXPECT_EQUAL(count, without);
    EXPECT_EQUAL(blank_count, 0);
    while (count)
        frame_put(blocks[--count]);
}

KTEST(bare, blank_frames_fail_the_nth_time)
{
    machine_with("prezero=8");
    make_all();
    frame_fail_nth(2);
    struct frame *first = frame_alloc_zeroed(FRAME_ANON), *second = frame_alloc_zeroed(FRAME_ANON);
    struct frame *third = frame_alloc_zeroed(FRAME_ANON);
    EXPECT(first && !second && third);
    EXPECT_EQUAL(frame_failures(), 1);
    EXPECT(page_is_clear(frame_address(first)) && page_is_clear(frame_address(third)));
}
