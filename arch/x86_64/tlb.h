// SPDX-License-Identifier: MIT
/*
 * tlb.h: what the CPU remembers of the page tables, and making it forget (SDM 3, 4.10.4).
 *
 * One CPU runs today, so a flush is local. With more, these are the functions that send the shoot-down.
 */
#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include "arch/x86_64/page.h"

/* How often tlb_flush_page() has been called since boot. */
extern uint64_t tlb_page_flushes;

/* Forget the translation of one page, and every paging-structure cache entry of this address space. */
static inline void tlb_flush_page(vaddr_t addr)
{
    tlb_page_flushes++;
    __asm__ volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

/* Forget all user translations of the current address space. */
static inline void tlb_flush_user(void)
{
    uint64_t root;
    __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) : : "memory");
}

/* Run on the tables below `root` (their kernel half is the same in all). Drops all user translations. */
static inline void mmu_switch(paddr_t root) { __asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory"); }

/*
 * The root table of the kernel alone, with an empty lower half. Its kernel stacks entry (page.h) leads to a
 * table.
 */
paddr_t mmu_kernel_root(void);

#endif
