// SPDX-License-Identifier: MIT
/*
 * cow.c: tests of fork and copy-on-write, with the reference counts as they must be step by step.
 */
#include "kernel/lib/errno.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/reclaim.h"
#include "mm/zero.h"
#include "tests/kernel/space.h"

/* All that is laid down here about who pays when holds only while nothing is paid in advance. */
static bool is_lazy(void) { return lazy.zfod && lazy.zeropage && lazy.cow && lazy.sharedtables; }

KTEST(cow, fork_copies_no_page_and_no_leaf_table)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 64, READ_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < 64; i++)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, i + 1), 0);
    struct frame *frame = space_frame(parent, addr);
    REQUIRE(frame);
    uint64_t before = frame_free_count(), copies = pagetable_copies;
    REQUIRE(!aspace_fork(parent, &child));
    if (is_lazy()) {
        EXPECT(before - frame_free_count() <= 3); /* the root, and slabs for the records */
        EXPECT_EQUAL(pagetable_copies, copies);
        EXPECT_EQUAL(frame->refs, 1); /* the one leaf table that holds it is shared as a whole */
        EXPECT(space_frame(child, addr) == frame);
    }
    EXPECT_EQUAL(space_resident(child, RESIDENT_ANON), 64);
    EXPECT_EQUAL(space_resident(parent, RESIDENT_ANON), 64);
    aspace_switch(child);
    for (unsigned i = 0; i < 64; i++)
        EXPECT_EQUAL(space_read(addr + i * PAGE_SIZE), i + 1);
    aspace_switch(parent);
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, child_copies_parent_reuses)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 2, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    EXPECT_EQUAL(space_write(addr + 100, 100), 0);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 2), 0);
    struct frame *frame = space_frame(parent, addr);
    REQUIRE(frame && !aspace_fork(parent, &child));

    aspace_switch(child);
    EXPECT_EQUAL(space_write(addr, 10), 0);
    EXPECT(space_read(addr) == 10 && space_read(addr + 100) == 100 && space_read(addr + 101) == 0);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE), 2);
    if (is_lazy()) {
        EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 1);
        EXPECT(space_frame(child, addr) != frame);
        EXPECT_EQUAL(space_frame(child, addr)->refs, 1);
        EXPECT_EQUAL(frame->refs, 1); /* the child's new leaf table let go of it */
        EXPECT_EQUAL(space_frame(child, addr + PAGE_SIZE)->refs, 2); /* the neighbour is in both tables */
    }
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 1);
    EXPECT_EQUAL(space_write(addr, 20), 0);
    EXPECT(space_frame(parent, addr) == frame);
    if (is_lazy())
        EXPECT_EQUAL(space_faults(FAULT_COW_REUSE), 1);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(addr), 10);
    aspace_switch(parent);
    aspace_put(child);
    EXPECT_EQUAL(space_frame(parent, addr + PAGE_SIZE)->refs, 1);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 21), 0);
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), is_lazy() ? 1 : space_faults(FAULT_COW_COPY));
    space_leave(parent);
}

/* A leaf table without an empty entry, all private or with one page of shared memory in it. */
static void full_table_is_copied(bool with_shared)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = 64 * pte_span(2), shared = addr + 300 * PAGE_SIZE;
    REQUIRE(space_map_at(parent, addr, PTE_ENTRIES, READ_WRITE, MAP_PRIVATE));
    REQUIRE(!with_shared || space_map_at(parent, shared, 1, READ_WRITE, MAP_SHARED));
    for (unsigned i = 0; i < PTE_ENTRIES; i++)
        REQUIRE(!space_write(addr + i * PAGE_SIZE, i % 251));
    REQUIRE(!aspace_fork(parent, &child));
    aspace_switch(child);
    EXPECT_EQUAL(space_write(addr + 511 * PAGE_SIZE, 252), 0);
    EXPECT_EQUAL(space_write(shared, 253), 0);
    for (unsigned i = 0; i < PTE_ENTRIES - 1; i++)
        if (addr + i * PAGE_SIZE != shared)
            EXPECT_EQUAL(space_read(addr + i * PAGE_SIZE), i % 251);
    EXPECT_EQUAL(space_resident(child, RESIDENT_ANON), PTE_ENTRIES - with_shared);
    if (is_lazy())
        EXPECT(!pte_is_writable(space_entry(child, addr)));
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr + 511 * PAGE_SIZE), 511 % 251);
    EXPECT_EQUAL(space_read(shared), with_shared ? 253 : 300 % 251);
    EXPECT_EQUAL(space_write(addr, 254), 0);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(addr), 0);
    aspace_switch(parent);
    aspace_check(parent);
    aspace_check(child);
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, full_table_is_copied_whole) { full_table_is_copied(false); }
KTEST(cow, full_table_keeps_what_is_shared) { full_table_is_copied(true); }

KTEST(cow, parent_writes_first)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(space_write(addr, 2), 0); /* a forgotten flush in fork would let this through to the child */
    EXPECT_EQUAL(space_read(addr), 2);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(addr), 1);
    EXPECT_EQUAL(space_write(addr, 3), 0);
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 2);
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, three_generations)
{
    struct aspace *first = space_enter(), *second, *third;
    REQUIRE(first);
    vaddr_t addr = space_map(first, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(first, &second));
    aspace_switch(second);
    REQUIRE(!aspace_fork(second, &third));
    EXPECT_EQUAL(space_write(addr, 2), 0);
    aspace_switch(third);
    EXPECT_EQUAL(space_write(addr, 3), 0);
    aspace_switch(first);
    EXPECT_EQUAL(space_read(addr), 1);
    aspace_put(second);
    EXPECT_EQUAL(space_write(addr, 4), 0);
    aspace_switch(third);
    EXPECT_EQUAL(space_read(addr), 3);
    aspace_put(first);
    EXPECT_EQUAL(space_read(addr), 3);
    space_leave(third);
}

KTEST(cow, shared_mapping_is_not_copied)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 3, READ_WRITE, MAP_SHARED);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(space_write(addr, 2), 0);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(addr), 2);
    EXPECT_EQUAL(space_write(addr, 3), 0);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 4), 0); /* touched by no one before fork */
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 3);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE), 4);
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 0);
    EXPECT(space_frame(parent, addr) == space_frame(child, addr));
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, zero_page_after_fork_is_filled_not_copied)
{
    if (!is_lazy())
        SKIP("laziness is switched off");
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 2, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_read(addr), 0);
    REQUIRE(!aspace_fork(parent, &child));
    aspace_switch(child);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 2), 0);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_UPGRADE), 1);
    EXPECT_EQUAL(space_faults(FAULT_ZERO_FILL), 1);
    EXPECT_EQUAL(space_faults(FAULT_COW_COPY), 0);
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 0);
    EXPECT(!space_frame(parent, addr + PAGE_SIZE));
    aspace_put(child);
    EXPECT_EQUAL(space_write(addr, 3), 0); /* alone with the zero page, and still not its last owner */
    EXPECT_EQUAL(space_faults(FAULT_ZERO_UPGRADE), 2);
    EXPECT_EQUAL(*(uint8_t *)frame_address(zero_frame()), 0);
    space_leave(parent);
}

KTEST(cow, unmap_in_the_child_leaves_the_parent)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = 40ul << 30;
    REQUIRE(space_map_at(parent, addr, 1100, READ_WRITE, MAP_PRIVATE)); /* three leaf tables */
    for (unsigned i = 0; i < 1100; i += 50)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, 1 + i % 200), 0);
    REQUIRE(!aspace_fork(parent, &child));
    aspace_switch(child);
    EXPECT_EQUAL(aspace_unmap(child, addr + 100 * PAGE_SIZE, 900 * PAGE_SIZE), 0);
    EXPECT_EQUAL(space_read(addr + 50 * PAGE_SIZE), 51);
    EXPECT_EQUAL(space_read(addr + 100 * PAGE_SIZE), -EFAULT);
    EXPECT_EQUAL(space_read(addr + 1050 * PAGE_SIZE), 1 + 1050 % 200);
    aspace_check(child);
    aspace_switch(parent);
    for (unsigned i = 0; i < 1100; i += 50)
        EXPECT_EQUAL(space_read(addr + i * PAGE_SIZE), 1 + i % 200);
    EXPECT_EQUAL(space_resident(parent, RESIDENT_ANON), lazy.zfod ? 22 : 1100);
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, protect_in_the_child_leaves_the_parent)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 4, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(parent, &child));
    aspace_switch(child);
    EXPECT_EQUAL(aspace_protect(child, addr, 4 * PAGE_SIZE, PROT_NONE), 0);
    EXPECT_EQUAL(space_read(addr), -EFAULT);
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 1);
    EXPECT_EQUAL(space_write(addr, 2), 0);
    aspace_switch(child);
    EXPECT_EQUAL(aspace_protect(child, addr, 4 * PAGE_SIZE, READ_WRITE), 0);
    EXPECT_EQUAL(space_read(addr), 1);
    EXPECT_EQUAL(space_write(addr, 3), 0);
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(addr), 2);
    aspace_put(child);
    space_leave(parent);
}

KTEST(cow, fork_charges_the_child)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    uint64_t before = commit_total();
    EXPECT(space_map(parent, 100, READ_WRITE, MAP_PRIVATE));
    EXPECT(space_map(parent, 50, PROT_READ, MAP_PRIVATE));
    EXPECT(space_map(parent, 25, READ_WRITE, MAP_PRIVATE | MAP_NORESERVE));
    EXPECT_EQUAL(commit_total() - before, 100);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(commit_total() - before, 200);
    aspace_put(child);
    EXPECT_EQUAL(commit_total() - before, 100);
    space_leave(parent);
}

KTEST(cow, fork_cost_does_not_grow)
{
    if (!is_lazy())
        SKIP("laziness is switched off");
    struct aspace *parent = space_enter(), *child;
    uint64_t cost[2];
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 1024, READ_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned page = 0; page < (i ? 1024u : 1u); page++)
            EXPECT_EQUAL(space_write(addr + page * PAGE_SIZE, 1), 0);
        uint64_t before = frame_free_count();
        REQUIRE(!aspace_fork(parent, &child));
        cost[i] = before - frame_free_count();
        aspace_put(child);
    }
    EXPECT_EQUAL(cost[0], cost[1]);
    space_leave(parent);
}

static uint64_t peak_resident(struct aspace *space)
{
    struct aspace_usage usage;

    aspace_usage(space, &usage);
    return usage.peak_resident;
}

/* VmHWM of a child is no more than it has ever had: what madvise(2) keeps from it does not count. */
KTEST(cow, peak_of_a_child_that_does_not_get_all)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 40, READ_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < 40; i++)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(aspace_advise(parent, addr, 10 * PAGE_SIZE, MADV_DONTFORK), 0);
    EXPECT_EQUAL(aspace_advise(parent, addr + 20 * PAGE_SIZE, 10 * PAGE_SIZE, MADV_WIPEONFORK), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(space_resident(child, RESIDENT_ANON), 20);
    EXPECT_EQUAL(peak_resident(child), 20);
    EXPECT_EQUAL(peak_resident(parent), 40);
    aspace_put(child);
    space_leave(parent);
}

/* What goes from a table that is shared goes from all who share it, and none of them forgets to have had it. */
KTEST(cow, peak_of_who_loses_pages_with_others)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t shared = space_map(parent, 10, READ_WRITE, MAP_SHARED), own = space_map(parent, 10, READ_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < 10; i++) {
        EXPECT_EQUAL(space_write(shared + i * PAGE_SIZE, 1), 0);
        EXPECT_EQUAL(space_write(own + i * PAGE_SIZE, 1), 0);
    }
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(aspace_advise(parent, shared, 10 * PAGE_SIZE, MADV_REMOVE), 0);
    EXPECT_EQUAL(space_resident(child, RESIDENT_SHM), 0);
    EXPECT_EQUAL(peak_resident(child), 20);
    EXPECT_EQUAL(peak_resident(parent), 20);
    aspace_put(child);

    for (unsigned i = 0; i < 10; i++)
        EXPECT_EQUAL(space_write(shared + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(aspace_advise(parent, own, 10 * PAGE_SIZE, MADV_FREE), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT(reclaim_lazy_free() > 0 || !lazy.cow); /* copies have been written */
    EXPECT_EQUAL(space_resident(child, RESIDENT_ANON), lazy.cow ? 0 : 10);
    EXPECT_EQUAL(peak_resident(child), 20);
    aspace_put(child);
    space_leave(parent);
}
