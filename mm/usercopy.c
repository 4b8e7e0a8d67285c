// SPDX-License-Identifier: MIT
/*
 * usercopy.c: ranges are checked here; the copying, with its faults and fix-ups, is arch/x86_64/usermem.asm.
 */
#include "mm/usercopy.h"

#include "arch/x86_64/usermem.h"
#include "kernel/lib/errno.h"

/* Does [addr, addr + n) lie in user space? Page 0 does not count as outside: nothing is ever mapped there. */
static bool range_is_user(vaddr_t addr, size_t n) { return n <= USER_END && addr <= USER_END - n; }

static void *user_pointer(vaddr_t addr) { return (void *)addr; }

int copy_from_user(void *dst, vaddr_t src, size_t n)
{
    return range_is_user(src, n) && usermem_copy(dst, user_pointer(src), n) == 0 ? 0 : -EFAULT;
}

int copy_to_user(vaddr_t dst, const void *src, size_t n)
{
    return range_is_user(dst, n) && usermem_copy(user_pointer(dst), src, n) == 0 ? 0 : -EFAULT;
}

int clear_user(vaddr_t dst, size_t n)
{
    return range_is_user(dst, n) && usermem_clear(user_pointer(dst), n) == 0 ? 0 : -EFAULT;
}

/* What `left` bytes not copied of n mean to a call that may be short. */
static ssize_type part_result(size_t n, size_t left) { return n && left == n ? -EFAULT : (ssize_type)(n - left); }

ssize_type copy_from_user_part(void *dst, vaddr_t src, size_t n)
{
    return range_is_user(src, n) ? part_result(n, usermem_copy(dst, user_pointer(src), n)) : -EFAULT;
}

ssize_type copy_to_user_part(vaddr_t dst, const void *src, size_t n)
{
    return range_is_user(dst, n) ? part_result(n, usermem_copy(user_pointer(dst), src, n)) : -EFAULT;
}

ssize_type copy_string_from_user(char *dst, vaddr_t src, size_t size)
{
    if (src >= USER_END)
        return -EFAULT;
    size_t room = MIN(size, USER_END - src);
    ssize_type length = usermem_copy_string(dst, user_pointer(src), room);
    if (length < 0)
        return -EFAULT;
    if ((size_t)length < room)
        return length;
    return room == size ? -ENAMETOOLONG : -EFAULT;
}
