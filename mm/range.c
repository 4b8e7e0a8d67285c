// SPDX-License-Identifier: MIT
/*
 * range.c: see range.h.
 */
#include "mm/range.h"

#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/commit.h"
#include "mm/trace.h"

unsigned long vm_max_map_count = 65530;

/* Data is what is private and writable and no stack (getrlimit(2), RLIMIT_DATA). */
static bool vma_is_data(unsigned prot, unsigned flags)
{
    return prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

static uint64_t data_pages(const struct aspace *aspace)
{
    const struct vma *vma;
    uint64_t pages = 0;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link)
        pages += vma_is_data(vma->prot, vma->flags) ? vma_pages(vma) : 0;
    return pages;
}

bool range_may_grow(const struct aspace *aspace, uint64_t pages, unsigned prot, unsigned flags)
{
    if (aspace->vmas.pages + pages > aspace->size_limit >> PAGE_SHIFT)
        return false;
    uint64_t limit = aspace->data_limit ? aspace->data_limit : aspace->data_limit_hard;
    if (limit == UINT64_MAX || !vma_is_data(prot, flags))
        return true;
    return data_pages(aspace) + pages <= limit >> PAGE_SHIFT;
}

bool range_may_lock(struct aspace *aspace, uint64_t pages, unsigned flags)
{
    if (!(flags & VMA_LOCKED) || !aspace->unprivileged)
        return true;
    return range_locked_pages(aspace, 0, USER_END) + pages <= aspace->lock_limit >> PAGE_SHIFT;
}

/* Pages of [start, end) in VMAs that have all of these flags. */
static uint64_t count_pages(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned flags)
{
    uint64_t pages = 0;

    for (struct vma *vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        if ((vma->flags & flags) == flags)
            pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
    return pages;
}

uint64_t range_pages(struct aspace *aspace, vaddr_t start, vaddr_t end) { return count_pages(aspace, start, end, 0); }

uint64_t range_locked_pages(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    return count_pages(aspace, start, end, VMA_LOCKED);
}

vaddr_t range_mapped_end(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(&aspace->vmas, start);

    for (; vma && vma->start <= start && start < end; vma = vma_next(vma))
        start = vma->end;
    return MIN(start, end);
}

int range_set_flags(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned set, unsigned clear)
{
    struct vma *vma;

    if (range_cut(aspace, start, end))
        return -ENOMEM;
    for (vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma))
        vma->flags = (vma->flags & ~clear) | set;
    range_merge(aspace, start, end);
    return 0;
}

/* lab vma: begin */
/* A clone of `vma` (or NULL), if `addr` lies strictly inside of it, for cutting there. False: out of memory. */
static bool cut_prepare(const struct vma *vma, vaddr_t addr, struct vma **upper)
{
    bool is_inside = vma && vma->start < addr && vma->end > addr;

    *upper = is_inside ? vma_clone(vma) : NULL;
    return *upper || !is_inside;
}

static void cut_at(struct aspace *aspace, vaddr_t addr, struct vma *upper)
{
    if (upper)
        vma_split(&aspace->vmas, vma_find(&aspace->vmas, addr), addr, upper);
}

/* Cut at both ends; there may be `limit` VMAs afterwards. 0, or -ENOMEM with nothing cut. */
static int cut_within(struct aspace *aspace, vaddr_t start, vaddr_t end, uint64_t limit)
{
    struct vma *at_start, *at_end;

    if (!cut_prepare(vma_find(&aspace->vmas, start), start, &at_start))
        return -ENOMEM;
    if (!cut_prepare(vma_find(&aspace->vmas, end - 1), end, &at_end) ||
        aspace->vmas.count + !!at_start + !!at_end > limit) {
        if (at_start)
            vma_destroy(at_start);
        if (at_end)
            vma_destroy(at_end);
        return -ENOMEM;
    }
    cut_at(aspace, start, at_start);
    cut_at(aspace, end, at_end);
    return 0;
}
/* lab vma: instead cut_within.c */

int range_cut(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    /* Who is at the limit or beyond, and needs no cut, is not stopped. */
    return cut_within(aspace, start, end, MAX(vm_max_map_count, (unsigned long)aspace->vmas.count));
}

/* lab vma: begin */
/* The same before the range goes, of which `vma` is the first: only a hole inside of it leaves more VMAs than there were. */
static int cut_out(struct aspace *aspace, const struct vma *vma, vaddr_t start, vaddr_t end)
{
    bool is_hole = vma->start < start && vma->end > end;

    if (vma->start >= start && vma->end == end)
        return 0; /* what goes is mostly one mapping as it was made */

    if (is_hole && aspace->vmas.count >= vm_max_map_count)
        return -ENOMEM;
    return cut_within(aspace, start, end, UINT64_MAX);
}
/* lab vma: instead */

bool range_is_mapped(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(&aspace->vmas, start);

    while (vma && vma->end < end) {
        struct vma *next = vma_next(vma);
        if (!next || next->start != vma->end)
            return false;
        vma = next;
    }
    return vma;
}

bool range_is_free(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find_near(&aspace->vmas, start);
    return !vma || vma->start >= end;
}

void range_release_pages(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct gather gather = { 0 };

    aspace_note_peak_locked(aspace);
    pagetable_release(&aspace->tree, start, end, &gather);
    gather_finish(&gather);
    trace_range(TRACE_RELEASE, &aspace->tree, start, end, 0);
}

/* lab vma: begin */
int range_unmap(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find_near(&aspace->vmas, start), *next;

    if (!vma || vma->start >= end)
        return 0;
    bool holds = pagetable_holds(&aspace->tree, start, end);
    if (holds && pagetable_prepare_release(&aspace->tree, start, end))
        return -ENOMEM;
    if (cut_out(aspace, vma, start, end))
        return -ENOMEM;
    if (holds)
        range_release_pages(aspace, start, end);
    for (vma = vma_find_near(&aspace->vmas, start); vma && vma->start < end; vma = next) {
        next = vma_next(vma);
        vma_remove(&aspace->vmas, vma);
        if (vma->flags & VMA_ACCOUNTED)
            commit_refund(vma_pages(vma));
        vma_destroy(vma);
    }
    trace_range(TRACE_UNMAP, &aspace->tree, start, end, 0);
    return 0;
}
/* lab vma: instead range_unmap.c */

void range_merge(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find_first(&aspace->vmas, start);

    while (vma && vma->start <= end)
        vma = vma_next(vma_merge(&aspace->vmas, vma));
}
