// SPDX-License-Identifier: MIT
/*
 * ahead.c: tests of faultahead=N: each on a machine of its own.
 */
#include <linux/mman.h>

#include "kernel/selftest.h"
#include "mm/anon.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "tests/host/machine.h"
#include "tests/kernel/space.h"

#define AHEAD 5
#define TABLE (512 * PAGE_SIZE)
#define BASE (8 * TABLE) /* where a table begins */

static struct aspace *space;

static bool begin(const char *params)
{
    machine_set_params(params);
    machine_start(16ul << 20);
    space = space_enter();
    return EXPECT(space);
}

static void end(void)
{
    struct frame_figures figures;

    space_leave(space);
    frame_figures(&figures);
    EXPECT_EQUAL(figures.by_kind[FRAME_ANON], 0);
    EXPECT_EQUAL(mm_check(), 0);
}

static uint64_t resident(void) { return space_resident(space, RESIDENT_ANON); }

/* Write one byte to each of these pages, as the user does. How many faults that takes. */
static uint64_t write_pages(vaddr_t addr, uint64_t pages)
{
    uint64_t before = space_all_faults();
    for (uint64_t i = 0; i < pages; i++)
        EXPECT_EQUAL(user_write(addr + i * PAGE_SIZE, "x", 1), 1);
    return space_all_faults() - before;
}

KTEST(bare, ahead_is_off_unless_asked_for)
{
    if (!begin("") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    EXPECT_EQUAL(write_pages(BASE, 20), 20);
    EXPECT_EQUAL(resident(), 20);
    EXPECT_EQUAL(anon_ahead, 0);
    end();
}

/* The second page in a row brings five more, and so does the one behind those. */
KTEST(bare, ahead_of_writes_in_sequence)
{
    uint8_t byte = 1;

    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    uint64_t free_frames = frame_free_count(), committed = commit_total();
    EXPECT_EQUAL(write_pages(BASE, 1), 1);
    EXPECT_EQUAL(resident(), 1);
    EXPECT_EQUAL(write_pages(BASE + PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 2 + AHEAD);
    EXPECT_EQUAL(write_pages(BASE + 2 * PAGE_SIZE, AHEAD), 0);
    EXPECT_EQUAL(write_pages(BASE + 7 * PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 8 + AHEAD);
    EXPECT_EQUAL(anon_ahead, 2 * AHEAD);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_FILL), 3);
    EXPECT_EQUAL(user_read(BASE + 10 * PAGE_SIZE, &byte, 1), 1);
    EXPECT_EQUAL(byte, 0);
    EXPECT_EQUAL(commit_total(), committed);
    EXPECT_EQUAL(aspace_unmap(space, BASE, 64 * PAGE_SIZE), 0);
    EXPECT(frame_free_count() >= free_frames);
    end();
}

/* Touches here and there bring nothing but themselves; nor does going backwards. */
KTEST(bare, ahead_wants_a_sequence)
{
    if (!begin("faultahead=5") || !space_map_at(space, BASE, 200, READ_WRITE, MAP_PRIVATE))
        return;
    for (unsigned i = 0; i < 50; i++)
        EXPECT_EQUAL(write_pages(BASE + 2 * i * PAGE_SIZE, 1), 1);
    for (unsigned i = 190; i > 150; i--)
        EXPECT_EQUAL(write_pages(BASE + i * PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 90);
    EXPECT_EQUAL(anon_ahead, 0);
    end();
}

KTEST(bare, ahead_ends_where_the_mapping_ends)
{
    if (!begin("faultahead=5") || !space_map_at(space, BASE, 4, READ_WRITE, MAP_PRIVATE) ||
        !space_map_at(space, BASE + 4 * PAGE_SIZE, 4, PROT_READ, MAP_PRIVATE))
        return;
    EXPECT_EQUAL(write_pages(BASE, 4), 2);
    EXPECT_EQUAL(resident(), 4);
    EXPECT(!space_frame(space, BASE + 4 * PAGE_SIZE));
    end();
}

/* What lies in the next table would need that table. */
KTEST(bare, ahead_ends_where_the_table_ends)
{
    if (!begin("faultahead=5") || !space_map_at(space, BASE, 600, READ_WRITE, MAP_PRIVATE))
        return;
    EXPECT_EQUAL(write_pages(BASE + TABLE - 4 * PAGE_SIZE, 2), 2);
    EXPECT_EQUAL(resident(), 4);
    EXPECT_EQUAL(write_pages(BASE + TABLE, 1), 1);
    EXPECT_EQUAL(resident(), 5 + AHEAD);
    end();
}

KTEST(bare, ahead_ends_at_a_page_that_is_there)
{
    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    EXPECT_EQUAL(write_pages(BASE + 4 * PAGE_SIZE, 1), 1);
    struct frame *there = space_frame(space, BASE + 4 * PAGE_SIZE);
    EXPECT_EQUAL(write_pages(BASE, 2), 2);
    EXPECT_EQUAL(resident(), 5);
    EXPECT(space_frame(space, BASE + 4 * PAGE_SIZE) == there);
    end();
}

KTEST(bare, ahead_of_reads_costs_no_frame)
{
    uint8_t byte;

    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    for (unsigned i = 0; i < 2 + AHEAD; i++)
        EXPECT_EQUAL(user_read(BASE + i * PAGE_SIZE, &byte, 1), 1);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_READ), 2);
    EXPECT_EQUAL(resident(), 0);
    EXPECT_EQUAL(write_pages(BASE + 3 * PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_UPGRADE), 1);
    EXPECT_EQUAL(resident(), 1);
    end();
}

KTEST(bare, ahead_takes_advice)
{
    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    EXPECT_EQUAL(aspace_advise(space, BASE, 32 * PAGE_SIZE, MADV_SEQUENTIAL), 0);
    EXPECT_EQUAL(aspace_advise(space, BASE + 32 * PAGE_SIZE, 32 * PAGE_SIZE, MADV_RANDOM), 0);
    EXPECT_EQUAL(write_pages(BASE + 9 * PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 1 + AHEAD);
    EXPECT_EQUAL(write_pages(BASE + 32 * PAGE_SIZE, 12), 12);
    EXPECT_EQUAL(resident(), 13 + AHEAD);
    end();
}

/* As many as a record of the trace can tell, whatever was asked for. */
KTEST(bare, ahead_has_a_limit)
{
    if (!begin("faultahead=1000") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    write_pages(BASE, 2);
    EXPECT_EQUAL(resident(), 18);
    end();
}

/* Twice the reserve stays free; a page that fails to come is no failure of the one that was touched. */
KTEST(bare, ahead_leaves_what_is_short)
{
    struct frame *list = NULL, *frame;

    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    write_pages(BASE, 1);
    frame_fail_nth(2);
    EXPECT_EQUAL(write_pages(BASE + PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 2);
    while (frame_free_count() > 2 * frame_reserve() + 3 && (frame = frame_alloc(FRAME_KERNEL))) {
        *(struct frame **)frame_address(frame) = list;
        list = frame;
    }
    EXPECT_EQUAL(write_pages(BASE + 2 * PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(resident(), 5);
    EXPECT_EQUAL(frame_free_count(), 2 * frame_reserve());
    EXPECT_EQUAL(write_pages(BASE + 5 * PAGE_SIZE, 3), 3);
    EXPECT_EQUAL(resident(), 8);
    while ((frame = list)) {
        list = *(struct frame **)frame_address(frame);
        frame_put(frame);
    }
    end();
}

/* A child goes on in its own table, of which the parent sees nothing. */
KTEST(bare, ahead_in_a_child)
{
    struct aspace *parent, *child;

    if (!begin("faultahead=5") || !space_map_at(space, BASE, 64, READ_WRITE, MAP_PRIVATE))
        return;
    write_pages(BASE, 1);
    parent = space;
    REQUIRE(aspace_fork(parent, &child) == 0);
    aspace_switch(child);
    EXPECT_EQUAL(write_pages(BASE + PAGE_SIZE, 1), 1);
    EXPECT_EQUAL(space_resident(child, RESIDENT_ANON), 2 + AHEAD);
    EXPECT_EQUAL(space_resident(parent, RESIDENT_ANON), 1);
    aspace_switch(parent);
    aspace_put(child);
    end();
}
