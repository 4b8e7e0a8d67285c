// SPDX-License-Identifier: MIT
/*
 * shm.h: objects of shared anonymous memory.
 */
#ifndef MM_SHM_H
#define MM_SHM_H

#include "mm/pagecache.h"

struct aspace;

/* When the ledger is charged for shared memory: all at once, or (MAP_NORESERVE) page by page as they are made. */
enum shm_reserve { SHM_RESERVE_WHOLE, SHM_RESERVE_NOTHING };

/*
 * An object of `length` bytes (page aligned) with one reference, asked for by `asker`. The charge is the object's, not its mappers': fork adds
 * nothing, and it is refunded with the last reference. NULL: out of memory, or the ledger refuses.
 */
struct pagecache *shm_create(uint64_t length, enum shm_reserve reserve, const struct aspace *asker) __must_check;

#endif
