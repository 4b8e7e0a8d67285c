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
    /* Make a hole of the pages in [from, to). 0 or a negative errno. May be NULL: it cannot be done. May sleep. */
    int (*punch)(struct pagecache *cache, uint64_t from, uint64_t to);
    /*
     * A mapping of it comes to be, or ends: every VMA counts, be it made by mmap, fork or a cut. Both or none; then VMAs of
     * it are never joined. May not sleep.
     */
    void (*attach)(struct pagecache *cache);
    void (*detach)(struct pagecache *cache);
    /* A page that was not mapped is written through a shared mapping. May be NULL. May not sleep. */
    void (*written)(struct pagecache *cache);
    /* The last reference is gone and all pages with it: free what the owner has left. May be NULL. May not sleep. */
    void (*release)(struct pagecache *cache);
};

/* A bound on the pages that several caches make together: a file system's size. Both atomic. */
struct pagecache_quota {
    uint64_t limit, used; /* pages */
};

struct pagecache {
    uint32_t refs;
    struct spinlock lock;
    enum frame_kind kind; /* FRAME_FILE or FRAME_SHM */
    uint64_t size;        /* bytes; a page wholly beyond it does not exist */
    const struct pagecache_ops *ops;
    uint64_t backed;  /* pages below this index are read by ops, those from it on begin as zeroes */
    void *owner;      /* for ops */
    const char *name; /* what /proc/PID/maps shows; lives as long as the cache. NULL: the path of the owner */
    uint64_t inode;   /* number shown beside it */
    unsigned height;  /* of the tree; 0: empty */
    struct frame *root;
    uint64_t pages;      /* in the cache now */
    uint64_t own;        /* of them, those that are not backed */
    uint64_t committed;  /* pages charged to the commit ledger for it; refunded with the last reference */
    bool commit_by_page; /* each new page that is not backed is charged when it is made */
    uint32_t arriving;   /* shared mappings that may write, allowed and on their way into an address space; atomic */
    struct pagecache_quota *quota; /* for the same pages; NULL: none */
};

/* A cache with one reference. ops NULL: new pages are zeroes. `name` is not copied. NULL when memory is out. */
struct pagecache *pagecache_create(enum frame_kind kind, uint64_t size, const struct pagecache_ops *ops, void *owner,
                                   const char *name, uint64_t inode) __must_check;
struct pagecache *pagecache_get(struct pagecache *cache);
/* The last one drops every page. */
void pagecache_put(struct pagecache *cache);

/* The same for a VMA, of which the owner hears if it counts the mappings (ops->attach). */
struct pagecache *pagecache_attach(struct pagecache *cache);
void pagecache_detach(struct pagecache *cache);
static inline bool pagecache_is_counted(const struct pagecache *cache) { return cache->ops && cache->ops->attach; }

enum pagecache_found { PAGECACHE_HIT, PAGECACHE_NEW };

/*
 * The page at `index`, found or made. Returns PAGECACHE_HIT or PAGECACHE_NEW and the frame (no reference is added: the
 * cache's own keeps it), -EFAULT beyond the end, -ENOMEM, or the error of read_page.
 */
int pagecache_page(struct pagecache *cache, uint64_t index, struct frame **frame) __must_check;

/*
 * The same with a reference for the caller, who may then sleep. PAGECACHE_BEYOND also makes a page beyond the end: for
 * a write that moves the end there afterwards. -ENOSPC: the quota refuses.
 */
enum pagecache_bound { PAGECACHE_WITHIN, PAGECACHE_BEYOND };
int pagecache_hold(struct pagecache *cache, uint64_t index, enum pagecache_bound bound, struct frame **frame) __must_check;

/*
 * The page at `index` with a reference for the caller if it is there or can be read; NULL: a hole, which reads as zeroes
 * and is left one. 0 or a negative errno.
 */
int pagecache_hold_present(struct pagecache *cache, uint64_t index, struct frame **frame) __must_check;

/* Pages that are not backed: what the cache alone holds. */
uint64_t pagecache_own_pages(const struct pagecache *cache);

/* The first page from `index` on that is there (`present`) or is not, at most `end`. Backed pages are there. */
uint64_t pagecache_seek(struct pagecache *cache, uint64_t index, uint64_t end, bool present);

/* The page at `index` if it is in the cache now, without a reference of its own; or NULL. */
struct frame *pagecache_find(struct pagecache *cache, uint64_t index);

/*
 * Drop `count` pages from `index` on: the cache's pins go, and their charges. Entries that map them keep theirs
 * (mm/truncate.h takes them away first).
 */
void pagecache_drop(struct pagecache *cache, uint64_t index, uint64_t count);

/* Copy out of the cache: at most n bytes from `offset`; stops at the end. Bytes copied, or a negative errno. */
ssize_type pagecache_read(struct pagecache *cache, uint64_t offset, void *buffer, size_t n) __must_check;

#endif
