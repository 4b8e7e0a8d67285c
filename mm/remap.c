// SPDX-License-Identifier: MIT
/*
 * remap.c: mremap(2): a mapping changes its size or its place, and its pages go along. Moving a page moves its
 * entry; no frame is copied.
 */
#include <linux/mman.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/range.h"
#include "mm/trace.h"

/* One mremap; lengths are page aligned. */
struct remap {
    vaddr_t old, new_addr; /* new_addr: as asked for */
    uint64_t old_length, new_length;
    unsigned flags;
    struct vma *vma; /* the old range lies in it */
};

/* Does the old range stay mapped, without its pages: MREMAP_DONTUNMAP, or nothing but a second view is wanted? */
static bool remap_keeps_old(const struct remap *remap)
{
    return remap->flags & MREMAP_DONTUNMAP || !remap->old_length;
}

/* Pages that there are more of afterwards. */
static uint64_t remap_more(const struct remap *remap)
{
    uint64_t old_length = remap_keeps_old(remap) ? 0 : remap->old_length;
    return (remap->new_length - old_length) >> PAGE_SHIFT;
}

static uint64_t remap_charge(const struct remap *remap)
{
    return remap->vma->flags & VMA_ACCOUNTED ? remap_more(remap) : 0;
}

/* The room behind the old range is free: the VMA just gets longer. 0 or -ENOMEM. */
static int remap_grow_in_place(struct aspace *aspace, const struct remap *remap)
{
    if (commit_charge(remap_charge(remap), aspace))
        return -ENOMEM;
    vma_resize(&aspace->vmas, remap->vma, remap->vma->start, remap->old + remap->new_length);
    trace_vma(TRACE_MAP, &aspace->tree, remap->vma, remap->old + remap->old_length, remap->old + remap->new_length);
    vma_merge(&aspace->vmas, remap->vma);
    return 0;
}

static bool remap_can_grow_in_place(struct aspace *aspace, const struct remap *remap)
{
    vaddr_t old_end = remap->old + remap->old_length, new_end = remap->old + remap->new_length;

    return remap->vma->end == old_end && new_end <= USER_END && new_end > remap->old &&
           range_is_free(aspace, old_end, new_end);
}

/* The VMA at the new place, not yet in the set; its charge for growth is taken. NULL: out of memory. */
static struct vma *remap_make_vma(struct aspace *aspace, const struct remap *remap, vaddr_t target)
{
    const struct vma *old = remap->vma;

    if (commit_charge(remap_charge(remap), aspace))
        return NULL;
    struct vma *vma = vma_create(target, target + remap->new_length, old->prot, old->flags, old->ops, old->cache,
                                 old->cache ? vma_index_of(old, remap->old) : 0);
    if (!vma)
        commit_refund(remap_charge(remap));
    return vma;
}

/* The old VMA, which has lost its pages: its charge goes on as the new one's, unless it stays. */
static void remap_leave_old(struct aspace *aspace, const struct remap *remap)
{
    struct vma *old = vma_find(&aspace->vmas, remap->old);

    if (remap_keeps_old(remap)) {
        if (remap->old_length) /* what is locked is the new place */
            old->flags &= ~(VMA_LOCKED | VMA_LOCK_ONFAULT);
        vma_merge(&aspace->vmas, old);
        return;
    }
    vma_remove(&aspace->vmas, old);
    vma_destroy(old);
}

/* Move to `target`, which is free. The old range is cut out first. 0 or -ENOMEM with nothing changed. */
static int remap_move(struct aspace *aspace, struct remap *remap, vaddr_t target)
{
    vaddr_t old_end = remap->old + remap->old_length;

    if (aspace->vmas.count + 3ul >= vm_max_map_count) /* Linux's margin for what it may have to cut */
        return -ENOMEM;
    struct vma *vma = remap_make_vma(aspace, remap, target);
    if (!vma)
        return -ENOMEM;
    if (!remap_keeps_old(remap) && range_cut(aspace, remap->old, old_end))
        goto out_vma;
    if (remap->old_length && pagetable_move(&aspace->tree, remap->old, target, remap->old_length))
        goto out_cut;
    remap_leave_old(aspace, remap);
    vma_insert(&aspace->vmas, vma);
    if (!remap_keeps_old(remap))
        trace_range(TRACE_UNMAP, &aspace->tree, remap->old, old_end, 0);
    trace_vma(TRACE_MAP, &aspace->tree, vma, vma->start, vma->end);
    vma_merge(&aspace->vmas, vma);
    return 0;

out_cut:
    range_merge(aspace, remap->old, old_end);
out_vma:
    commit_refund(remap_charge(remap));
    vma_destroy(vma);
    return -ENOMEM;
}

/* Find the VMA and check that the range may be resized: 0, or the error in Linux's order. */
static int remap_check(struct aspace *aspace, struct remap *remap)
{
    struct vma *vma = remap->vma = vma_find(&aspace->vmas, remap->old);
    uint64_t more = (remap->new_length - remap->old_length) >> PAGE_SHIFT;

    if (!vma)
        return -EFAULT;
    if (!remap->old_length && !(vma->flags & VMA_SHARED))
        return -EINVAL; /* a second view of private pages */
    if (remap->old_length > vma->end - remap->old)
        return -EFAULT;
    if (!more)
        return 0;
    if (!range_may_lock(aspace, more, vma->flags))
        return -EAGAIN;
    return range_may_grow(aspace, more, vma->prot, vma->flags) ? 0 : -ENOMEM;
}

/* Take [old + new_length, old + old_length) away, whatever VMAs it touches. */
static int remap_shrink(struct aspace *aspace, struct remap *remap)
{
    vaddr_t start = remap->old + remap->new_length;
    uint64_t length = remap->old_length - remap->new_length;

    if (remap->old_length <= remap->new_length)
        return 0;
    if (start < remap->old || start > USER_END || length > USER_END - start)
        return -EINVAL;
    int error = range_unmap(aspace, start, start + length);
    if (!error)
        remap->old_length = remap->new_length;
    return error;
}

/* Grow: in place if possible, else by moving. The address, or an error. */
static int64_t remap_grow(struct aspace *aspace, struct remap *remap)
{
    int error = remap_check(aspace, remap);

    if (error)
        return error;
    if (remap_can_grow_in_place(aspace, remap)) {
        error = remap_grow_in_place(aspace, remap);
        return error ? error : (int64_t)remap->old;
    }
    if (!(remap->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    vaddr_t target = map_find_gap(aspace, 0, remap->new_length);
    if (!target)
        return -ENOMEM;
    error = remap_move(aspace, remap, target);
    return error ? error : (int64_t)target;
}

/* May the new place be used, as far as addresses go? 0, -EINVAL, -EPERM. */
static int remap_check_place(const struct aspace *aspace, const struct remap *remap)
{
    vaddr_t addr = remap->new_addr;

    if (!is_aligned(addr, PAGE_SIZE) || remap->new_length > USER_END || addr > USER_END - remap->new_length ||
        (remap->old + remap->old_length > addr && addr + remap->new_length > remap->old))
        return -EINVAL;
    if (!(remap->flags & MREMAP_FIXED))
        return 0;
    return addr < USER_START || (aspace->unprivileged && addr < vm_mmap_min_addr) ? -EPERM : 0;
}

/* MREMAP_FIXED, MREMAP_DONTUNMAP: what is at the new place, and the end that is cut off, go first, as on Linux. */
static int64_t remap_to(struct aspace *aspace, struct remap *remap)
{
    int error = remap_check_place(aspace, remap);

    if (!error && aspace->vmas.count + 5ul >= vm_max_map_count)
        error = -ENOMEM;
    if (!error && remap->flags & MREMAP_FIXED)
        error = range_unmap(aspace, remap->new_addr, remap->new_addr + remap->new_length);
    if (!error)
        error = remap_shrink(aspace, remap);
    if (!error)
        error = remap_check(aspace, remap);
    if (!error && !range_may_grow(aspace, remap_keeps_old(remap) ? remap_more(remap) : 0, remap->vma->prot, remap->vma->flags))
        error = -ENOMEM;
    if (error)
        return error;
    vaddr_t target = remap->flags & MREMAP_FIXED ? remap->new_addr
                                                 : map_find_gap(aspace, remap->new_addr, remap->new_length);
    error = target ? remap_move(aspace, remap, target) : -ENOMEM;
    return error ? error : (int64_t)target;
}

static int64_t remap_locked(struct aspace *aspace, struct remap *remap)
{
    if (!vma_find(&aspace->vmas, remap->old))
        return -EFAULT;
    if (remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        return remap_to(aspace, remap);
    if (remap->old_length < remap->new_length)
        return remap_grow(aspace, remap);
    int error = remap_shrink(aspace, remap);
    return error ? error : (int64_t)remap->old;
}

/* Locked memory is to be there (mlock(2)): so is what it has grown by. */
static bool remap_wants_pages(struct aspace *aspace, vaddr_t start, const struct remap *remap)
{
    return remap->new_length > remap->old_length && vma_find(&aspace->vmas, start)->flags & VMA_LOCKED;
}

/* mremap(2), "ERRORS": what needs no look at the mapping. */
static bool remap_valid(const struct remap *remap)
{
    unsigned flags = remap->flags;

    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || !is_aligned(remap->old, PAGE_SIZE))
        return false;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
        return false;
    return remap->new_length > 0;
}

int64_t aspace_remap(struct aspace *aspace, vaddr_t old_addr, uint64_t old_length, uint64_t new_length, unsigned flags,
                     vaddr_t new_addr)
{
    struct remap remap = {
        .old = old_addr,
        .new_addr = new_addr,
        .old_length = page_up(old_length),
        .new_length = page_up(new_length),
        .flags = flags,
    };

    if (!remap_valid(&remap) || (flags & MREMAP_DONTUNMAP && old_length != new_length))
        return -EINVAL;
    mutex_lock(&aspace->lock);
    int64_t result = remap_locked(aspace, &remap);
    bool populate = result > 0 && remap_wants_pages(aspace, (vaddr_t)result, &remap);
    mutex_unlock(&aspace->lock);
    if (populate)
        populate_if_possible(aspace, (vaddr_t)result + remap.old_length, (vaddr_t)result + remap.new_length);
    return result;
}
