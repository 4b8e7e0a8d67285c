// SPDX-License-Identifier: MIT
/*
 * advise.c: madvise(2): dropping pages, having them now, and marks that wait for fork or for want of memory.
 */
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/range.h"
#include "mm/trace.h"
#include "mm/truncate.h"

/* Does a VMA of the range have one of these flags? */
static bool range_has_flags(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned flags)
{
    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if (vma->flags & flags)
            return true;
    return false;
}

static bool range_is_private_anonymous(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if (vma->ops != &anon_ops)
            return false;
    return true;
}

/* MADV_DONTNEED: the pages go, the promise stays: the next touch starts from zero, or from the file. */
static int advise_drop(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (range_has_flags(aspace, start, end, VMA_LOCKED))
        return -EINVAL;
    if (pagetable_prepare_release(&aspace->tree, start, end))
        return -ENOMEM;
    range_release_pages(aspace, start, end);
    return 0;
}

static void entry_make_lazy_free(vaddr_t addr, pte_t *slot, void *arg)
{
    (void)arg;
    pte_t entry = pte_load(slot);
    if (frame_at(pte_pfn(entry))->kind != FRAME_ANON)
        return;
    pte_store(slot, pte_lazy_free(entry));
    tlb_flush_page(addr);
}

/* MADV_FREE: the pages may go when memory is short, unless they are written before (mm/reclaim.h). */
static int advise_free(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (range_has_flags(aspace, start, end, VMA_LOCKED) || !range_is_private_anonymous(aspace, start, end))
        return -EINVAL;
    if (pagetable_own_range(&aspace->tree, start, end))
        return -ENOMEM;
    pagetable_update(&aspace->tree, start, end, entry_make_lazy_free, NULL);
    return 0;
}

/* MADV_POPULATE_READ and _WRITE (madvise(2)): may it be tried? The touching comes after the mutex is released. */
static int advise_may_populate(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned right)
{
    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if (!(vma->prot & right))
            return -EINVAL;
    return 0;
}

static int advise_wipe_on_fork(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (!range_is_private_anonymous(aspace, start, end))
        return -EINVAL;
    return range_set_flags(aspace, start, end, VMA_WIPEONFORK, 0);
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

static int advise_mapped(struct aspace *aspace, vaddr_t start, vaddr_t end, int advice)
{
    switch (advice) {
    case MADV_NORMAL:
        return range_set_flags(aspace, start, end, 0, VMA_SEQUENTIAL | VMA_RANDOM);
    case MADV_SEQUENTIAL:
        return range_set_flags(aspace, start, end, VMA_SEQUENTIAL, VMA_RANDOM);
    case MADV_RANDOM:
        return range_set_flags(aspace, start, end, VMA_RANDOM, VMA_SEQUENTIAL);
    case MADV_DONTNEED:
        return advise_drop(aspace, start, end);
    case MADV_FREE:
        return advise_free(aspace, start, end);
    case MADV_POPULATE_READ:
        return advise_may_populate(aspace, start, end, PROT_READ);
    case MADV_POPULATE_WRITE:
        return advise_may_populate(aspace, start, end, PROT_WRITE);
    case MADV_DONTFORK:
        return range_set_flags(aspace, start, end, VMA_DONTFORK, 0);
    case MADV_DOFORK:
        return range_set_flags(aspace, start, end, 0, VMA_DONTFORK);
    case MADV_WIPEONFORK:
        return advise_wipe_on_fork(aspace, start, end);
    case MADV_KEEPONFORK:
        return range_set_flags(aspace, start, end, 0, VMA_WIPEONFORK);
    default: /* MADV_WILLNEED: a file's pages are read from memory anyway */
        return 0;
    }
}

static bool advice_is_known(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || advice == MADV_FREE || advice == MADV_REMOVE ||
           advice == MADV_DONTFORK || advice == MADV_DOFORK || advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK ||
           advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
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
        int error = advise_mapped(aspace, first, last, advice);
        if (error)
            return error;
        from = last;
    }
    return hole ? -ENOMEM : 0;
}

int aspace_advise(struct aspace *aspace, vaddr_t addr, uint64_t length, int advice)
{
    if (!advice_is_known(advice) || !is_aligned(addr, PAGE_SIZE) || addr >= USER_END || length > USER_END - addr)
        return -EINVAL;
    if (!length)
        return 0;
    trace_advice(&aspace->tree, addr, addr + page_up(length), advice);
    if (advice == MADV_REMOVE)
        return advise_remove(aspace, addr, addr + page_up(length));
    mutex_lock(&aspace->lock);
    int error = advise_locked(aspace, addr, addr + page_up(length), advice);
    mutex_unlock(&aspace->lock);
    if (!error && (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE))
        error = aspace_populate(aspace, addr, addr + page_up(length),
                                advice == MADV_POPULATE_WRITE ? POPULATE_WRITE : POPULATE_READ);
    return error;
}
