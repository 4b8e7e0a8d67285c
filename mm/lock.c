// SPDX-License-Identifier: MIT
/*
 * lock.c: mlock(2) and its kin, mincore(2): which pages are to be there, and which are.
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

/* Pages of [start, end) that are locked now. */
static uint64_t locked_pages(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;

    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if (vma->flags & VMA_LOCKED)
            pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
    return pages;
}

static bool range_has_no_access(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if (!vma->prot)
            return true;
    return false;
}

/* The mutex is not held. mlock(2), "ERRORS": EAGAIN where pages cannot be had, ENOMEM where there can be none. */
static int lock_fetch(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    int error = aspace_populate(aspace, start, end, POPULATE_BY_RIGHTS);
    return error == -ENOMEM ? -EAGAIN : error ? -ENOMEM : 0;
}

static int lock_range(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned flags, uint64_t limit)
{
    uint64_t now = locked_pages(aspace, 0, USER_END), fresh = (end - start) >> PAGE_SHIFT;

    fresh -= locked_pages(aspace, start, end);
    if (now + fresh > limit >> PAGE_SHIFT || !range_is_mapped(aspace, start, end))
        return -ENOMEM;
    int error = range_set_flags(aspace, start, end, flags, LOCK_FLAGS);
    if (!error && !(flags & VMA_LOCK_ONFAULT) && range_has_no_access(aspace, start, end))
        error = -ENOMEM;
    return error;
}

static int unlock_range(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    return range_is_mapped(aspace, start, end) ? range_set_flags(aspace, start, end, 0, LOCK_FLAGS) : -ENOMEM;
}

/* The pages that contain [addr, addr + length), as mlock(2) rounds. 0, -EINVAL on overflow. */
static int pages_around(vaddr_t addr, uint64_t length, vaddr_t *start, vaddr_t *end)
{
    *start = page_down(addr);
    *end = page_up(addr + length);
    if (addr + length < addr || *end < *start)
        return -EINVAL;
    return *end > USER_END ? -ENOMEM : 0;
}

static unsigned lock_flags(enum lock_mode mode) { return mode == LOCK_ON_FAULT ? LOCK_FLAGS : VMA_LOCKED; }

int aspace_lock(struct aspace *aspace, vaddr_t addr, uint64_t length, enum lock_mode mode, uint64_t limit)
{
    vaddr_t start, end;
    int error = pages_around(addr, length, &start, &end);

    if (error || start == end)
        return error;
    mutex_lock(&aspace->lock);
    error = lock_range(aspace, start, end, lock_flags(mode), limit);
    mutex_unlock(&aspace->lock);
    return error || mode == LOCK_ON_FAULT ? error : lock_fetch(aspace, start, end);
}

int aspace_unlock(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    vaddr_t start, end;
    int error = pages_around(addr, length, &start, &end);

    if (error || start == end)
        return error;
    mutex_lock(&aspace->lock);
    error = unlock_range(aspace, start, end);
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

int aspace_lock_all(struct aspace *aspace, int flags, uint64_t limit)
{
    unsigned locked = lock_flags(flags & MCL_ONFAULT ? LOCK_ON_FAULT : LOCK_NOW);
    int error = 0;

    if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    mutex_lock(&aspace->lock);
    if (flags & MCL_CURRENT && aspace->vmas.pages > limit >> PAGE_SHIFT)
        error = -ENOMEM;
    if (!error) {
        aspace->lock_future = flags & MCL_FUTURE ? locked : 0;
        if (flags & MCL_CURRENT)
            lock_current(aspace, locked);
    }
    mutex_unlock(&aspace->lock);
    if (!error && flags & MCL_CURRENT && !(flags & MCL_ONFAULT))
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

int aspace_in_core(struct aspace *aspace, vaddr_t addr, uint64_t pages, unsigned char *in_core)
{
    int error = 0;

    mutex_lock(&aspace->lock);
    for (uint64_t i = 0; i < pages && !error; i++) {
        vaddr_t page = addr + i * PAGE_SIZE;
        struct vma *vma = vma_find(&aspace->vmas, page);
        if (vma)
            in_core[i] = page_is_in_core(aspace, vma, page);
        else
            error = -ENOMEM;
    }
    mutex_unlock(&aspace->lock);
    return error;
}

bool aspace_is_mapped(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    mutex_lock(&aspace->lock);
    bool mapped = range_is_mapped(aspace, addr, addr + length);
    mutex_unlock(&aspace->lock);
    return mapped;
}
