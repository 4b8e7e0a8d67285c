// SPDX-License-Identifier: MIT
/*
 * stack.h: mappings that grow downwards when they are touched just below their start. Inside of mm/.
 */
#ifndef MM_STACK_H
#define MM_STACK_H

#include "mm/aspace.h"

/*
 * Let `vma` begin at `start`, page aligned and below it, where nothing is mapped, if it is a stack that may: RLIMIT_STACK,
 * RLIMIT_AS, the guard gap, the ledger (getrlimit(2), mmap(2), MAP_GROWSDOWN). 0, or -ENOMEM with nothing changed. The
 * mutex is held.
 */
int stack_grow(struct aspace *aspace, struct vma *vma, vaddr_t start) __must_check;

/* Take that back: `start` is where it began before. */
void stack_shrink(struct aspace *aspace, struct vma *vma, vaddr_t start);

#endif
