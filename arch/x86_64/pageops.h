// SPDX-License-Identifier: MIT
/*
 * pageops.h: whole pages: clear, copy. They are aligned and do not overlap; 8-byte string instructions.
 */
#ifndef ARCH_X86_64_PAGEOPS_H
#define ARCH_X86_64_PAGEOPS_H

#include "arch/x86_64/page.h"

/* A part of one: so many words of 8 bytes. */
static inline void page_clear_words(void *at, uint64_t words)
{
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0ul) : "memory");
}

static inline void page_clear(void *page) { page_clear_words(page, PAGE_SIZE / 8); }

static inline void page_copy(void *restrict dst, const void *restrict src)
{
    uint64_t words = PAGE_SIZE / 8;
    __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

static inline bool page_is_clear(const void *page)
{
    const uint64_t *word = page, *end = word + PAGE_SIZE / 8;
    while (word < end && !*word)
        word++;
    return word == end;
}

#endif
