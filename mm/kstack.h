// SPDX-License-Identifier: MIT
/*
 * kstack.h: kernel stacks: KSTACK_SIZE bytes each, an unmapped guard below, in an area of their own.
 *
 * Overrunning a stack hits the guard: a double fault on a stack of its own, and a panic that says so. Lock: one for the area.
 */
#ifndef MM_KSTACK_H
#define MM_KSTACK_H

#include "arch/x86_64/page.h"

#define KSTACK_SIZE (4 * PAGE_SIZE)

void kstack_init(void);
/* The top (highest address, exclusive) of a new stack; 0 when memory is out. Contents undefined. */
vaddr_t kstack_alloc(void) __must_check;
/* The last few to come back stay mapped, for the next processes. */
void kstack_free(vaddr_t top);
/* Is this address in a guard (for the panic report)? */
bool kstack_is_guard(vaddr_t addr);

#endif
