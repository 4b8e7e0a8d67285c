// SPDX-License-Identifier: MIT
/*
 * advise.c: madvise(2): dropping pages, having them now, and marks that wait for fork or for want of memory.
 */
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/range.h"
#include "mm/reclaim.h"
#include "mm/trace.h"
#include "mm/truncate.h"

/* MADV_DONTNEED: the pages go, the promise stays: the next touch starts from zero, or from the file. */
static int advise_drop(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (pagetable_prepare_release(&aspace->tree, start, end))
        return -ENOMEM;
    range_release_pages(aspace, start, end);
    return 0;
}

/* What may not be done to locked memory. */
static int advise_unlocked(struct aspace *aspace, vaddr_t start)
{
    return vma_find(&aspace->vmas, start)->flags & VMA_LOCKED ? -EINVAL : 0;
}

static void entries_make_lazy_free(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg)
{
    (void)arg;
    for (; slot < stop; slot++, addr += PAGE_SIZE) {
        pte_t entry = pte_load(slot);
        if (pte_is_none(entry) || frame_at(pte_pfn(entry))->kind != FRAME_ANON)
            continue;
        pte_store(slot, pte_lazy_free(entry));
        tlb_flush_page(addr);
    }
}

static bool is_private_anonymous(struct aspace *aspace, vaddr_t start)
{
    return vma_find(&aspace->vmas, start)->ops == &anon_ops;
}

/* MADV_FREE: the pages may go when memory is short, unless they are written before (mm/reclaim.h). */
static int advise_free(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (advise_unlocked(aspace, start) || !is_private_anonymous(aspace, start))
        return -EINVAL;
    if (pagetable_own_range(&aspace->tree, start, end))
        return -ENOMEM;
    pagetable_update(&aspace->tree, start, end, entries_make_lazy_free, NULL);
    reclaim_note_marked();
    return 0;
}

/*
 * MADV_POPULATE_READ and _WRITE (madvise(2)): VMA after VMA up to a hole or one without the right. The mutex is not held:
 * touching may end in a kill.
 */
static int advise_populate(struct aspace *aspace, vaddr_t start, vaddr_t end, int advice)
{
    bool write = advice == MADV_POPULATE_WRITE;

    while (start < end) {
        mutex_lock(&aspace->lock);
        struct vma *vma = vma_find(&aspace->vmas, start);
        vaddr_t part_end = vma ? MIN(vma->end, end) : end;
        int error = !vma ? -ENOMEM : vma->prot & (write ? PROT_WRITE : PROT_READ) ? 0 : -EINVAL;
        mutex_unlock(&aspace->lock);
        if (!error)
            error = aspace_populate(aspace, start, part_end, write ? POPULATE_WRITE : POPULATE_READ);
        if (error)
            return error;
        start = part_end;
    }
    return 0;
}

/* What MADV_REMOVE does to one VMA: pages of its object (one reference is held). */
struct removal {
    struct pagecache *cache;
    uint64_t from, to;
};

/* The first VMA in [*start, end): may its part be removed? 0 (*start is then behind it), or a negative errno. */
static int removal_find(struct aspace *aspace, vaddr_t *start, vaddr_t end, struct removal *removal)
{
    struct vma *vma = vma_find_first(&aspace->vmas, *start);

    if (!vma || vma->start >= end)
        return -ENOMEM;
    if (vma->flags & VMA_LOCKED || !vma->cache)
        return -EINVAL;
    if (!(vma->flags & VMA_SHARED) || vma->flags & VMA_NEVER_WRITE)
        return -EACCES;
    vaddr_t first = MAX(vma->start, *start), last = MIN(vma->end, end);
    removal->cache = pagecache_get(vma->cache);
    removal->from = vma_index_of(vma, first);
    removal->to = removal->from + ((last - first) >> PAGE_SHIFT);
    *start = last;
    return 0;
}

/* MADV_REMOVE: holes in shared objects, under everybody who maps them, so without the mutex of any one. */
static int advise_remove(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct removal removal;
    bool hole = false;

    while (start < end) {
        mutex_lock(&aspace->lock);
        hole = hole || !vma_find(&aspace->vmas, start);
        int error = removal_find(aspace, &start, end, &removal);
        mutex_unlock(&aspace->lock);
        if (error)
            return error;
        error = pagecache_remove(removal.cache, removal.from, removal.to);
        pagecache_put(removal.cache);
        if (error)
            return error;
    }
    return hole ? -ENOMEM : 0;
}

/* The flags that some advice is about; false: it is about pages. */
static bool advice_flags(int advice, unsigned *set, unsigned *clear)
{
    static const struct {
        int advice;
        unsigned set, clear;
    } marks[] = {
        { MADV_NORMAL, 0, VMA_SEQUENTIAL | VMA_RANDOM },
        { MADV_SEQUENTIAL, VMA_SEQUENTIAL, VMA_RANDOM },
        { MADV_RANDOM, VMA_RANDOM, VMA_SEQUENTIAL },
        { MADV_DONTFORK, VMA_DONTFORK, 0 },
        { MADV_DOFORK, 0, VMA_DONTFORK },
        { MADV_WIPEONFORK, VMA_WIPEONFORK, 0 },
        { MADV_KEEPONFORK, 0, VMA_WIPEONFORK },
        { MADV_DONTDUMP, VMA_DONTDUMP, 0 },
        { MADV_DODUMP, 0, VMA_DONTDUMP },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
        *set = marks[i].set;
        *clear = marks[i].clear;
        if (marks[i].advice == advice)
            return true;
    }
    return false;
}

/* [start, end) lies in one VMA. */
static int advise_part(struct aspace *aspace, vaddr_t start, vaddr_t end, int advice)
{
    unsigned set, clear;

    if (advice_flags(advice, &set, &clear)) {
        if (advice == MADV_WIPEONFORK && !is_private_anonymous(aspace, start))
            return -EINVAL;
        return range_set_flags(aspace, start, end, set, clear) ? -EAGAIN : 0;
    }
    switch (advice) {
    case MADV_DONTNEED:
        return advise_unlocked(aspace, start) ? -EINVAL : advise_drop(aspace, start, end);
    case MADV_DONTNEED_LOCKED:
        return advise_drop(aspace, start, end);
    case MADV_FREE:
        return advise_free(aspace, start, end);
    case MADV_COLD: /* without swap space, pages that are written to nowhere stay where they are */
    case MADV_PAGEOUT:
        return advise_unlocked(aspace, start);
    default: /* MADV_WILLNEED: a file's pages are read from memory anyway */
        return 0;
    }
}

static bool advice_is_known(int advice)
{
    unsigned set, clear;

    return advice_flags(advice, &set, &clear) || advice == MADV_WILLNEED || advice == MADV_DONTNEED ||
           advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE || advice == MADV_COLD || advice == MADV_PAGEOUT ||
           advice == MADV_REMOVE || advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
}

/* Apply to each mapped stretch of the range; Linux does so, too, and then reports the hole. */
static int advise_locked(struct aspace *aspace, vaddr_t start, vaddr_t end, int advice)
{
    bool hole = !range_is_mapped(aspace, start, end);

    for (vaddr_t from = start; from < end;) {
        struct vma *vma = vma_find_first(&aspace->vmas, from);
        if (!vma || vma->start >= end)
            break;
        vaddr_t first = MAX(vma->start, from), last = MIN(vma->end, end);
        int error = advise_part(aspace, first, last, advice);
        if (error)
            return error;
        from = last;
    }
    return hole ? -ENOMEM : 0;
}

int aspace_advise(struct aspace *aspace, vaddr_t addr, uint64_t length, int advice)
{
    vaddr_t end = addr + page_up(length);

    if (!advice_is_known(advice) || !is_aligned(addr, PAGE_SIZE) || end < addr || (length && end == addr))
        return -EINVAL;
    if (!length)
        return 0;
    trace_advice(&aspace->tree, addr, addr + page_up(length), advice);
    if (advice == MADV_REMOVE)
        return advise_remove(aspace, addr, end);
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return advise_populate(aspace, addr, end, advice);
    mutex_lock(&aspace->lock);
    int error = advise_locked(aspace, addr, end, advice);
    mutex_unlock(&aspace->lock);
    return error;
}
