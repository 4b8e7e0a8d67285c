// SPDX-License-Identifier: MIT
/*
 * pageops.h for the host ring: the same, and strict about alignment.
 */
#ifndef ARCH_X86_64_PAGEOPS_H
#define ARCH_X86_64_PAGEOPS_H

#include "arch/x86_64/page.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

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

#endif
