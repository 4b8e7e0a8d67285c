// SPDX-License-Identifier: MIT
/*
 * truncate.c: taking pages out of an object under those who map it.
 *
 * There is no reverse map: all address spaces are looked through for mappings of the object. That is a look at each VMA
 * in the machine, and only for a file that shrinks while somebody maps it (a cache with one reference is mapped by
 * nobody). New faults cannot bring a page back meanwhile: the size is changed first, and each address space is visited
 * under its mutex, which faults take, too.
 *
 * Locks: the list's lock for steps along it, with a reference on the address space where we stand; then its mutex.
 */
#include "mm/truncate.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/aspace_list.h"
#include "mm/range.h"

struct cut {
    struct pagecache *cache;
    uint64_t from, to; /* pages of the cache */
    bool private_too;  /* copies on write as well */
};

/* The part of the VMA that shows pages of the cut. False: none. */
static bool cut_in_vma(const struct cut *cut, const struct vma *vma, vaddr_t *start, vaddr_t *end)
{
    uint64_t first = vma->index, last = vma->index + vma_pages(vma);

    if (vma->cache != cut->cache || cut->from >= last || cut->to <= first)
        return false;
    *start = vma->start + ((MAX(cut->from, first) - first) << PAGE_SHIFT);
    *end = vma->start + ((MIN(cut->to, last) - first) << PAGE_SHIFT);
    return true;
}

static int cut_locked(const struct cut *cut, struct aspace *aspace)
{
    struct vma *vma;
    vaddr_t start, end;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link) {
        if (!cut_in_vma(cut, vma, &start, &end) || !(vma->flags & VMA_SHARED || cut->private_too))
            continue;
        if (pagetable_prepare_release(&aspace->tree, start, end))
            return -ENOMEM;
        range_release_pages(aspace, start, end);
    }
    return 0;
}

/* A reference to the address space behind `aspace` (NULL: to the first), whose reference goes; NULL at the end. */
static struct aspace *aspace_step(struct aspace *aspace)
{
    spin_lock(&aspace_list_lock);
    struct aspace *next = aspace ? LIST_NEXT(aspace, all) : LIST_FIRST(&aspace_list);
    if (next)
        aspace_get(next);
    spin_unlock(&aspace_list_lock);
    if (aspace)
        aspace_put(aspace);
    return next;
}

static int cut_everywhere(const struct cut *cut)
{
    struct aspace *aspace = NULL;
    int error = 0;

    if (cut->cache->refs == 1)
        return 0;
    while (!error && (aspace = aspace_step(aspace))) {
        mutex_lock(&aspace->lock);
        error = cut_locked(cut, aspace);
        mutex_unlock(&aspace->lock);
    }
    if (aspace)
        aspace_put(aspace);
    return error;
}

/* Clear the last page behind the end: whoever makes the object longer again finds zeroes there. */
static int tail_clear(struct pagecache *cache, uint64_t size)
{
    struct frame *frame;

    if (!page_offset(size))
        return 0;
    int error = pagecache_hold_present(cache, size >> PAGE_SHIFT, &frame);
    if (error || !frame)
        return error;
    memset((char *)frame_address(frame) + page_offset(size), 0, PAGE_SIZE - page_offset(size));
    frame_put(frame);
    return 0;
}

int pagecache_truncate(struct pagecache *cache, uint64_t size)
{
    uint64_t before = cache->size, pages = page_up(size) >> PAGE_SHIFT;
    struct cut cut = { .cache = cache, .from = pages, .to = UINT64_MAX, .private_too = true };

    if (size >= before) {
        cache->size = size;
        return 0;
    }
    int error = tail_clear(cache, size);
    if (error)
        return error;
    cache->size = size;
    error = cut_everywhere(&cut);
    if (error) {
        cache->size = before;
        return error;
    }
    pagecache_drop(cache, pages, UINT64_MAX);
    cache->backed = MIN(cache->backed, pages);
    return 0;
}

int pagecache_punch(struct pagecache *cache, uint64_t from, uint64_t to)
{
    struct cut cut = { .cache = cache, .from = from, .to = to };
    int error = cut_everywhere(&cut);

    if (!error)
        pagecache_drop(cache, from, to - from);
    return error;
}
