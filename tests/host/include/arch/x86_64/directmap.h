// SPDX-License-Identifier: MIT
/*
 * directmap.h for the host ring: RAM is an arena of the test process, mapped at a fixed address.
 */
#ifndef ARCH_X86_64_DIRECTMAP_H
#define ARCH_X86_64_DIRECTMAP_H

#include "arch/x86_64/page.h"
#include "kernel/lib/assert.h"

#define HOST_RAM_START 0x200000000000ul
#define HOST_RAM_SIZE (256ul << 20) /* the largest machine that a test makes */

static inline void *direct_address(paddr_t paddr)
{
    BUG_ON(paddr >= HOST_RAM_SIZE, "no RAM at physical address 0x%lx", paddr);
    return (void *)(HOST_RAM_START + paddr);
}

static inline paddr_t direct_paddr(const void *address)
{
    vaddr_t at = (vaddr_t)address;
    BUG_ON(at < HOST_RAM_START || at >= HOST_RAM_START + HOST_RAM_SIZE, "%p is not in the direct map",
           address);
    return at - HOST_RAM_START;
}

#endif
