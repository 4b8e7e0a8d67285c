// SPDX-License-Identifier: MIT
/*
 * kernelmap.h: the kernel's own half of the address space, made once at boot.
 *
 * Its root entries never change afterwards, so every address space copies them once (mmu_init_root(), mmu.h).
 */
#ifndef ARCH_X86_64_KERNELMAP_H
#define ARCH_X86_64_KERNELMAP_H

#include "arch/x86_64/page.h"

/*
 * Begin: map the kernel image, and make the table under which mm/kstack.c maps stacks. `alloc` gives the
 * physical address of one page for a table, reachable through the direct map of the boot tables; it panics
 * when there is none.
 */
void kernel_map_init(paddr_t (*alloc)(void));

/* Map the RAM [start, end), page aligned, in the direct map. Ranges are disjoint. */
void kernel_map_ram(paddr_t start, paddr_t end);

/* Run on the new tables; the boot tables and the identity map are gone. */
void kernel_map_load(void);

/* The page below the boot stack, which is not mapped. */
bool kernel_map_is_boot_guard(vaddr_t addr);

#endif
