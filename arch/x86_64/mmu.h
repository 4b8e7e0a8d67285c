// SPDX-License-Identifier: MIT
/*
 * mmu.h: all that mm/ asks of the MMU: the format of entries, the TLB, and the direct map.
 */
#ifndef ARCH_X86_64_MMU_H
#define ARCH_X86_64_MMU_H

#include "arch/x86_64/directmap.h"
#include "arch/x86_64/pageops.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"

/* Up to so many pages are forgotten one by one, which leaves the rest of the TLB alone; more cost less all at once. */
#define TLB_SINGLE_PAGES 16

/* Forget the translations of [start, end), page aligned. */
static inline void tlb_flush_range(vaddr_t start, vaddr_t end)
{
    if (end - start > TLB_SINGLE_PAGES * PAGE_SIZE) {
        tlb_flush_user();
        return;
    }
    for (; start < end; start += PAGE_SIZE)
        tlb_flush_page(start);
}

/* Give the root table at `root`, which is clear, the kernel's entries. And clear them again: no CPU runs on it. */
static inline void mmu_init_root(pte_t *root)
{
    static const vaddr_t areas[] = KERNEL_AREAS;
    const pte_t *kernel = direct_address(mmu_kernel_root());

    for (unsigned i = 0; i < ARRAY_SIZE(areas); i++)
        root[pte_index(areas[i], PTE_ROOT_LEVEL)] = kernel[pte_index(areas[i], PTE_ROOT_LEVEL)];
}
static inline void mmu_clear_root(pte_t *root)
{
    static const vaddr_t areas[] = KERNEL_AREAS;

    for (unsigned i = 0; i < ARRAY_SIZE(areas); i++)
        root[pte_index(areas[i], PTE_ROOT_LEVEL)] = pte_none();
}

/*
 * What the CPU finds for `addr` in the tables it runs on: fills entries[level - 1] from the root down, and
 * returns the level of the last one, which is not present, or maps a page. No locks: for reports and tests.
 */
unsigned mmu_walk(vaddr_t addr, pte_t entries[PTE_LEVELS]);

/* Is there anything at this kernel or user address, now? */
bool mmu_is_mapped(vaddr_t addr);

#endif
