// SPDX-License-Identifier: MIT
/*
 * directmap.h: where RAM is seen by the kernel. Every frame has one address there, for ever.
 */
#ifndef ARCH_X86_64_DIRECTMAP_H
#define ARCH_X86_64_DIRECTMAP_H

#include "arch/x86_64/page.h"

static inline void *direct_address(paddr_t paddr) { return (void *)(DIRECT_MAP_START + paddr); }

/* Only for addresses that direct_address() gave. */
static inline paddr_t direct_paddr(const void *address) { return (vaddr_t)address - DIRECT_MAP_START; }

#endif
