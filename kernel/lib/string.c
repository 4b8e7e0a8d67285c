// SPDX-License-Identifier: MIT
/*
 * string.c: memory and strings. Copying and filling use the CPU's string instructions, 8 bytes at a time.
 */
#include "kernel/lib/string.h"

void *(memcpy)(void *restrict dst, const void *restrict src, size_t n)
{
    void *to = dst;
    size_t words = n / 8, rest = n % 8;
    __asm__ volatile("rep movsq\n\t"
                     "movq %3, %%rcx\n\t"
                     "rep movsb"
                     : "+D"(to), "+S"(src), "+c"(words)
                     : "r"(rest)
                     : "memory");
    return dst;
}

/* Upwards unless dst lies within src: then from the end, with the direction flag set. */
void *memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    char *to = (char *)dst + n - 1;
    const char *from = (const char *)src + n - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
    void *to = dst;
    size_t words = n / 8, rest = n % 8;
    __asm__ volatile("rep stosq\n\t"
                     "movq %2, %%rcx\n\t"
                     "rep stosb"
                     : "+D"(to), "+c"(words)
                     : "r"(rest), "a"((uint8_t)c * 0x0101010101010101ul)
                     : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *bytes = s;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == (unsigned char)c)
            return (void *)&bytes[i];
    return NULL;
}

size_t strnlen(const char *s, size_t max)
{
    size_t length = 0;
    while (length < max && s[length])
        length++;
    return length;
}

size_t strlen(const char *s) { return strnlen(s, SIZE_MAX); }

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
        if (!a[i])
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

size_t string_copy(char *dst, const char *src, size_t size)
{
    size_t length = strlen(src);
    if (size) {
        size_t kept = MIN(length, size - 1);
        memcpy(dst, src, kept);
        dst[kept] = '\0';
    }
    return length;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return UINT_MAX;
}

unsigned long string_to_ulong(const char *s, const char **end, unsigned base)
{
    const char *start = s;
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;
    if ((base == 0 || base == 16) && hex) {
        base = 16;
        start += 2;
    }
    if (base == 0)
        base = *s == '0' ? 8 : 10;
    unsigned long value = 0;
    const char *at = start;
    bool overflow = false;
    for (; digit_value(*at) < base; at++) {
        overflow |= __builtin_mul_overflow(value, base, &value);
        overflow |= __builtin_add_overflow(value, digit_value(*at), &value);
    }
    if (end)
        *end = at;
    return overflow ? ULONG_MAX : value;
}
