// SPDX-License-Identifier: MIT
/*
 * types.h: the few words every room shares: fixed-width integers, attributes, small arithmetic.
 */
#ifndef KERNEL_LIB_TYPES_H
#define KERNEL_LIB_TYPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ssize_type;

#define __must_check __attribute__((warn_unused_result))
#define __noreturn_fn __attribute__((noreturn))
#define __printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define __noinline __attribute__((noinline)) /* keeps a rare path from lengthening the common one */
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* `align` is a power of two; align_up wraps to 0 beyond the last multiple, which callers test for. */
static inline uint64_t align_down(uint64_t x, uint64_t align) { return x & ~(align - 1); }
static inline uint64_t align_up(uint64_t x, uint64_t align) { return (x + align - 1) & ~(align - 1); }
static inline bool is_aligned(uint64_t x, uint64_t align) { return (x & (align - 1)) == 0; }

/* One untorn access to a location that an interrupt, another CPU or the MMU may touch as well. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#endif
