// SPDX-License-Identifier: MIT
/*
 * trap_words.h: what a trap means, in words, for the panic report.
 */
#ifndef ARCH_X86_64_TRAP_WORDS_H
#define ARCH_X86_64_TRAP_WORDS_H

#include "arch/x86_64/page.h"
#include "arch/x86_64/trap.h"

/* The error code of a page fault (SDM 3, 4.7). */
#define PAGE_FAULT_PRESENT (1ul << 0)
#define PAGE_FAULT_WRITE (1ul << 1)
#define PAGE_FAULT_USER (1ul << 2)
#define PAGE_FAULT_RESERVED (1ul << 3)
#define PAGE_FAULT_EXEC (1ul << 4)

/* "general protection fault" and so on. */
const char *trap_name(uint64_t vector);

/*
 * One sentence on what happened, for a page fault with its address and the decoded error code. Cut to
 * `size`.
 */
void trap_describe(const struct trapframe *frame, vaddr_t addr, char *text, size_t size);

#endif
