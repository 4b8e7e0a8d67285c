// SPDX-License-Identifier: MIT
/*
 * range.h: what the calls that change an address space have in common. Inside of mm/. The mutex is held; ranges
 * are page aligned and lie in user space.
 */
#ifndef MM_RANGE_H
#define MM_RANGE_H

#include "mm/aspace.h"

/*
 * May memory of this kind grow by so many pages (RLIMIT_AS, RLIMIT_DATA)? With a limit on data of 0, the hard one counts
 * instead, as on Linux.
 */
bool range_may_grow(const struct aspace *aspace, uint64_t pages, unsigned prot, unsigned flags);

/* May so many pages more be locked, if memory with these flags is (RLIMIT_MEMLOCK)? */
bool range_may_lock(struct aspace *aspace, uint64_t pages, unsigned flags);

/*
 * May there be a new mapping, as far as vm.max_map_count goes? As on Linux, this leaves one VMA more than the limit; cutting
 * one stops at the limit.
 */
static inline bool range_may_map(const struct aspace *aspace) { return aspace->vmas.count <= vm_max_map_count; }

/* A place for `length` bytes: at the hint (0: none) if it is free there, else in the highest gap. 0: none. */
vaddr_t map_find_gap(struct aspace *aspace, vaddr_t hint, uint64_t length);

/* Pages of [start, end) that are mapped; those that are locked. */
uint64_t range_pages(struct aspace *aspace, vaddr_t start, vaddr_t end);
uint64_t range_locked_pages(struct aspace *aspace, vaddr_t start, vaddr_t end);

/* Where the first hole at or above `start` begins; `end` if there is none below it. */
vaddr_t range_mapped_end(struct aspace *aspace, vaddr_t start, vaddr_t end);

/* Set and clear flags of all VMAs in a range. 0, or -ENOMEM with nothing changed. */
int range_set_flags(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned set, unsigned clear) __must_check;

/*
 * MAP_POPULATE and locking as wishes: what cannot be had now comes by fault (mmap(2)). The mutex is NOT held; the
 * address space is the current one.
 */
void populate_if_possible(struct aspace *aspace, vaddr_t start, vaddr_t end);

/* Make `start` and `end` borders of VMAs. 0, or -ENOMEM with nothing cut (no memory, or vm.max_map_count). */
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
