// SPDX-License-Identifier: MIT
/*
 * pagecache.h: the pages of one object that is mapped by page index: a file, or shared anonymous memory.
 *
 * A page is made at first use: read from the file (ops), or zeroed where there are no ops. The cache pins
 * each of its frames with one reference, so copy-on-write never takes a cached page for a private one.
 * The pages hang in a radix tree of 512-way nodes, one frame a node.
 *
 * Lock: each cache has one (after the page-table lock, before the frame lock); `refs` is atomic.
 */
#ifndef MM_PAGECACHE_H
#define MM_PAGECACHE_H

#include "kernel/lib/spinlock.h"
#include "mm/frame.h"

struct pagecache;

struct pagecache_ops {
    /* Fill the page at `index` (PAGE_SIZE bytes at `page`), zeroes beyond the end. 0 or -EIO. May not sleep. */
    int (*read_page)(struct pagecache *cache, uint64_t index, void *page);
};

struct pagecache {
    uint32_t refs;
    struct spinlock lock;
    enum frame_kind kind; /* FRAME_FILE or FRAME_SHM */
    uint64_t size;        /* bytes; a page wholly beyond it does not exist */
    const struct pagecache_ops *ops;
    void *owner;      /* for ops */
    const char *name; /* what /proc/PID/maps shows; lives as long as the cache */
    uint64_t inode;   /* number shown beside it */
    unsigned height;  /* of the tree; 0: empty */
    struct frame *root;
    uint64_t pages;      /* in the cache now */
    uint64_t committed;  /* pages charged to the commit ledger for it; refunded with the last reference */
    bool commit_by_page; /* each new page is charged when it is made */
};

/* A cache with one reference. ops NULL: new pages are zeroes. `name` is not copied. NULL when memory is out. */
struct pagecache *pagecache_create(enum frame_kind kind, uint64_t size, const struct pagecache_ops *ops, void *owner,
                                   const char *name, uint64_t inode) __must_check;
struct pagecache *pagecache_get(struct pagecache *cache);
/* The last one drops every page. */
void pagecache_put(struct pagecache *cache);

enum pagecache_found { PAGECACHE_HIT, PAGECACHE_NEW };

/*
 * The page at `index`, found or made. Returns PAGECACHE_HIT or PAGECACHE_NEW and the frame (no reference is added: the
 * cache's own keeps it), -EFAULT beyond the end, -ENOMEM, or the error of read_page.
 */
int pagecache_page(struct pagecache *cache, uint64_t index, struct frame **frame) __must_check;

/* Is the page in the cache now? */
bool pagecache_has(struct pagecache *cache, uint64_t index);

/* Drop `count` pages from `index` on: the cache's pins go, and their charges. Entries that map them keep theirs. */
void pagecache_drop(struct pagecache *cache, uint64_t index, uint64_t count);

/* Copy out of the cache: at most n bytes from `offset`; stops at the end. Bytes copied, or a negative errno. */
ssize_type pagecache_read(struct pagecache *cache, uint64_t offset, void *buffer, size_t n) __must_check;

#endif
