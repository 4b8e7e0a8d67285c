// SPDX-License-Identifier: MIT
/*
 * near.c: tests of addresses in words, one for each sentence.
 */
#include "mm/near.h"

#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "tests/kernel/space.h"

/* Is this what is said of an access? */
static void says(struct aspace *space, vaddr_t addr, enum fault_access access, const char *wanted)
{
    char text[NEAR_TEXT_SIZE];

    if (space)
        mutex_lock(&space->lock);
    near_describe(text, sizeof(text), space, addr, access);
    if (space)
        mutex_unlock(&space->lock);
    EXPECT_TEXT(text, wanted);
}

KTEST(near, addresses_outside_of_user_space)
{
    says(NULL, 16, ACCESS_READ, "read at NULL pointer + 16");
    says(NULL, -8ul, ACCESS_READ, "read at NULL pointer - 8");
    says(NULL, DIRECT_MAP_START + 5, ACCESS_WRITE, "write at a kernel address");
    says(NULL, USER_END, ACCESS_EXEC, "jump beyond the last user address");
    says(NULL, 0x500000, ACCESS_READ, "read at a user address, with no process to own it");
}

KTEST(near, inside_a_promise_that_does_not_allow_it)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    REQUIRE(space_map_at(space, 0x500000, 1, PROT_READ, MAP_PRIVATE));
    REQUIRE(space_map_at(space, 0x502000, 1, PROT_NONE, MAP_PRIVATE));
    REQUIRE(space_map_at(space, 0x504000, 1, READ_WRITE, MAP_SHARED));
    says(space, 0x500010, ACCESS_WRITE, "write to an anonymous mapping, not writable");
    says(space, 0x500010, ACCESS_EXEC, "jump into an anonymous mapping, not executable");
    says(space, 0x502000, ACCESS_READ, "read in an anonymous mapping, which allows nothing (PROT_NONE)");
    says(space, 0x504000, ACCESS_EXEC, "jump into shared memory, not executable");
    says(space, 24, ACCESS_READ, "read at NULL pointer + 24");
    space_leave(space);
}

KTEST(near, the_heap_and_what_it_gave_back)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    aspace_set_brk(space, 0x500000);
    says(space, 0x500000, ACCESS_READ, "read far from all that is mapped");
    REQUIRE(aspace_brk(space, 0x504000) == 0x504000);
    says(space, 0x504004, ACCESS_READ, "read 4 bytes behind the end of the heap");
    says(space, 0x4ffff8, ACCESS_READ, "read 8 bytes before the start of the heap");
    says(space, 0x503000, ACCESS_EXEC, "jump into the heap, not executable");
    REQUIRE(aspace_brk(space, 0x503000) == 0x503000 && aspace_brk(space, 0x501800) == 0x501800);
    says(space, 0x503004, ACCESS_WRITE, "write in heap that was given back, 6148 bytes above its end");
    says(space, 0x504004, ACCESS_WRITE, "write 8196 bytes behind the end of the heap");
    space_leave(space);
}

KTEST(near, memory_that_was_unmapped)
{
    struct aspace *space = space_enter(), *child;
    REQUIRE(space);
    REQUIRE(space_map_at(space, 0x500000, 4, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(aspace_unmap(space, 0x501000, 2 * PAGE_SIZE), 0);
    says(space, 0x501010, ACCESS_READ, "read in memory that was unmapped, 16 bytes from its start");
    REQUIRE(!aspace_fork(space, &child));
    says(child, 0x502000, ACCESS_READ, "read in memory that was unmapped, 4096 bytes from its start");
    aspace_put(child);
    says(space, 0x504000, ACCESS_READ, "read just behind the end of an anonymous mapping");
    REQUIRE(space_map_at(space, 0x501000, 1, PROT_READ, MAP_PRIVATE));
    says(space, 0x501010, ACCESS_WRITE, "write to an anonymous mapping, not writable");
    says(space, 0x600000, ACCESS_WRITE, "write 1032192 bytes behind the end of an anonymous mapping");
    says(space, 0x700000, ACCESS_WRITE, "write far from all that is mapped");
    space_leave(space);
}

KTEST(near, below_a_stack)
{
    struct aspace *space = space_enter();
    REQUIRE(space);
    EXPECT_EQUAL(aspace_map_stack(space, 0x7f0000000000, 4 * PAGE_SIZE, 64 * PAGE_SIZE), 0);
    says(space, 0x7f0000000000 - 64 * PAGE_SIZE - 4, ACCESS_WRITE,
         "write 245764 bytes below the stack, beyond its limit (RLIMIT_STACK)");
    REQUIRE(space_map_at(space, 0x7f0000000000 - 20 * PAGE_SIZE, 1, PROT_READ, MAP_PRIVATE));
    says(space, 0x7f0000000000 - 4 * PAGE_SIZE - 4, ACCESS_WRITE,
         "write 4 bytes below the stack, where it may not grow: in its guard, or out of promises");
    says(space, 0x7f0000000000 - 4, ACCESS_EXEC, "jump into the stack, not executable");
    space_leave(space);
}

KTEST(near, files_by_their_part_in_the_program)
{
    struct pagecache *cache = pagecache_create(FRAME_FILE, 3 * PAGE_SIZE, NULL, NULL, "program", 1);
    struct aspace *space = space_enter();
    REQUIRE(cache && space);
    struct map_request request = { .addr = 0x400000, .length = 5 * PAGE_SIZE, .prot = PROT_READ | PROT_EXEC,
                                   .flags = MAP_PRIVATE | MAP_FIXED, .cache = cache };
    EXPECT_EQUAL(aspace_map(space, &request), 0x400000);
    says(space, 0x400010, ACCESS_WRITE, "write to a mapped file, not writable");
    says(space, 0x403000, ACCESS_READ, "read in a mapped file, beyond its end");
    space->code_start = 0x400000;
    says(space, 0x400010, ACCESS_WRITE, "write to the program's text, not writable");
    EXPECT_EQUAL(aspace_protect(space, 0x401000, PAGE_SIZE, PROT_READ), 0);
    says(space, 0x401010, ACCESS_WRITE, "write to the program's constants, not writable");
    space->data_start = 0x401800;
    space->data_end = 0x401900;
    says(space, 0x401010, ACCESS_EXEC, "jump into the program's data, not executable");
    pagecache_put(cache);
    space_leave(space);
}
