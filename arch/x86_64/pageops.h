// SPDX-License-Identifier: MIT
/*
 * pageops.h: whole pages: clear, copy. They are aligned and do not overlap; 8-byte string instructions.
 */
#ifndef ARCH_X86_64_PAGEOPS_H
#define ARCH_X86_64_PAGEOPS_H

#include "arch/x86_64/page.h"

static inline void page_clear(void *page)
{
    uint64_t words = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ul) : "memory");
}

static inline void page_copy(void *restrict dst, const void *restrict src)
{
    uint64_t words = PAGE_SIZE / 8;
    __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

#endif
