// SPDX-License-Identifier: MIT
/*
 * string.h: the parts of <string.h> and <stdio.h> that a kernel needs, with their standard meaning.
 */
#ifndef KERNEL_LIB_STRING_H
#define KERNEL_LIB_STRING_H

#include <stdarg.h>

#include "kernel/lib/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

/* -ffreestanding hides from the compiler what these mean; told so, it expands short ones in place. */
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memset(dst, c, n) __builtin_memset(dst, c, n)

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copy at most size - 1 characters and always terminate. Returns strlen(src). */
size_t string_copy(char *dst, const char *src, size_t size);

/*
 * printf family: %d %i %u %x %X %o %c %s %p %% with flags "-0+ #", width, precision, `*` and lengths
 * hh h l ll z j. The return value is the length the whole text would have had (C11 7.21.6.5).
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf_like(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

/*
 * The number at `s` in `base` (0: by prefix, as strtoul), without sign or leading blanks; ULONG_MAX when it
 * is too large. `*end` is set behind it, or to `s` when there is no number, when end is not NULL.
 */
unsigned long string_to_ulong(const char *s, const char **end, unsigned base);

#endif
