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

/* One mremap: the old range lies in `vma`; lengths are page aligned. */
struct remap {
    vaddr_t old, target; /* target 0: anywhere */
    uint64_t old_length, new_length;
    unsigned flags;
    struct vma *vma;
};

static uint64_t remap_charge(const struct remap *remap)
{
    return remap->vma->flags & VMA_ACCOUNTED ? (remap->new_length - remap->old_length) >> PAGE_SHIFT : 0;
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

/* Move to `target`, which is free. The old range is cut out first. 0 or -ENOMEM with nothing changed. */
static int remap_move(struct aspace *aspace, struct remap *remap, vaddr_t target)
{
    vaddr_t old_end = remap->old + remap->old_length;

    struct vma *vma = remap_make_vma(aspace, remap, target);
    if (!vma)
        return -ENOMEM;
    if (range_cut(aspace, remap->old, old_end))
        goto out_vma;
    if (pagetable_move(&aspace->tree, remap->old, target, remap->old_length))
        goto out_cut;
    struct vma *old = vma_find(&aspace->vmas, remap->old);
    vma_remove(&aspace->vmas, old);
    vma_destroy(old); /* its charge goes on as the new VMA's */
    vma_insert(&aspace->vmas, vma);
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

/* Grow, or go to a fixed place: in place if possible, else by moving. The address, or -ENOMEM. */
static int64_t remap_place(struct aspace *aspace, struct remap *remap)
{
    vaddr_t target = remap->target;

    if (!target && remap->new_length == remap->old_length)
        return remap->old;
    if (!range_may_grow(aspace, (remap->new_length - remap->old_length) >> PAGE_SHIFT, remap->vma->prot, remap->vma->flags))
        return -ENOMEM;
    if (!target && remap_can_grow_in_place(aspace, remap)) {
        int error = remap_grow_in_place(aspace, remap);
        return error ? error : (int64_t)remap->old;
    }
    if (!(remap->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    if (!target)
        target = vma_find_gap(&aspace->vmas, remap->new_length, MAX(USER_START, page_up(vm_mmap_min_addr)),
                              aspace->mmap_top);
    if (!target)
        return -ENOMEM;
    int error = remap_move(aspace, remap, target);
    return error ? error : (int64_t)target;
}

/* Locked memory is to be there (mlock(2)): so is what it has grown by. */
static bool remap_wants_pages(struct aspace *aspace, vaddr_t start, const struct remap *remap)
{
    const struct vma *vma = vma_find(&aspace->vmas, start);
    return remap->new_length > remap->old_length && (vma->flags & (VMA_LOCKED | VMA_LOCK_ONFAULT)) == VMA_LOCKED;
}

static int64_t remap_locked(struct aspace *aspace, struct remap *remap)
{
    remap->vma = vma_find(&aspace->vmas, remap->old);
    if (!remap->vma || remap->old_length > remap->vma->end - remap->old)
        return -EFAULT;
    if (remap->target && range_unmap(aspace, remap->target, remap->target + remap->new_length))
        return -ENOMEM;
    if (remap->new_length < remap->old_length) {
        if (range_unmap(aspace, remap->old + remap->new_length, remap->old + remap->old_length))
            return -ENOMEM;
        remap->old_length = remap->new_length;
    }
    remap->vma = vma_find(&aspace->vmas, remap->old);
    return remap_place(aspace, remap);
}

/* mremap(2), "ERRORS". Remapping with old_length 0 (a second mapping of shared pages) is not built. */
static bool remap_valid(const struct remap *remap)
{
    bool fixed = remap->flags & MREMAP_FIXED;

    if (remap->flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || !is_aligned(remap->old, PAGE_SIZE) || !remap->new_length ||
        !remap->old_length || remap->old >= USER_END)
        return false;
    if (!fixed)
        return true;
    return remap->flags & MREMAP_MAYMOVE && is_aligned(remap->target, PAGE_SIZE) && remap->target >= USER_START &&
           remap->new_length <= USER_END && remap->target <= USER_END - remap->new_length &&
           (remap->target + remap->new_length <= remap->old || remap->old + remap->old_length <= remap->target);
}

int64_t aspace_remap(struct aspace *aspace, vaddr_t old_addr, uint64_t old_length, uint64_t new_length, unsigned flags,
                     vaddr_t new_addr)
{
    struct remap remap = {
        .old = old_addr,
        .target = flags & MREMAP_FIXED ? new_addr : 0,
        .old_length = page_up(old_length),
        .new_length = page_up(new_length),
        .flags = flags,
    };

    if (!remap_valid(&remap))
        return -EINVAL;
    if (remap.new_length > USER_END)
        return -ENOMEM;
    mutex_lock(&aspace->lock);
    int64_t result = remap_locked(aspace, &remap);
    bool populate = result > 0 && remap_wants_pages(aspace, (vaddr_t)result, &remap);
    mutex_unlock(&aspace->lock);
    if (populate)
        populate_if_possible(aspace, (vaddr_t)result + remap.old_length, (vaddr_t)result + remap.new_length);
    return result;
}
