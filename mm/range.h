// SPDX-License-Identifier: MIT
/*
 * range.h: what the calls that change an address space have in common. Inside of mm/. The mutex is held; ranges
 * are page aligned and lie in user space.
 */
#ifndef MM_RANGE_H
#define MM_RANGE_H

#include "mm/aspace.h"

/* Make `start` and `end` borders of VMAs. 0, or -ENOMEM with nothing cut. */
int range_cut(struct aspace *aspace, vaddr_t start, vaddr_t end) __must_check;

/* Join what can be joined around and inside [start, end]. */
void range_merge(struct aspace *aspace, vaddr_t start, vaddr_t end);

/* Is every page of it in a VMA; is none? */
bool range_is_mapped(struct aspace *aspace, vaddr_t start, vaddr_t end);
bool range_is_free(struct aspace *aspace, vaddr_t start, vaddr_t end);

/* Take the VMAs, pages and charges of the range away. 0, or -ENOMEM with nothing changed. */
int range_unmap(struct aspace *aspace, vaddr_t start, vaddr_t end) __must_check;

/* Give back the pages alone; pagetable_prepare_release() has been called. */
void range_release_pages(struct aspace *aspace, vaddr_t start, vaddr_t end);

#endif
