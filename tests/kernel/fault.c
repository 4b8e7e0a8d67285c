// SPDX-License-Identifier: MIT
/*
 * fault.c: tests of the case table at the head of mm/fault.c, one row and column after the other.
 */
#include "mm/fault.h"

#include "kernel/lib/errno.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/zero.h"
#include "tests/kernel/space.h"

KTEST(fault, zero_read_maps_the_zero_page)
{
    if (!lazy.zfod || !lazy.zeropage)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_PRIVATE);
    uint32_t refs = zero_frame()->refs;
    EXPECT_EQUAL(space_read(addr + 17), 0);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_READ), 1);
    EXPECT(space_frame(space, addr) == zero_frame());
    EXPECT_EQUAL(zero_frame()->refs, refs + 1);
    EXPECT(!pte_is_writable(space_entry(space, addr)));
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 0);
    EXPECT_EQUAL(space_read(addr), 0);
    EXPECT_EQUAL(space_all_faults(), 1);
    EXPECT(!space_frame(space, addr + PAGE_SIZE));
    space_leave(space);
    EXPECT_EQUAL(zero_frame()->refs, refs);
}

KTEST(fault, zero_fill_on_first_write)
{
    if (!lazy.zfod)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE + 5, 9), 0);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_FILL), 1);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE + 5), 9);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE + 4), 0);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE + 6), 0);
    EXPECT_EQUAL(space_all_faults(), 1);
    struct frame *frame = space_frame(space, addr + PAGE_SIZE);
    EXPECT(frame && frame->kind == FRAME_ANON && frame->refs == 1);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 1);
    space_leave(space);
}

KTEST(fault, zero_upgrade_copies_nothing)
{
    if (!lazy.zfod || !lazy.zeropage)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    uint32_t refs = zero_frame()->refs;
    EXPECT_EQUAL(space_read(addr), 0);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_UPGRADE), 1);
    EXPECT_EQUAL(space_read(addr), 1);
    EXPECT_EQUAL(space_read(addr + 1), 0);
    EXPECT_EQUAL(space_all_faults(), 2);
    EXPECT_EQUAL(zero_frame()->refs, refs);
    EXPECT_EQUAL(*(uint8_t *)frame_address(zero_frame()), 0);
    space_leave(space);
}

/* A CPU may remember an older entry that allowed less. No emulated one does, so the fault is made by hand. */
KTEST(fault, what_the_entry_allows_is_spurious)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    pte_t entry = space_entry(space, addr);
    uint64_t others = space_all_faults();
    struct fault fault = { .addr = addr, .cause = { ACCESS_WRITE, true, true } };
    EXPECT_EQUAL(mm_fault(&fault), FAULT_SPURIOUS);
    fault.cause.access = ACCESS_READ;
    EXPECT_EQUAL(mm_fault(&fault), FAULT_SPURIOUS);
    EXPECT_EQUAL(space_faults(FAULT_SPURIOUS), 2);
    EXPECT_EQUAL(space_all_faults(), others + 2);
    EXPECT_EQUAL(space_entry(space, addr).bits, entry.bits);
    space_leave(space);
}

KTEST(fault, segv_kinds)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, PROT_READ, MAP_PRIVATE),
            none = space_map(space, 1, PROT_NONE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_SEGV_ACCERR), 1);
    EXPECT_EQUAL(space_read(none), -EFAULT);
    EXPECT_EQUAL(space_write(none, 1), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_SEGV_ACCERR), 3);
    EXPECT_EQUAL(space_read(0x10000), -EFAULT);
    EXPECT_EQUAL(space_read(0), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_SEGV_MAPERR), 2);
    EXPECT_EQUAL(space_read(addr), 0);
    space_leave(space);
}

KTEST(fault, write_only_memory_can_be_read)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 2, PROT_WRITE, MAP_PRIVATE); /* x86 has no such right as writing alone */
    EXPECT_EQUAL(space_read(addr), 0);
    EXPECT_EQUAL(space_write(addr, 5), 0);
    EXPECT_EQUAL(space_read(addr), 5);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 6), 0);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE), 6);
    struct aspace *child;
    REQUIRE(!aspace_fork(space, &child));
    EXPECT_EQUAL(space_read(addr), 5);
    EXPECT_EQUAL(space_write(addr, 7), 0);
    EXPECT_EQUAL(space_read(addr), 7);
    aspace_put(child);
    space_leave(space);
}

KTEST(fault, shared_memory_takes_a_frame_at_once)
{
    if (!lazy.zfod)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 2, READ_WRITE, MAP_SHARED);
    EXPECT_EQUAL(space_read(addr), 0);
    struct frame *frame = space_frame(space, addr);
    EXPECT(frame && frame->kind == FRAME_SHM && frame->refs == 2); /* the entry's and the cache's */
    EXPECT_EQUAL(space_write(addr, 3), 0);
    EXPECT(space_frame(space, addr) == frame);
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 0);
    EXPECT_EQUAL(space_resident(space, RESIDENT_SHM), 1);
    space_leave(space);
}

/* A file of 3 pages and a bit; every page is full of its index plus one. */
static int read_numbers(struct pagecache *cache, uint64_t index, void *page)
{
    (void)cache;
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        ((uint8_t *)page)[i] = index + 1;
    return 0;
}

static const struct pagecache_ops number_ops = { .read_page = read_numbers };

static vaddr_t map_file(struct aspace *space, struct pagecache *cache, uint64_t pages, unsigned prot,
                        unsigned flags)
{
    struct map_request request = {
        .length = pages << PAGE_SHIFT, .prot = prot, .flags = flags, .cache = cache
    };
    int64_t addr = aspace_map(space, &request);
    return EXPECT(addr > 0) ? addr : 0;
}

KTEST(fault, file_pages_are_read_once_and_copied_on_write)
{
    struct pagecache *cache =
        pagecache_create(FRAME_FILE, 3 * PAGE_SIZE + 10, &number_ops, NULL, "numbers", 1);
    struct aspace *space = space_enter();
    REQUIRE(cache && space);
    vaddr_t one = map_file(space, cache, 5, READ_WRITE, MAP_PRIVATE),
            other = map_file(space, cache, 5, PROT_READ, MAP_PRIVATE);
    EXPECT_EQUAL(space_read(one + PAGE_SIZE), 2);
    EXPECT_EQUAL(space_faults(FAULT_FILE_READ), 1);
    EXPECT_EQUAL(space_read(other + PAGE_SIZE), 2);
    EXPECT_EQUAL(space_faults(FAULT_FILE_MAP), 1);
    EXPECT(space_frame(space, one + PAGE_SIZE) == space_frame(space, other + PAGE_SIZE));
    EXPECT_EQUAL(space_resident(space, RESIDENT_FILE), 2);
    EXPECT_EQUAL(space_write(one + PAGE_SIZE, 77), 0);
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 1);
    EXPECT_EQUAL(space_read(one + PAGE_SIZE), 77);
    EXPECT_EQUAL(space_read(one + PAGE_SIZE + 1), 2);
    EXPECT_EQUAL(space_read(other + PAGE_SIZE), 2);
    EXPECT_EQUAL(space_write(one + 2 * PAGE_SIZE, 78), 0); /* untouched before: copied without a stop */
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 2);
    EXPECT_EQUAL(space_read(other + 2 * PAGE_SIZE), 3);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 2);
    space_leave(space);
    EXPECT_EQUAL(cache->refs, 1);
    pagecache_put(cache);
}

KTEST(fault, bus_beyond_the_end_of_a_file)
{
    struct pagecache *cache =
        pagecache_create(FRAME_FILE, 3 * PAGE_SIZE + 10, &number_ops, NULL, "numbers", 1);
    struct aspace *space = space_enter();
    REQUIRE(cache && space);
    vaddr_t addr = map_file(space, cache, 5, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_read(addr + 3 * PAGE_SIZE + 100), 4);
    EXPECT_EQUAL(space_read(addr + 4 * PAGE_SIZE), -EFAULT);
    EXPECT_EQUAL(space_write(addr + 4 * PAGE_SIZE, 1), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_BUS), 2);
    space_leave(space);
    pagecache_put(cache);
}

KTEST(fault, stack_grows_to_its_limit)
{
    const vaddr_t top = 0x7ffffffff000ul - (1ul << 30);
    struct aspace *space = space_enter();
    REQUIRE(space);
    uint64_t committed = commit_total();
    REQUIRE(!aspace_map_stack(space, top, 4 * PAGE_SIZE, 64 * PAGE_SIZE));
    EXPECT_EQUAL(space_write(top - 10 * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_faults(FAULT_STACK_GROW), 1);
    EXPECT_EQUAL(commit_total() - committed, 10);
    EXPECT_EQUAL(space_write(top - 64 * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_faults(FAULT_STACK_GROW), 2);
    EXPECT_EQUAL(space_write(top - 64 * PAGE_SIZE - 1, 1), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_SEGV_MAPERR), 1);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 2);
    EXPECT_EQUAL(commit_total() - committed, 64);
    space_leave(space);
}

/* 256 pages stay free between a stack and what can be accessed below it: no call leaps over them. */
KTEST(fault, stack_keeps_its_distance)
{
    const vaddr_t top = 0x7ffffffff000ul - (1ul << 30), below = top - 301 * PAGE_SIZE;
    struct aspace *space = space_enter();
    REQUIRE(space);
    REQUIRE(!aspace_map_stack(space, top, 4 * PAGE_SIZE, 1024 * PAGE_SIZE));
    REQUIRE(space_map_at(space, below, 1, PROT_READ, MAP_PRIVATE));
    EXPECT_EQUAL(space_write(top - 44 * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_write(top - 45 * PAGE_SIZE, 1), -EFAULT);
    EXPECT_EQUAL(space_faults(FAULT_SEGV_MAPERR), 1);
    REQUIRE(!aspace_protect(space, below, PAGE_SIZE, PROT_NONE));
    EXPECT_EQUAL(space_write(top - 45 * PAGE_SIZE, 1), 0);
    space_leave(space);
}

KTEST(fault, out_of_memory_changes_nothing)
{
    if (!lazy.zfod)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    uint64_t before = frame_free_count();
    for (unsigned n = 1; n <= 4; n++) { /* three tables, then the page */
        frame_fail_nth(n);
        EXPECT_EQUAL(space_write(addr, 1), -EFAULT);
        frame_fail_nth(0);
        EXPECT_EQUAL(frame_free_count(), before);
        EXPECT(!space_frame(space, addr));
        aspace_check(space);
    }
    EXPECT_EQUAL(space_faults(FAULT_OOM), 4);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    space_leave(space);
}

KTEST(fault, minor_and_major)
{
    struct fault_counts counts = { { 0 } };

    for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
        counts.by_kind[kind] = kind == FAULT_FILE_READ ? 1000 : 1;
    EXPECT_EQUAL(fault_major(&counts), 1000);
    EXPECT_EQUAL(fault_minor(&counts), FAULT_RESOLVED_KINDS - 1);
    EXPECT_TEXT(fault_kind_name(FAULT_ZERO_READ), "ZERO_READ");
    EXPECT_TEXT(fault_kind_name(FAULT_OOM), "OOM");
}
