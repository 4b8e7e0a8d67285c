// SPDX-License-Identifier: MIT
/*
 * assert.h: stop rather than corrupt.
 *
 * ASSERT states a precondition and exists in debug builds only. BUG_ON is always there and guards what
 * would corrupt memory if the kernel went on; its message prints the values that were wrong.
 */
#ifndef KERNEL_LIB_ASSERT_H
#define KERNEL_LIB_ASSERT_H

#include "kernel/lib/types.h"

/* Print `fmt`, registers and a backtrace, and stop the machine with the status for a panic. */
void panic(const char *fmt, ...) __printf_like(1, 2) __noreturn_fn;

#define BUG_ON(cond, fmt, ...)                                                                         \
    do {                                                                                               \
        if (unlikely(cond))                                                                            \
            panic("BUG at %s:%d: %s: " fmt, __FILE__, __LINE__, #cond, ##__VA_ARGS__);                 \
    } while (0)

#if DEBUG
#define ASSERT(cond)                                                                                   \
    do {                                                                                               \
        if (unlikely(!(cond)))                                                                         \
            panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #cond);                         \
    } while (0)
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
