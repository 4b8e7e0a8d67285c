// SPDX-License-Identifier: MIT
/*
 * vma.h: one promise: a range of addresses, its rights, its kind and its backing; and the tree of them.
 *
 * The set of an address space is kept twice over the same nodes: a list in address order, and a balanced
 * tree that knows for every subtree how large a gap in front of one of its VMAs can be, so that finding room
 * takes about as long as finding an address. Ranges never overlap. Neighbours that could be one VMA are one.
 *
 * Lock: the address space's mutex guards the set and every VMA in it.
 */
#ifndef MM_VMA_H
#define MM_VMA_H

#include <sys/queue.h>

#include "arch/x86_64/page.h"
#include "kernel/lib/types.h"
#include "mm/pagecache.h"

struct vma_ops; /* mm/fault.h: how a page of this kind of memory comes to be */

enum vma_flags {
    VMA_SHARED = 1 << 0,     /* MAP_SHARED: writes are seen by all mappers */
    VMA_GROWSDOWN = 1 << 1,  /* grows at its start when touched just below */
    VMA_NORESERVE = 1 << 2,  /* MAP_NORESERVE */
    VMA_ACCOUNTED = 1 << 3,  /* its pages are charged to the commit ledger; stays once set */
    VMA_NEVER_WRITE = 1 << 4, /* shared mapping of a file that is not open for writing */
    VMA_LOCKED = 1 << 5,      /* mlock(2): its pages stay, and count in VmLck */
    VMA_LOCK_ONFAULT = 1 << 6, /* with VMA_LOCKED: pages are not fetched beforehand */
    VMA_SEQUENTIAL = 1 << 7,  /* madvise(2): how far faultahead= goes (mm/anon.c); else kept for /proc alone */
    VMA_RANDOM = 1 << 8,
    VMA_DONTFORK = 1 << 9,    /* madvise(2): a child does not get it */
    VMA_WIPEONFORK = 1 << 10, /* madvise(2): a child gets it empty */
    VMA_DONTDUMP = 1 << 11,   /* madvise(2): left out of core files */
    VMA_NEVER_EXEC = 1 << 12, /* mapping of a file on a file system mounted with MS_NOEXEC */
};

struct vma {
    vaddr_t start, end; /* [start, end), page aligned */
    unsigned prot;      /* PROT_READ | PROT_WRITE | PROT_EXEC */
    unsigned flags;     /* enum vma_flags */
    const struct vma_ops *ops;
    struct pagecache *cache; /* one reference; NULL: anonymous private */
    uint64_t index;          /* page of the cache at `start` */
    vaddr_t fault_next;      /* anonymous, with faultahead=: where the last fault in it has ended */

    TAILQ_ENTRY(vma) link;
    struct vma *left, *right, *up;
    uint32_t priority;
    uint64_t gap;     /* bytes between the previous VMA's end (or 0) and start */
    uint64_t max_gap; /* no `gap` in this subtree is larger */
};

struct vma_set {
    TAILQ_HEAD(vma_list, vma) list;
    struct vma *root;
    struct vma *last;    /* look-aside: the VMA found last, or next to what has changed; or one that holds no address */
    unsigned count;
    uint64_t pages;      /* sum of all sizes: VSZ */
    uint64_t peak_pages; /* its maximum (VmPeak) */
};

void vma_set_init(struct vma_set *set);

/* A VMA outside any set; takes its own reference on `cache` (which may be NULL). NULL when memory is out. */
struct vma *vma_create(vaddr_t start, vaddr_t end, unsigned prot, unsigned flags, const struct vma_ops *ops,
                       struct pagecache *cache, uint64_t index) __must_check;
/* A copy outside any set (own reference on the cache). */
struct vma *vma_clone(const struct vma *vma) __must_check;
void vma_destroy(struct vma *vma);

/* The VMA that contains addr; or (_first) the first that ends above addr: it contains addr or lies above; or NULL. */
struct vma *vma_find(struct vma_set *set, vaddr_t addr);
struct vma *vma_find_first(struct vma_set *set, vaddr_t addr);
/* The same; looks first where the last search ended, which is right for most faults. */
static inline struct vma *vma_find_again(struct vma_set *set, vaddr_t addr)
{
    struct vma *last = set->last;
    return likely(addr >= last->start && addr < last->end) ? last : vma_find_first(set, addr);
}

/* The same for who changes promises, who often comes again to a place in front of the last one found. */
static inline struct vma *vma_find_near(struct vma_set *set, vaddr_t addr)
{
    struct vma *last = set->last;
    return addr >= last->start - last->gap && addr < last->end ? last : vma_find_first(set, addr);
}

/* The range is free. */
void vma_insert(struct vma_set *set, struct vma *vma);
void vma_remove(struct vma_set *set, struct vma *vma);
/*
 * fork: copies of all of `from` in `set`, which is empty. The tree is copied as it is, so nothing is compared or
 * balanced. False: out of memory, `set` is empty still.
 */
bool vma_set_clone(struct vma_set *set, const struct vma_set *from) __must_check;
/* Move the ends; the new range touches no other VMA. `index` follows a moved start. */
void vma_resize(struct vma_set *set, struct vma *vma, vaddr_t start, vaddr_t end);

/* Cut in two at `addr` inside it; the upper part is the new VMA `upper`, made before by vma_clone(). Cannot fail. */
void vma_split(struct vma_set *set, struct vma *vma, vaddr_t addr, struct vma *upper);

/* Join `vma` with its neighbours where they touch and are alike. Returns the VMA that now covers its range. */
struct vma *vma_merge(struct vma_set *set, struct vma *vma);

/*
 * The highest start of a free range of `length` bytes within [low, high), or 0. Within reach of `high`
 * first, downwards: where Linux puts mappings.
 */
vaddr_t vma_find_gap(struct vma_set *set, uint64_t length, vaddr_t low, vaddr_t high);

/* Pages that stay free below a mapping that grows downwards (as Linux's stack_guard_gap). */
#define VMA_GUARD_GAP (256 * PAGE_SIZE)

static inline uint64_t vma_pages(const struct vma *vma) { return (vma->end - vma->start) >> PAGE_SHIFT; }
static inline struct vma *vma_next(struct vma *vma) { return TAILQ_NEXT(vma, link); }
static inline struct vma *vma_prev(struct vma *vma) { return TAILQ_PREV(vma, vma_list, link); }

/* Where the room below a VMA ends: one that grows downwards keeps a guard free. */
static inline vaddr_t vma_guard_start(const struct vma *vma)
{
    if (!(vma->flags & VMA_GROWSDOWN))
        return vma->start;
    return vma->start > VMA_GUARD_GAP ? vma->start - VMA_GUARD_GAP : 0;
}

/* Page of the cache that `addr` inside the VMA shows. */
static inline uint64_t vma_index_of(const struct vma *vma, vaddr_t addr)
{
    return vma->index + ((addr - vma->start) >> PAGE_SHIFT);
}

/*
 * Are the pages of such a VMA promises of its own: private and writable (proc(5), Committed_AS)? Shared memory is
 * charged to its object (mm/shm.h).
 */
bool vma_is_accountable(unsigned prot, unsigned flags);

/* Order, gaps, list against tree, merge rule; panics with what is wrong. */
void vma_set_check(struct vma_set *set);

#endif
