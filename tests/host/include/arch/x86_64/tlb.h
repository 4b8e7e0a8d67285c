// SPDX-License-Identifier: MIT
/*
 * tlb.h for the host ring: the same functions, over the software MMU's model of a TLB (tests/host/mmu.c).
 */
#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include "arch/x86_64/page.h"

extern uint64_t tlb_page_flushes;
void tlb_flush_page(vaddr_t addr);
void tlb_flush_user(void);
void mmu_switch(paddr_t root);
paddr_t mmu_kernel_root(void);

#endif
