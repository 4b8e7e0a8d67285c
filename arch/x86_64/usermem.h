// SPDX-License-Identifier: MIT
/*
 * usermem.h: the instructions that touch user memory, and their fix-ups.
 *
 * Only mm/usercopy.c calls these, after it has checked the range. They open SMAP for their own length. A
 * page fault in them goes to mm_fault() like any other; one that cannot be served ends the copy.
 */
#ifndef ARCH_X86_64_USERMEM_H
#define ARCH_X86_64_USERMEM_H

#include "kernel/lib/types.h"

/* Copy n bytes, one side being user memory. Returns the number of bytes NOT copied. May sleep (faults). */
size_t usermem_copy(void *dst, const void *src, size_t n) __must_check;

/* Clear n bytes of user memory. Returns the number not cleared. May sleep. */
size_t usermem_clear(void *dst, size_t n) __must_check;

/*
 * Copy up to and including a NUL, at most n bytes. Returns the length without NUL, n if there was none, -1
 * on a fault.
 */
ssize_type usermem_copy_string(char *dst, const char *src, size_t n) __must_check;

#endif
