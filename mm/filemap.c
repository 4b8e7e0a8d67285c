// SPDX-License-Identifier: MIT
/*
 * filemap.c: files in memory: a page is read when it is first touched, by whoever touches it, and shared by all who
 * map it. A private mapping that is written takes its own copy at once, without a read-only stop on the way.
 */
#include "arch/x86_64/mmu.h"
#include "kernel/lib/errno.h"
#include "mm/fault_map.h"

static enum fault_kind filemap_copy(struct fault_page *page, const struct frame *cached)
{
    struct frame *copy = frame_alloc(FRAME_ANON);

    if (!copy)
        return FAULT_OOM;
    page_copy(frame_address(copy), frame_address(cached));
    return fault_map_new(page, copy, FAULT_COW_COPY);
}

static enum fault_kind filemap_fault(struct fault_page *page)
{
    const struct vma *vma = page->vma;
    struct frame *cached;
    uint64_t index = vma_index_of(vma, page->addr);
    int found = pagecache_page(vma->cache, index, &cached);

    if (found < 0)
        return found == -ENOMEM ? FAULT_OOM : FAULT_BUS;
    if (page->access == ACCESS_WRITE && !(vma->flags & VMA_SHARED))
        return filemap_copy(page, cached);
    if (page->access == ACCESS_WRITE && vma->cache->ops && vma->cache->ops->written)
        vma->cache->ops->written(vma->cache);
    frame_get(cached);
    if (found == PAGECACHE_HIT)
        return fault_map_cached(page, cached);
    return fault_map(page, cached, index < vma->cache->backed ? FAULT_FILE_READ : FAULT_ZERO_FILL);
}

const struct vma_ops filemap_ops = { .name = "file", .fault = filemap_fault };
