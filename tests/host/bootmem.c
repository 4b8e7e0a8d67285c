// SPDX-License-Identifier: MIT
/*
 * bootmem.c: tests of the list of RAM ranges, and of what becomes frames: each test fills an empty list of
 * its own.
 */
#include "mm/bootmem.h"

#include "kernel/selftest.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "tests/host/machine.h"

static struct {
    paddr_t start, end;
} seen[16];
static unsigned seen_count;

static void see(paddr_t start, paddr_t end)
{
    if (seen_count < ARRAY_SIZE(seen)) {
        seen[seen_count].start = start;
        seen[seen_count].end = end;
    }
    seen_count++;
}

static void expect_seen(unsigned i, paddr_t start, paddr_t end)
{
    EXPECT(i < seen_count && seen[i].start == start && seen[i].end == end);
}

KTEST(bare, bootmem_ranges_join_and_round_inwards)
{
    bootmem_add(0x100000, 0x200000);
    bootmem_add(0x300001, 0x3fffff); /* only whole pages count */
    bootmem_add(0x180000, 0x280000); /* overlaps */
    bootmem_add(0x280000, 0x290000); /* touches */
    bootmem_add(0x500800, 0x500900); /* not a page */
    bootmem_for_each_ram(see);
    EXPECT_EQUAL(seen_count, 2);
    expect_seen(0, 0x100000, 0x290000);
    expect_seen(1, 0x301000, 0x3ff000);
    EXPECT_EQUAL(bootmem_end(), 0x3ff000);
    EXPECT_EQUAL(bootmem_total(), 0x190000 + 0xfe000);
}

KTEST(bare, bootmem_free_is_ram_less_reserved)
{
    bootmem_add(0x100000, 0x200000);
    bootmem_add(0x300000, 0x400000);
    bootmem_reserve(0xff000, 0x100001);  /* over the start: outwards to whole pages */
    bootmem_reserve(0x150800, 0x150900);
    bootmem_reserve(0x1f0000, 0x310000); /* over the hole */
    bootmem_reserve(0x3ff000, 0x500000);
    bootmem_for_each_free(see);
    EXPECT_EQUAL(seen_count, 3);
    expect_seen(0, 0x101000, 0x150000);
    expect_seen(1, 0x151000, 0x1f0000);
    expect_seen(2, 0x310000, 0x3ff000);
}

KTEST(bare, bootmem_alloc)
{
    bootmem_add(0x101000, 0x200000);
    bootmem_add(0x300000, 0x400000);
    bootmem_reserve(0x110000, 0x120000);
    EXPECT_EQUAL(bootmem_alloc(0x1000, 0x1000, UINT64_MAX), 0x101000);
    EXPECT_EQUAL(bootmem_alloc(0x8000, 0x8000, UINT64_MAX), 0x108000);
    EXPECT_EQUAL(bootmem_alloc(0x100000, 0x100000, UINT64_MAX), 0x300000);
    EXPECT_EQUAL(bootmem_alloc(0x10000, 0x1000, 0x150000), 0x120000);
    bootmem_for_each_free(see);
    expect_seen(0, 0x102000, 0x108000);
    expect_seen(1, 0x130000, 0x200000);
    EXPECT_EQUAL(seen_count, 2);
}

KTEST(bare, bootmem_knows_its_limit)
{
    bootmem_add(0x100000, 0x200000);
    bootmem_add(RAM_LIMIT - 0x1000, RAM_LIMIT + 0x10000);
    bootmem_add(RAM_LIMIT + 0x20000, RAM_LIMIT + 0x40000);
    EXPECT_EQUAL(bootmem_end(), RAM_LIMIT);
    EXPECT_EQUAL(bootmem_total(), 0x101000);
}

/* Holes and reserved memory are never handed out, and every other page is. */
KTEST(bare, frames_are_the_free_memory)
{
    uint64_t free_bytes = 0;

    machine_power_on(16ul << 20);
    bootmem_for_each_free(see);
    for (unsigned i = 0; i < seen_count; i++)
        free_bytes += seen[i].end - seen[i].start;
    mm_init();
    uint64_t records = page_up(frame_count * sizeof(struct frame));
    EXPECT_EQUAL(frame_total_count(), (free_bytes - records) >> PAGE_SHIFT);
    EXPECT_EQUAL(frame_count, (16ul << 20) >> PAGE_SHIFT);
    EXPECT_EQUAL(frame_at(0)->kind, FRAME_RESERVED);
    EXPECT_EQUAL(frame_at(0x100)->kind, FRAME_RESERVED);              /* the kernel */
    EXPECT_EQUAL(frame_at((8ul << 20) >> PAGE_SHIFT)->kind, FRAME_RESERVED); /* the hole */
    for (struct frame *frame; (frame = frame_alloc(FRAME_KERNEL));) {
        paddr_t at = frame_pfn(frame) << PAGE_SHIFT;
        bool inside = false;
        for (unsigned i = 0; i < seen_count; i++)
            inside = inside || (at >= seen[i].start && at < seen[i].end);
        if (!EXPECT(inside))
            break;
    }
    EXPECT_EQUAL(frame_free_count(), frame_reserve() / 2); /* the rest is for the dying */
}
