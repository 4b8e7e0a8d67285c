// SPDX-License-Identifier: MIT
/*
 * mmu.c: a look at the tables as the CPU walks them.
 */
#include "arch/x86_64/mmu.h"
#include "arch/x86_64/registers.h"

uint64_t tlb_page_flushes;

unsigned mmu_walk(vaddr_t addr, pte_t entries[PTE_LEVELS])
{
    paddr_t table = cr3_read() & PTE_FRAME_MASK;
    for (unsigned level = PTE_ROOT_LEVEL; level >= PTE_LEAF_LEVEL; level--) {
        const pte_t *slots = direct_address(table);
        pte_t entry = pte_load(&slots[pte_index(addr, level)]);
        entries[level - 1] = entry;
        if (level == PTE_LEAF_LEVEL || !pte_is_present(entry) || pte_is_large(entry))
            return level;
        table = pte_pfn(entry) << PAGE_SHIFT;
    }
    __builtin_unreachable();
}

bool mmu_is_mapped(vaddr_t addr)
{
    pte_t entries[PTE_LEVELS];
    bool canonical = (int64_t)(addr << 16) >> 16 == (int64_t)addr;
    return canonical && pte_is_present(entries[mmu_walk(addr, entries) - 1]);
}
