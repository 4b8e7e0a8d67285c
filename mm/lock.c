// SPDX-License-Identifier: MIT
/*
 * lock.c: mlock(2) and its kin, mincore(2), msync(2): which pages are to be there, and which are.
 *
 * Nothing is ever paged out here, so locking means fetching: pages come now, or with MLOCK_ONFAULT at their first
 * touch, and MADV_DONTNEED may not take them away. The promise to lock is a flag of the VMA.
 */
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/range.h"

#define LOCK_FLAGS (VMA_LOCKED | VMA_LOCK_ONFAULT)

/* The mutex is not held. mlock(2), "ERRORS": EAGAIN where pages cannot be had, ENOMEM where there can be none. */
static int lock_fetch(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    int error = aspace_populate(aspace, start, end, POPULATE_LOCKED);
    return error == -ENOMEM ? -EAGAIN : error ? -ENOMEM : 0;
}

/* Set the marks of the range up to the first hole. 0, or -ENOMEM also for the hole. */
static int mark_range(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned flags)
{
    vaddr_t mapped_end = range_mapped_end(aspace, start, end);
    int error = mapped_end > start ? range_set_flags(aspace, start, mapped_end, flags, LOCK_FLAGS) : 0;

    return error || mapped_end == end ? error : -ENOMEM;
}

/* What is locked already is not counted twice. */
static bool limit_allows(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    uint64_t fresh = (end - start) >> PAGE_SHIFT;

    return range_may_lock(aspace, fresh - range_locked_pages(aspace, start, end), VMA_LOCKED);
}

static bool may_lock_nothing(const struct aspace *aspace) { return aspace->unprivileged && !aspace->lock_limit; }

/* The pages that contain [addr, addr + length), as mlock(2) rounds, wrapping as Linux does. 0, -EINVAL on overflow. */
static int pages_around(vaddr_t addr, uint64_t length, vaddr_t *start, vaddr_t *end)
{
    *start = page_down(addr);
    *end = *start + page_up(length + page_offset(addr));
    return *end < *start ? -EINVAL : 0;
}

static unsigned lock_flags(enum lock_mode mode) { return mode == LOCK_ON_FAULT ? LOCK_FLAGS : VMA_LOCKED; }

int aspace_lock(struct aspace *aspace, vaddr_t addr, uint64_t length, enum lock_mode mode)
{
    vaddr_t start, end;
    int error = may_lock_nothing(aspace) ? -EPERM : pages_around(addr, length, &start, &end);

    if (error || start == end)
        return error;
    mutex_lock(&aspace->lock);
    error = limit_allows(aspace, start, end) ? mark_range(aspace, start, end, lock_flags(mode)) : -ENOMEM;
    mutex_unlock(&aspace->lock);
    return error ? error : lock_fetch(aspace, start, end);
}

int aspace_unlock(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    vaddr_t start, end;
    int error = pages_around(addr, length, &start, &end);

    if (error || start == end)
        return error;
    mutex_lock(&aspace->lock);
    error = mark_range(aspace, start, end, 0);
    mutex_unlock(&aspace->lock);
    return error;
}

static void lock_current(struct aspace *aspace, unsigned flags)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link)
        vma->flags = (vma->flags & ~LOCK_FLAGS) | flags;
    range_merge(aspace, USER_START, USER_END);
}

int aspace_lock_all(struct aspace *aspace, int flags)
{
    unsigned locked = lock_flags(flags & MCL_ONFAULT ? LOCK_ON_FAULT : LOCK_NOW);
    int error = 0;

    if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (may_lock_nothing(aspace))
        return -EPERM;
    mutex_lock(&aspace->lock);
    if (flags & MCL_CURRENT && aspace->unprivileged && aspace->vmas.pages > aspace->lock_limit >> PAGE_SHIFT)
        error = -ENOMEM;
    if (!error) {
        aspace->lock_future = flags & MCL_FUTURE ? locked : 0;
        if (flags & MCL_CURRENT)
            lock_current(aspace, locked);
    }
    mutex_unlock(&aspace->lock);
    if (!error && flags & MCL_CURRENT)
        populate_if_possible(aspace, USER_START, USER_END);
    return error;
}

void aspace_unlock_all(struct aspace *aspace)
{
    mutex_lock(&aspace->lock);
    aspace->lock_future = 0;
    lock_current(aspace, 0);
    mutex_unlock(&aspace->lock);
}

/* Is this page of the VMA in memory: mapped, or in its object's cache? */
static bool page_is_in_core(struct aspace *aspace, const struct vma *vma, vaddr_t addr)
{
    const pte_t *slot = pagetable_find(&aspace->tree, addr);

    if (slot && !pte_is_none(pte_load(slot)))
        return true;
    return vma->cache && pagecache_find(vma->cache, vma_index_of(vma, addr));
}

int64_t aspace_in_core(struct aspace *aspace, vaddr_t addr, uint64_t pages, unsigned char *in_core)
{
    mutex_lock(&aspace->lock);
    struct vma *vma = vma_find(&aspace->vmas, addr);
    uint64_t count = vma ? MIN(pages, (vma->end - addr) >> PAGE_SHIFT) : 0;
    for (uint64_t i = 0; i < count; i++)
        in_core[i] = page_is_in_core(aspace, vma, addr + i * PAGE_SIZE);
    mutex_unlock(&aspace->lock);
    return count ? (int64_t)count : -ENOMEM;
}

/* VMA by VMA: what is locked may not be invalidated; a hole is told at the end, or with MS_ASYNC alone at once. */
static int sync_locked(struct aspace *aspace, vaddr_t start, vaddr_t end, uint64_t flags)
{
    bool hole = false;

    while (start < end) {
        const struct vma *vma = vma_find_first(&aspace->vmas, start);
        hole = hole || !vma || vma->start > start;
        if (!vma || (hole && flags == MS_ASYNC) || vma->start >= end)
            return -ENOMEM;
        if (flags & MS_INVALIDATE && vma->flags & VMA_LOCKED)
            return -EBUSY;
        start = vma->end;
    }
    return hole ? -ENOMEM : 0;
}

int aspace_sync(struct aspace *aspace, vaddr_t addr, uint64_t length, uint64_t flags)
{
    vaddr_t end = addr + page_up(length);

    if (!is_aligned(addr, PAGE_SIZE) || flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (end < addr)
        return -ENOMEM;
    mutex_lock(&aspace->lock);
    int error = sync_locked(aspace, addr, end, flags);
    mutex_unlock(&aspace->lock);
    return error;
}
