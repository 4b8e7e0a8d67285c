// SPDX-License-Identifier: MIT
/*
 * flush.c: tests that the CPU is told. When a user program faults, the CPU forgets the faulting page by itself,
 * and hides a flush that is missing. So here it is made to remember first, and then the kernel does the work unseen,
 * by aspace_write(): through the direct map, without a fault.
 */
#include "kernel/lib/errno.h"
#include "kernel/selftest.h"
#include "tests/kernel/space.h"

/* Write a byte as the kernel does for its own ends. */
static void write_unseen(struct aspace *space, vaddr_t addr, uint8_t value)
{
    EXPECT_EQUAL(aspace_write(space, addr, &value, 1), 0);
}

KTEST(flush, a_copy_made_by_the_kernel_is_seen)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 2, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 1), 0); /* now the tables are the parent's own */
    EXPECT_EQUAL(space_read(addr), 1);
    write_unseen(parent, addr, 2);
    EXPECT_EQUAL(space_read(addr), 2);
    aspace_switch(child);
    EXPECT_EQUAL(space_read(addr), 1);
    aspace_switch(parent);
    aspace_put(child);
    space_leave(parent);
}

KTEST(flush, an_upgrade_made_by_the_kernel_is_seen)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_read(addr), 0);
    write_unseen(space, addr, 2);
    EXPECT_EQUAL(space_read(addr), 2);
    space_leave(space);
}

/*
 * The CPU also remembers where the way leads: to a leaf table that the child shares. The parent gets its own; when
 * the child has gone, the old one is no table any more. (QEMU remembers pages only: this is for the host ring, and
 * for CPUs.)
 */
KTEST(flush, a_table_that_was_copied_is_walked)
{
    struct aspace *parent = space_enter(), *child;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 3, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    EXPECT_EQUAL(space_write(addr + PAGE_SIZE, 2), 0);
    REQUIRE(!aspace_fork(parent, &child));
    EXPECT_EQUAL(space_read(addr), 1);
    write_unseen(parent, addr + 2 * PAGE_SIZE, 3); /* none was there: needs no flush of its own */
    aspace_put(child);
    EXPECT_EQUAL(space_read(addr + PAGE_SIZE), 2);
    EXPECT_EQUAL(space_read(addr + 2 * PAGE_SIZE), 3);
    space_leave(parent);
}

KTEST(flush, a_page_that_moved_is_not_at_its_old_place)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    vaddr_t addr = space_map(space, 3, READ_WRITE, MAP_PRIVATE);
    vaddr_t middle = addr + PAGE_SIZE, elsewhere = 40ul << 30;
    for (unsigned i = 0; i < 3; i++)
        EXPECT_EQUAL(space_write(addr + i * PAGE_SIZE, i + 1), 0);
    EXPECT_EQUAL(aspace_remap(space, middle, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere),
                 elsewhere);
    EXPECT_EQUAL(space_read(middle), -EFAULT);
    EXPECT_EQUAL(space_read(elsewhere), 2);
    EXPECT_EQUAL(space_read(addr + 2 * PAGE_SIZE), 3);
    space_leave(space);
}
