// SPDX-License-Identifier: MIT
/*
 * aspace.c: tests of the calls that change an address space: where mappings go, what they cost, what is
 * refused.
 */
#include "mm/aspace.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/reclaim.h"
#include "tests/kernel/space.h"

#define AT 0x40000000ul

static int64_t map(struct aspace *space, vaddr_t addr, uint64_t length, unsigned flags)
{
    struct map_request request = { .addr = addr, .length = length, .prot = READ_WRITE, .flags = flags };
    return aspace_map(space, &request);
}

static uint64_t total_pages(struct aspace *space)
{
    struct aspace_usage usage;
    aspace_usage(space, &usage);
    return usage.total;
}

KTEST(aspace, what_map_refuses)
{
    const unsigned anonymous = MAP_PRIVATE | MAP_ANONYMOUS, fixed = anonymous | MAP_FIXED;
    const struct {
        vaddr_t addr;
        uint64_t length;
        unsigned flags;
        int64_t wanted;
    } cases[] = {
        { 0, 0, anonymous, -EINVAL },
        { 0, PAGE_SIZE, MAP_ANONYMOUS, -EINVAL },              /* neither shared nor private */
        { AT + 1, PAGE_SIZE, fixed, -EINVAL },
        { 0, UINT64_MAX, anonymous, -ENOMEM },                 /* wraps when rounded up */
        { 0, USER_END + PAGE_SIZE, anonymous, -ENOMEM },
        { USER_END, PAGE_SIZE, fixed, -ENOMEM },
        { USER_END - PAGE_SIZE, 2 * PAGE_SIZE, fixed, -ENOMEM },
        { DIRECT_MAP_START, PAGE_SIZE, fixed, -ENOMEM },
        { 0, PAGE_SIZE, fixed, -EPERM },
        { AT, PAGE_SIZE, fixed | MAP_FIXED_NOREPLACE, -EEXIST },
    };
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 1, PROT_READ, MAP_PRIVATE));
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
        if (!EXPECT_EQUAL(map(space, cases[i].addr, cases[i].length, cases[i].flags), cases[i].wanted))
            ktest_note("case %u", i);
    EXPECT_EQUAL(total_pages(space), 1);
    space_leave(space);
}

KTEST(aspace, mappings_go_downwards_and_join)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t first = space_map(space, 4, READ_WRITE, MAP_PRIVATE),
            second = space_map(space, 2, READ_WRITE, MAP_PRIVATE);
    vaddr_t third = space_map(space, 1, PROT_READ, MAP_PRIVATE);
    EXPECT_EQUAL(first + 4 * PAGE_SIZE, space->mmap_top);
    EXPECT_EQUAL(second + 2 * PAGE_SIZE, first);
    EXPECT_EQUAL(third + PAGE_SIZE, second);
    EXPECT_EQUAL(space->vmas.count, 2);
    EXPECT_EQUAL(total_pages(space), 7);
    EXPECT_EQUAL(aspace_unmap(space, second, 2 * PAGE_SIZE), 0);
    EXPECT_EQUAL(space_map(space, 2, READ_WRITE, MAP_PRIVATE), second); /* the highest gap again */
    space_leave(space);
}

KTEST(aspace, hints)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    EXPECT_EQUAL(map(space, AT + 5, PAGE_SIZE, MAP_PRIVATE | MAP_ANONYMOUS), AT);
    EXPECT(map(space, AT, PAGE_SIZE, MAP_PRIVATE | MAP_ANONYMOUS) != (int64_t)AT); /* taken */
    EXPECT_EQUAL(map(space, AT + PAGE_SIZE, PAGE_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE),
                 AT + PAGE_SIZE);
    space_leave(space);
}

KTEST(aspace, fixed_replaces)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 8, READ_WRITE, MAP_PRIVATE));
    uint64_t committed = commit_total();
    for (unsigned i = 0; i < 8; i++)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, i + 1), 0);
    REQUIRE(space_map_at(space, AT + 2 * PAGE_SIZE, 3, PROT_READ, MAP_PRIVATE));
    EXPECT_EQUAL(space_read(AT + PAGE_SIZE), 2);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), 0);
    EXPECT_EQUAL(space_write(AT + 4 * PAGE_SIZE, 1), -EFAULT);
    EXPECT_EQUAL(space_read(AT + 5 * PAGE_SIZE), 6);
    EXPECT_EQUAL(commit_total(), committed - 3);
    EXPECT_EQUAL(total_pages(space), 8);
    EXPECT_EQUAL(space->vmas.count, 3);
    space_leave(space);
}

KTEST(aspace, unmap_gives_frames_and_tables_back)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    uint64_t before = frame_free_count(), committed = commit_total();
    REQUIRE(space_map_at(space, AT, 1024, READ_WRITE, MAP_PRIVATE));
    for (unsigned i = 0; i < 1024; i += 8)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(aspace_unmap(space, AT, 1024 * PAGE_SIZE), 0);
    EXPECT_EQUAL(frame_free_count(), before);
    EXPECT_EQUAL(commit_total(), committed);
    EXPECT_EQUAL(space_read(AT), -EFAULT);
    EXPECT_EQUAL(aspace_unmap(space, AT, PAGE_SIZE), 0); /* nothing there: no error */
    EXPECT_EQUAL(aspace_unmap(space, AT + 1, PAGE_SIZE), -EINVAL);
    EXPECT_EQUAL(aspace_unmap(space, AT, 0), -EINVAL);
    EXPECT_EQUAL(aspace_unmap(space, USER_END, PAGE_SIZE), -EINVAL);
    EXPECT_EQUAL(aspace_unmap(space, AT, UINT64_MAX), -EINVAL);
    space_leave(space);
}

KTEST(aspace, no_stale_data)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    for (unsigned round = 0; round < 2; round++) {
        REQUIRE(space_map_at(space, AT, 64, READ_WRITE, MAP_PRIVATE));
        for (unsigned i = 0; i < 64; i++) {
            EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE + 100, 0x77), 0);
            EXPECT_EQUAL(space_read(AT + i * PAGE_SIZE + 99), 0);
            EXPECT_EQUAL(space_read(AT + i * PAGE_SIZE + 101), 0);
        }
        EXPECT_EQUAL(aspace_unmap(space, AT, 64 * PAGE_SIZE), 0);
    }
    space_leave(space);
}

KTEST(aspace, protect)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 6, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(space_write(AT + 2 * PAGE_SIZE, 5), 0);
    EXPECT_EQUAL(aspace_protect(space, AT + PAGE_SIZE, 3 * PAGE_SIZE, PROT_READ), 0);
    EXPECT_EQUAL(space->vmas.count, 3);
    EXPECT_EQUAL(space_write(AT + 2 * PAGE_SIZE, 6), -EFAULT);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), 5);
    EXPECT_EQUAL(space_write(AT, 6), 0);
    EXPECT_EQUAL(aspace_protect(space, AT, 6 * PAGE_SIZE, PROT_NONE), 0);
    EXPECT_EQUAL(space->vmas.count, 1);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), -EFAULT);
    EXPECT(space_frame(space, AT + 2 * PAGE_SIZE)); /* the page waits */
    EXPECT_EQUAL(aspace_protect(space, AT, 6 * PAGE_SIZE, READ_WRITE), 0);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), 5);
    EXPECT_EQUAL(space_write(AT + 2 * PAGE_SIZE, 7), 0);
    EXPECT_EQUAL(aspace_protect(space, AT + 1, PAGE_SIZE, PROT_READ), -EINVAL);
    EXPECT_EQUAL(aspace_protect(space, AT, 7 * PAGE_SIZE, PROT_READ), -ENOMEM); /* a hole at the end, */
    EXPECT_EQUAL(space_write(AT, 1), -EFAULT);                                 /* but the rest is done */
    space_leave(space);
}

KTEST(aspace, protect_charges_what_becomes_writable)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 10, PROT_READ, MAP_PRIVATE));
    uint64_t committed = commit_total();
    EXPECT_EQUAL(aspace_protect(space, AT, 4 * PAGE_SIZE, READ_WRITE), 0);
    EXPECT_EQUAL(commit_total(), committed + 4);
    EXPECT_EQUAL(aspace_protect(space, AT, 4 * PAGE_SIZE, PROT_READ), 0);
    EXPECT_EQUAL(commit_total(), committed + 4); /* once charged, always charged: it may hold private pages */
    EXPECT_EQUAL(aspace_protect(space, AT, 10 * PAGE_SIZE, READ_WRITE), 0);
    EXPECT_EQUAL(commit_total(), committed + 10);
    space_leave(space);
    EXPECT_EQUAL(commit_total(), committed);
}

static int64_t map_over(struct aspace *space, uint64_t pages)
{
    struct map_request request = { .addr = AT, .length = pages * PAGE_SIZE, .prot = READ_WRITE,
                                   .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED };
    return aspace_map(space, &request);
}

/* RLIMIT_AS: what MAP_FIXED replaces counts for what comes. */
KTEST(aspace, a_limit_on_what_takes_the_place_of_something)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 8, READ_WRITE, MAP_PRIVATE));
    space->size_limit = 10 * PAGE_SIZE;
    EXPECT_EQUAL(map_over(space, 8), AT);
    EXPECT_EQUAL(map_over(space, 10), AT);
    EXPECT_EQUAL(space_write(AT, 1), 0);
    EXPECT_EQUAL(map_over(space, 11), -ENOMEM);
    EXPECT_EQUAL(space_read(AT), 1);
    space_leave(space);
}

/* Mode 2: the charge of what MAP_FIXED replaces is there for what comes; if that is not enough, it is gone. */
KTEST(aspace, a_charge_for_what_takes_the_place_of_something)
{
    struct commit_policy before = commit_policy;
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 64, READ_WRITE, MAP_PRIVATE));
    commit_policy.overcommit_memory = COMMIT_NEVER;
    commit_policy.user_reserve_kbytes = 0;
    commit_policy.overcommit_kbytes = (commit_total() + 8) * (PAGE_SIZE >> 10);
    EXPECT_EQUAL(map_over(space, 64), AT);
    EXPECT_EQUAL(map_over(space, 68), AT);
    EXPECT_EQUAL(map_over(space, 80), -ENOMEM);
    EXPECT_EQUAL(space->vmas.pages, 0);
    commit_policy = before;
    space_leave(space);
}

/* A private mapping that becomes writable is charged; if it cannot be cut at the edges of the range, that goes back. */
KTEST(aspace, a_charge_for_rights_that_are_not_had)
{
    unsigned long most = vm_max_map_count;
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 10, PROT_READ, MAP_PRIVATE));
    uint64_t promised = commit_total();

    vm_max_map_count = space->vmas.count;
    EXPECT_EQUAL(aspace_protect(space, AT + 3 * PAGE_SIZE, 3 * PAGE_SIZE, READ_WRITE), -ENOMEM);
    EXPECT_EQUAL(commit_total(), promised);
    vm_max_map_count = most;
    EXPECT_EQUAL(aspace_protect(space, AT + 3 * PAGE_SIZE, 3 * PAGE_SIZE, READ_WRITE), 0);
    EXPECT_EQUAL(commit_total(), promised + 3);
    space_leave(space);
}

/* MADV_REMOVE: whoever else maps the object finds zeroes there as well, and nobody loses what lies beside. */
KTEST(aspace, a_hole_is_everybodys)
{
    struct aspace *space = space_enter(), *others[2];
    REQUIRE(space && space_map_at(space, AT, 4, READ_WRITE, MAP_SHARED));
    for (unsigned i = 0; i < 4; i++)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, 7), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        REQUIRE(!aspace_fork(space, &others[i]));
        aspace_switch(others[i]);
        EXPECT_EQUAL(space_write(AT + 3 * PAGE_SIZE, 7), 0); /* has tables of its own now */
        EXPECT_EQUAL(space_read(AT + PAGE_SIZE), 7);
    }
    EXPECT_EQUAL(aspace_advise(others[0], AT + PAGE_SIZE, 2 * PAGE_SIZE, MADV_REMOVE), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        aspace_switch(others[i]);
        EXPECT(space_read(AT) == 7 && space_read(AT + PAGE_SIZE) == 0 && space_read(AT + 3 * PAGE_SIZE) == 7);
    }
    aspace_switch(space);
    EXPECT(space_read(AT) == 7 && space_read(AT + 2 * PAGE_SIZE) == 0);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        aspace_put(others[i]);
    space_leave(space);
}

/* MREMAP_DONTUNMAP: the pages go, the mapping stays and is charged again. */
KTEST(aspace, remap_that_leaves_the_mapping)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    EXPECT(space_map_at(space, AT, 4, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(space_write(AT + PAGE_SIZE, 7), 0);
    uint64_t committed = commit_total();
    int64_t moved = aspace_remap(space, AT, 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    EXPECT(moved > 0 && (vaddr_t)moved != AT);
    EXPECT_EQUAL(commit_total(), committed + 4);
    EXPECT_EQUAL(space_read((vaddr_t)moved + PAGE_SIZE), 7);
    EXPECT_EQUAL(space_read(AT + PAGE_SIZE), 0);
    EXPECT_EQUAL(aspace_remap(space, AT, 0, 4 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -EINVAL);
    aspace_check(space);
    space_leave(space);
}

/* Old length 0: shared memory is mapped once more, as long as one likes. */
KTEST(aspace, remap_to_a_second_view)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    EXPECT(space_map_at(space, AT, 4, READ_WRITE, MAP_SHARED));
    EXPECT_EQUAL(space_write(AT + PAGE_SIZE, 7), 0);
    int64_t view = aspace_remap(space, AT + PAGE_SIZE, 0, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
    REQUIRE(view > 0);
    EXPECT_EQUAL(space_read((vaddr_t)view), 7);
    EXPECT_EQUAL(space_write((vaddr_t)view + PAGE_SIZE, 8), 0);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), 8);
    EXPECT_EQUAL(space_read(AT + PAGE_SIZE), 7);
    aspace_check(space);
    space_leave(space);
}

KTEST(aspace, remap)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 4, READ_WRITE, MAP_PRIVATE));
    for (unsigned i = 0; i < 4; i++)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, i + 1), 0);
    struct frame *frame = space_frame(space, AT);
    uint64_t committed = commit_total();
    EXPECT_EQUAL(aspace_remap(space, AT, 4 * PAGE_SIZE, 6 * PAGE_SIZE, 0, 0), AT); /* in place */
    EXPECT_EQUAL(commit_total(), committed + 2);
    EXPECT_EQUAL(aspace_remap(space, AT, 6 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), AT);
    EXPECT_EQUAL(space_read(AT + 2 * PAGE_SIZE), -EFAULT);
    REQUIRE(space_map_at(space, AT + 2 * PAGE_SIZE, 1, PROT_READ, MAP_PRIVATE)); /* in the way */
    EXPECT_EQUAL(aspace_remap(space, AT, 2 * PAGE_SIZE, 9 * PAGE_SIZE, 0, 0), -ENOMEM);
    int64_t moved = aspace_remap(space, AT, 2 * PAGE_SIZE, 9 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
    REQUIRE(moved > 0 && moved != (int64_t)AT);
    EXPECT_EQUAL(space_read(AT), -EFAULT);
    EXPECT(space_read(moved) == 1 && space_read(moved + PAGE_SIZE) == 2 &&
           space_read(moved + 8 * PAGE_SIZE) == 0);
    EXPECT(space_frame(space, moved) == frame);
    EXPECT_EQUAL(aspace_remap(space, moved, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, AT), AT);
    EXPECT(space_read(AT) == 1 && space_frame(space, AT) == frame);
    EXPECT_EQUAL(aspace_remap(space, AT + 1, PAGE_SIZE, PAGE_SIZE, 0, 0), -EINVAL);
    EXPECT_EQUAL(aspace_remap(space, AT, PAGE_SIZE, 0, 0, 0), -EINVAL);
    EXPECT_EQUAL(aspace_remap(space, 0x1000, PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), -EFAULT);
    space_leave(space);
}

KTEST(aspace, remap_keeps_sharing_after_fork)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent && space_map_at(parent, AT, 2, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(space_write(AT, 1), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(
        aspace_remap(parent, AT, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, 2 * AT),
        2 * AT);
    EXPECT_EQUAL(space_write(2 * AT, 2), 0);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(AT), 1);
    EXPECT_EQUAL(space_read(2 * AT), -EFAULT);
    aspace_switch(parent);
    EXPECT_EQUAL(space_read(2 * AT), 2);
    aspace_put(child);
    space_leave(parent);
}

KTEST(aspace, brk)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    uint64_t committed = commit_total(), free_frames = frame_free_count();
    aspace_set_brk(space, AT + 100);
    EXPECT_EQUAL(aspace_brk(space, 0), AT + 100);
    EXPECT_EQUAL(aspace_brk(space, AT + 5 * PAGE_SIZE + 1), AT + 5 * PAGE_SIZE + 1);
    EXPECT_EQUAL(commit_total() - committed, 5); /* the page of the start is the program's own */
    EXPECT_EQUAL(space_write(AT + PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_write(AT + 6 * PAGE_SIZE - 1, 2), 0);
    EXPECT_EQUAL(space_write(AT + 6 * PAGE_SIZE, 1), -EFAULT);
    EXPECT_EQUAL(aspace_brk(space, AT + 99), AT + 5 * PAGE_SIZE + 1); /* below its start: refused */
    EXPECT_EQUAL(aspace_brk(space, AT + 100), AT + 100);
    EXPECT_EQUAL(commit_total(), committed);
    EXPECT_EQUAL(frame_free_count(), free_frames);
    REQUIRE(space_map_at(space, AT + 4 * PAGE_SIZE, 1, PROT_READ, MAP_PRIVATE));
    EXPECT_EQUAL(aspace_brk(space, AT + 8 * PAGE_SIZE), AT + 100); /* into another mapping: refused */
    space_leave(space);
}

KTEST(aspace, dontneed_drops_to_zeroes)
{
    struct aspace *space = space_enter();
    REQUIRE(space && space_map_at(space, AT, 8, READ_WRITE, MAP_PRIVATE));
    vaddr_t shared = space_map(space, 1, READ_WRITE, MAP_SHARED);
    EXPECT_EQUAL(space_write(shared, 9), 0);
    for (unsigned i = 0; i < 8; i++)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, i + 1), 0);
    EXPECT_EQUAL(aspace_advise(space, AT + PAGE_SIZE, 6 * PAGE_SIZE, MADV_DONTNEED), 0);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 2);
    EXPECT(space_read(AT) == 1 && space_read(AT + PAGE_SIZE) == 0 && space_read(AT + 7 * PAGE_SIZE) == 8);
    EXPECT_EQUAL(aspace_advise(space, shared, PAGE_SIZE, MADV_DONTNEED), 0);
    EXPECT_EQUAL(space_read(shared), 9); /* the object keeps it */
    EXPECT_EQUAL(aspace_advise(space, AT, PAGE_SIZE, MADV_WILLNEED), 0);
    EXPECT_EQUAL(aspace_advise(space, AT, PAGE_SIZE, 9999), -EINVAL);
    EXPECT_EQUAL(aspace_advise(space, AT + 8 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
    space_leave(space);
}

KTEST(aspace, from_outside)
{
    struct aspace *space = space_enter();
    char text[8] = "promise", back[8] = "";
    REQUIRE(space && space_map_at(space, AT, 3, READ_WRITE, MAP_PRIVATE));
    aspace_switch(NULL);
    EXPECT_EQUAL(aspace_write(space, AT + PAGE_SIZE - 4, text, sizeof(text)), 0);
    EXPECT_EQUAL(aspace_read(space, AT + PAGE_SIZE - 4, back, sizeof(back)), 0);
    EXPECT_TEXT(back, "promise");
    EXPECT_EQUAL(aspace_write(space, AT + 3 * PAGE_SIZE - 4, text, sizeof(text)), -EFAULT);
    EXPECT_EQUAL(aspace_read(space, DIRECT_MAP_START, back, 1), -EFAULT);
    EXPECT_EQUAL(aspace_read(space, UINT64_MAX, back, 8), -EFAULT);
    aspace_switch(space);
    EXPECT_EQUAL(space_read(AT + PAGE_SIZE - 3), 'r');
    space_leave(space);
}

KTEST(aspace, populate)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 16, READ_WRITE, MAP_PRIVATE | MAP_POPULATE);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 16);
    uint64_t faults = space_all_faults();
    for (unsigned i = 0; i < 16; i++)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_all_faults(), faults);
    space_leave(space);
}

KTEST(aspace, usage)
{
    struct aspace *space = space_enter();
    struct aspace_usage usage;
    REQUIRE(space && space_map_at(space, AT, 600, READ_WRITE, MAP_PRIVATE));
    for (unsigned i = 0; i < 10; i++)
        EXPECT_EQUAL(space_write(AT + i * PAGE_SIZE, 1), 0);
    aspace_usage(space, &usage);
    EXPECT_EQUAL(usage.total, 600);
    EXPECT_EQUAL(usage.data, 600);
    EXPECT_EQUAL(usage.resident[RESIDENT_ANON], lazy.zfod ? 10 : 600);
    EXPECT_EQUAL(usage.tables, lazy.zfod ? 4 : 5);
    EXPECT_EQUAL(aspace_unmap(space, AT, 600 * PAGE_SIZE), 0);
    aspace_usage(space, &usage);
    EXPECT_EQUAL(usage.total, 0);
    EXPECT_EQUAL(usage.peak_total, 600);
    EXPECT_EQUAL(usage.peak_resident, lazy.zfod ? 10 : 600);
    EXPECT_EQUAL(usage.tables, 1);
    space_leave(space);
}

KTEST(aspace, more_than_ram_is_refused_but_only_at_once)
{
    if (!lazy.zfod)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    REQUIRE(space);
    uint64_t all = frame_total_count() << PAGE_SHIFT, committed = commit_total();
    EXPECT_EQUAL(map(space, 0, all + PAGE_SIZE, MAP_PRIVATE | MAP_ANONYMOUS), -ENOMEM);
    EXPECT_EQUAL(commit_total(), committed);
    for (unsigned i = 0; i < 3; i++)
        EXPECT(map(space, 0, all, MAP_PRIVATE | MAP_ANONYMOUS) > 0);
    EXPECT(map(space, 0, 1ul << 40, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE) > 0);
    EXPECT_EQUAL(commit_total() - committed, 3 * (all >> PAGE_SHIFT));
    space_leave(space);
}

/* What was given up may be taken, unless it was written since: by the CPU, or by the kernel on its owner's behalf. */
KTEST(aspace, given_up_and_written_again)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 3, READ_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < 3; i++)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(aspace_advise(space, addr, 3 * PAGE_SIZE, MADV_FREE), 0);
    EXPECT_EQUAL(space_write(addr, 2), 0);
    EXPECT_EQUAL(aspace_write(space, addr + PAGE_SIZE, "\3", 1), 0);
    EXPECT_EQUAL(reclaim_lazy_free(), 1);
    EXPECT_EQUAL(space_read(addr), 2);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE), 3);
    EXPECT_EQUAL(space_read(addr + 2 * PAGE_SIZE), 0);
    space_leave(space);
}
