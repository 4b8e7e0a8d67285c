// SPDX-License-Identifier: MIT
/*
 * usercopy.h: the only way the kernel touches user memory of the current address space.
 *
 * A pointer from user mode may be anything: these functions check the range, let lazy pages fault in like
 * any access, and return -EFAULT for what cannot be served (memory being out included: then the process has a SIGKILL
 * pending). No lock of mm may be held: faults take them. May sleep.
 */
#ifndef MM_USERCOPY_H
#define MM_USERCOPY_H

#include "arch/x86_64/page.h"

/* Whole or -EFAULT; after -EFAULT a prefix of dst may have been written. */
int copy_from_user(void *dst, vaddr_t src, size_t n) __must_check;
int copy_to_user(vaddr_t dst, const void *src, size_t n) __must_check;
int clear_user(vaddr_t dst, size_t n) __must_check;

/* As much as can be copied: bytes copied, or -EFAULT if not one could (read(2) and write(2) return short). */
ssize_type copy_from_user_part(void *dst, vaddr_t src, size_t n) __must_check;
ssize_type copy_to_user_part(vaddr_t dst, const void *src, size_t n) __must_check;

/* A string with its NUL: its length, -EFAULT, or -ENAMETOOLONG when it does not fit in `size`. */
ssize_type copy_string_from_user(char *dst, vaddr_t src, size_t size) __must_check;

#endif
