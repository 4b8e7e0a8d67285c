// SPDX-License-Identifier: MIT
/*
 * descriptors.h: segments, the task-state segment and the interrupt table.
 */
#ifndef ARCH_X86_64_DESCRIPTORS_H
#define ARCH_X86_64_DESCRIPTORS_H

#include "arch/x86_64/page.h"

/* Load this CPU's GDT, TSS and IDT. Changes the GS base to 0. */
void descriptors_init(void);

/* Where the CPU starts its stack when a trap comes from user mode. */
void descriptors_set_kernel_stack(vaddr_t top);

#endif
