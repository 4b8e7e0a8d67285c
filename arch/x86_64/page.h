// SPDX-License-Identifier: MIT
/*
 * page.h: addresses, pages and the map of the address space (docs/design.md, section 4).
 */
#ifndef ARCH_X86_64_PAGE_H
#define ARCH_X86_64_PAGE_H

#include "kernel/lib/types.h"

typedef uint64_t paddr_t; /* physical address */
typedef uint64_t vaddr_t; /* virtual address */
typedef uint64_t pfn_t;   /* page frame number: paddr / PAGE_SIZE */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)

/*
 * User space: page 0 is never mapped, nor is the last page below the hole (SDM 1, 3.3.7.1: canonical
 * addresses).
 */
#define USER_START 0x1000ul
#define USER_END 0x7ffffffff000ul

#define DIRECT_MAP_START 0xffff800000000000ul /* all RAM, at most RAM_LIMIT */
#define KERNEL_STACKS_START 0xffffc00000000000ul
#define KERNEL_IMAGE_START 0xffffffff80000000ul

/* These are all the areas of the kernel's half. Each lies under one entry of the root table. */
#define KERNEL_AREAS { DIRECT_MAP_START, KERNEL_STACKS_START, KERNEL_IMAGE_START }

/*
 * RAM above this physical address is not used. With 32 GiB there can be at most 2^32 page-table entries
 * in the machine, so the 32-bit reference count of a frame cannot overflow.
 */
#define RAM_LIMIT (32ul << 30)

static inline uint64_t page_down(uint64_t x) { return align_down(x, PAGE_SIZE); }
static inline uint64_t page_up(uint64_t x) { return align_up(x, PAGE_SIZE); }
static inline uint64_t page_offset(uint64_t x) { return x & (PAGE_SIZE - 1); }

#endif
