// SPDX-License-Identifier: MIT
/*
 * pageops.h for the host ring: the same, and strict about alignment.
 */
#ifndef ARCH_X86_64_PAGEOPS_H
#define ARCH_X86_64_PAGEOPS_H

#include "arch/x86_64/page.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

static inline void page_clear_words(void *at, uint64_t words)
{
    BUG_ON(page_down((vaddr_t)at) != page_down((vaddr_t)at + words * 8 - 1), "page_clear_words(%p, %lu)", at, words);
    memset(at, 0, words * 8);
}

static inline void page_clear(void *page)
{
    BUG_ON(!is_aligned((vaddr_t)page, PAGE_SIZE), "page_clear(%p)", page);
    memset(page, 0, PAGE_SIZE);
}

static inline void page_copy(void *restrict dst, const void *restrict src)
{
    BUG_ON(!is_aligned((vaddr_t)dst | (vaddr_t)src, PAGE_SIZE) || dst == src, "page_copy(%p, %p)", dst, src);
    memcpy(dst, src, PAGE_SIZE);
}

static inline bool page_is_clear(const void *page)
{
    for (const uint64_t *word = page; word < (const uint64_t *)page + PAGE_SIZE / 8; word++)
        if (*word)
            return false;
    return true;
}

#endif
