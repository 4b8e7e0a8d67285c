// SPDX-License-Identifier: MIT
/*
 * truncate.h: taking pages out of an object under those who map it.
 */
#ifndef MM_TRUNCATE_H
#define MM_TRUNCATE_H

#include "mm/pagecache.h"

/*
 * Make the object `size` bytes long. Beyond a smaller size its pages go: from the cache, from every address space that
 * maps them, private copies included, so that an access there is a SIGBUS (mmap(2)); what is left of the last page is
 * cleared. 0, or the error of reading the last page, with the size unchanged. The caller keeps writers away. Takes the mutex of address spaces: may sleep.
 */
int pagecache_truncate(struct pagecache *cache, uint64_t size) __must_check;

/*
 * Make a hole of the pages in [from, to): whoever maps them reads zeroes again; private copies stay. Cannot fail. Locks
 * as above.
 */
void pagecache_punch(struct pagecache *cache, uint64_t from, uint64_t to);

/* The same as the object's owner does it (MADV_REMOVE). 0, -EOPNOTSUPP or the owner's error. Locks as above. */
int pagecache_remove(struct pagecache *cache, uint64_t from, uint64_t to) __must_check;

#endif
