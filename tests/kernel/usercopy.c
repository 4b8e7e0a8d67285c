// SPDX-License-Identifier: MIT
/*
 * usercopy.c: tests of copies to and from user memory: lazy pages, borders, bad pointers, strings.
 */
#include "mm/usercopy.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "tests/kernel/space.h"

/* Pointers that no program may pass. Each is bad for one byte already. */
static const vaddr_t bad_pointers[] = {
    0,
    1,
    USER_END,
    0x800000000000ul - 1,  /* the last canonical byte below the hole */
    0x800000000000ul,      /* not canonical */
    0xff00000000001000ul,
    DIRECT_MAP_START,      /* the kernel's own */
    DIRECT_MAP_START + (1ul << 20),
    KERNEL_STACKS_START + 5 * PAGE_SIZE,
    KERNEL_IMAGE_START + (2ul << 20),
    UINT64_MAX,
};

KTEST(usercopy, lazy_pages_fault_in)
{
    struct aspace *space = space_enter();
    uint64_t value = 0x1122334455667788, back = 0;
    REQUIRE(space);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(copy_to_user(addr + PAGE_SIZE - 3, &value, sizeof(value)), 0); /* over two of them */
    EXPECT_EQUAL(copy_from_user(&back, addr + PAGE_SIZE - 3, sizeof(back)), 0);
    EXPECT_EQUAL(back, value);
    EXPECT_EQUAL(copy_from_user(&back, addr + 3 * PAGE_SIZE - 4, sizeof(back)), 0);
    EXPECT_EQUAL(back, 0);
    if (lazy.zfod && lazy.zeropage) {
        EXPECT_EQUAL(space_faults(FAULT_ZERO_FILL), 2);
        EXPECT_EQUAL(space_faults(FAULT_ZERO_READ), 2);
    }
    space_leave(space);
}

KTEST(usercopy, copy_breaks_sharing)
{
    struct aspace *parent = space_enter(), *child;
    uint64_t value = 7, back = 0;
    REQUIRE(parent);
    vaddr_t addr = space_map(parent, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(copy_to_user(addr, &value, sizeof(value)), 0);
    REQUIRE(!aspace_fork(parent, &child));
    aspace_switch(child);
    value = 8;
    EXPECT_EQUAL(copy_to_user(addr, &value, sizeof(value)), 0);
    aspace_switch(parent);
    EXPECT_EQUAL(copy_from_user(&back, addr, sizeof(back)), 0);
    EXPECT_EQUAL(back, 7);
    aspace_put(child);
    space_leave(parent);
}

KTEST(usercopy, bad_pointers)
{
    struct aspace *space = space_enter();
    char byte = 1, text[8];
    REQUIRE(space);
    for (unsigned i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
        vaddr_t addr = bad_pointers[i];
        if (!EXPECT(copy_to_user(addr, &byte, 1) == -EFAULT && copy_from_user(&byte, addr, 1) == -EFAULT &&
                    clear_user(addr, 1) == -EFAULT && copy_from_user_part(&byte, addr, 1) == -EFAULT &&
                    copy_to_user_part(addr, &byte, 1) == -EFAULT &&
                    copy_string_from_user(text, addr, sizeof(text)) == -EFAULT))
            ktest_note("pointer 0x%lx", addr);
    }
    EXPECT_EQUAL(byte, 1);
    space_leave(space);
}

KTEST(usercopy, lengths_that_wrap_or_leave_user_space)
{
    struct aspace *space = space_enter();
    char byte;
    REQUIRE(space && space_map_at(space, USER_END - PAGE_SIZE, 1, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(copy_from_user(&byte, USER_END - PAGE_SIZE, SIZE_MAX), -EFAULT);
    EXPECT_EQUAL(copy_from_user(&byte, USER_END - PAGE_SIZE, -(USER_END - PAGE_SIZE)), -EFAULT);
    EXPECT_EQUAL(copy_from_user_part(&byte, USER_END - 1, 2), -EFAULT);
    EXPECT_EQUAL(clear_user(USER_END - 1, 2), -EFAULT);
    EXPECT_EQUAL(copy_from_user(&byte, USER_END - 1, 1), 0);
    EXPECT_EQUAL(byte, 0);
    EXPECT_EQUAL(copy_from_user(&byte, USER_END - 1, 0), 0);
    space_leave(space);
}

KTEST(usercopy, half_mapped)
{
    struct aspace *space = space_enter();
    static char buffer[300];
    REQUIRE(space);
    vaddr_t addr = space_map(space, 2, READ_WRITE, MAP_PRIVATE), border = addr + PAGE_SIZE;
    EXPECT_EQUAL(aspace_unmap(space, border, PAGE_SIZE), 0);
    memset(buffer, 'a', sizeof(buffer));
    for (unsigned before = 0; before < 20; before++) { /* words that lie across the border, too */
        ssize_type wanted = before ? (ssize_type)before : -EFAULT;
        EXPECT_EQUAL(copy_to_user(border - before, buffer, 100), -EFAULT);
        EXPECT_EQUAL(copy_to_user_part(border - before, buffer, 100), wanted);
        EXPECT_EQUAL(copy_from_user_part(buffer, border - before, 100), wanted);
        EXPECT_EQUAL(clear_user(border - before, 100), -EFAULT);
    }
    EXPECT_EQUAL(copy_from_user_part(buffer, border - 100, 100), 100);
    EXPECT_EQUAL(copy_from_user_part(buffer, border - 100, 0), 0);
    space_leave(space);
}

KTEST(usercopy, rights_hold_for_the_kernel_too)
{
    struct aspace *space = space_enter();
    char byte = 1;
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(copy_to_user(addr, &byte, 1), 0);
    EXPECT_EQUAL(aspace_protect(space, addr, PAGE_SIZE, PROT_READ), 0);
    EXPECT_EQUAL(copy_to_user(addr, &byte, 1), -EFAULT); /* CR0.WP */
    EXPECT_EQUAL(copy_from_user(&byte, addr, 1), 0);
    EXPECT_EQUAL(aspace_protect(space, addr, PAGE_SIZE, PROT_NONE), 0);
    EXPECT_EQUAL(copy_from_user(&byte, addr, 1), -EFAULT);
    space_leave(space);
}

KTEST(usercopy, clear)
{
    struct aspace *space = space_enter();
    static char buffer[64];
    REQUIRE(space);
    vaddr_t addr = space_map(space, 2, READ_WRITE, MAP_PRIVATE), at = addr + PAGE_SIZE - 20;
    memset(buffer, 0xff, sizeof(buffer));
    EXPECT_EQUAL(copy_to_user(at, buffer, 64), 0);
    EXPECT_EQUAL(clear_user(at + 3, 43), 0);
    EXPECT_EQUAL(copy_from_user(buffer, at, 64), 0);
    for (unsigned i = 0; i < 64; i++)
        EXPECT_EQUAL((uint8_t)buffer[i], i >= 3 && i < 46 ? 0 : 0xff);
    space_leave(space);
}

KTEST(usercopy, strings)
{
    struct aspace *space = space_enter();
    char text[16];
    REQUIRE(space);
    vaddr_t addr = space_map(space, 2, READ_WRITE, MAP_PRIVATE), border = addr + PAGE_SIZE;
    EXPECT_EQUAL(copy_to_user(border - 4, "promises", 9), 0);
    EXPECT_EQUAL(copy_string_from_user(text, border - 4, sizeof(text)), 8);
    EXPECT_TEXT(text, "promises");
    EXPECT_EQUAL(copy_string_from_user(text, border - 4, 9), 8);
    EXPECT_EQUAL(copy_string_from_user(text, border - 4, 8), -ENAMETOOLONG);
    EXPECT_EQUAL(copy_string_from_user(text, border + 4, sizeof(text)), 0);
    EXPECT_EQUAL(aspace_unmap(space, border, PAGE_SIZE), 0);
    EXPECT_EQUAL(copy_string_from_user(text, border - 4, sizeof(text)), -EFAULT); /* no end before the hole */
    EXPECT_EQUAL(copy_string_from_user(text, border - 4, 4), -ENAMETOOLONG);
    space_leave(space);
}

KTEST(usercopy, out_of_memory_is_efault)
{
    if (!lazy.zfod)
        SKIP("laziness is switched off");
    struct aspace *space = space_enter();
    char byte = 1;
    REQUIRE(space);
    vaddr_t addr = space_map(space, 1, READ_WRITE, MAP_PRIVATE);
    frame_fail_nth(1);
    EXPECT_EQUAL(copy_to_user(addr, &byte, 1), -EFAULT);
    frame_fail_nth(0);
    EXPECT_EQUAL(copy_to_user(addr, &byte, 1), 0);
    space_leave(space);
}

KTEST(usercopy, without_an_address_space)
{
    char byte;
    EXPECT_EQUAL(copy_from_user(&byte, 0x10000000, 1), -EFAULT);
}
