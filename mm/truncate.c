// SPDX-License-Identifier: MIT
/*
 * truncate.c: taking pages out of an object under those who map it.
 *
 * There is no reverse map: all address spaces are looked through for mappings of the object. That is a look at each VMA
 * in the machine, and only for a file that loses pages while somebody maps it (a cache with one reference is mapped by
 * nobody).
 *
 * The order keeps old pages from coming back while we sleep on somebody's mutex: first no new fault can find them (the
 * size has shrunk, or the cache has dropped them), then the entries go, address space by address space. A child of
 * fork stands behind its parent in the list, so that it cannot carry entries past us.
 *
 * An entry goes where it stands, also from a table that is shared since a fork: all that share the table map the same
 * object there. So nothing here needs memory; and before the first entry goes, everyone's resident peak is noted.
 *
 * Locks: the list's lock for steps along it, with a reference on the address space where we stand; then its mutex.
 */
#include "mm/truncate.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/aspace_list.h"
#include "mm/trace.h"

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

struct cut_walk {
    const struct cut *cut;
    struct aspace *aspace;
    struct gather gather;
};

static int cut_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct cut_walk *walk = arg;
    struct frame *frame = frame_at(pte_pfn(entry));

    if (frame->kind == FRAME_ANON && !walk->cut->private_too)
        return 0;
    pte_t *slot = (pte_t *)pagetable_find(&walk->aspace->tree, addr);
    pagetable_set(slot, pte_none());
    trace_entry(TRACE_RECLAIM, slot, entry, pte_none(), NULL);
    gather_add(&walk->gather, frame, addr);
    return 0;
}

static void cut_note_peak(const struct cut *cut, struct aspace *aspace)
{
    struct vma *vma;
    vaddr_t start, end;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link)
        if (cut_in_vma(cut, vma, &start, &end)) {
            aspace_note_peak_locked(aspace);
            return;
        }
}

static void cut_locked(const struct cut *cut, struct aspace *aspace)
{
    struct cut_walk walk = { .cut = cut, .aspace = aspace };
    struct vma *vma;
    vaddr_t start, end;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link) {
        if (!cut_in_vma(cut, vma, &start, &end))
            continue;
        aspace_note_peak_locked(aspace);
        pagetable_visit(&aspace->tree, start, end, cut_entry, &walk);
    }
    gather_finish(&walk.gather);
}

static void for_each_aspace(const struct cut *cut, void (*visit)(const struct cut *cut, struct aspace *aspace))
{
    struct aspace *aspace = NULL;

    while ((aspace = aspace_step(aspace))) {
        mutex_lock(&aspace->lock);
        visit(cut, aspace);
        mutex_unlock(&aspace->lock);
    }
}

static void cut_everywhere(const struct cut *cut)
{
    if (cut->cache->refs == 1)
        return;
    for_each_aspace(cut, cut_note_peak);
    for_each_aspace(cut, cut_locked);
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
    cut_everywhere(&cut);
    pagecache_drop(cache, pages, UINT64_MAX);
    cache->backed = MIN(cache->backed, pages);
    return 0;
}

void pagecache_punch(struct pagecache *cache, uint64_t from, uint64_t to)
{
    struct cut cut = { .cache = cache, .from = from, .to = to };

    pagecache_drop(cache, from, to - from);
    cut_everywhere(&cut);
}

int pagecache_remove(struct pagecache *cache, uint64_t from, uint64_t to)
{
    if (cache->ops)
        return cache->ops->punch ? cache->ops->punch(cache, from, to) : -EOPNOTSUPP;
    pagecache_punch(cache, from, to);
    return 0;
}
