// SPDX-License-Identifier: MIT
/*
 * shm.h: objects of shared anonymous memory.
 */
#ifndef MM_SHM_H
#define MM_SHM_H

#include "mm/pagecache.h"

struct aspace;

/* An object of `length` bytes (page aligned) with one reference, not yet charged. NULL: out of memory. */
struct pagecache *shm_create(uint64_t length) __must_check;

/*
 * Charge a new object, asked for by `asker`: all at once, or (MAP_NORESERVE) page by page as they are made. The charge
 * is the object's, not its mappers': fork adds nothing, and it is refunded with the last reference. 0, or -ENOMEM: the
 * ledger refuses.
 */
enum shm_reserve { SHM_RESERVE_WHOLE, SHM_RESERVE_NOTHING };
int shm_charge(struct pagecache *cache, enum shm_reserve reserve, const struct aspace *asker) __must_check;

#endif
