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
 * cleared. 0, or -ENOMEM with the size unchanged (tables shared since fork must be copied before a part of them goes;
 * Linux has no such failure). The caller keeps writers away. Takes the mutex of address spaces: may sleep.
 */
int pagecache_truncate(struct pagecache *cache, uint64_t size) __must_check;

/*
 * Make a hole of the pages in [from, to): they read as zeroes again. Private copies stay. 0 or -ENOMEM with nothing
 * lost. Locks as above.
 */
int pagecache_punch(struct pagecache *cache, uint64_t from, uint64_t to) __must_check;

#endif
