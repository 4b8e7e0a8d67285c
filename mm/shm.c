// SPDX-License-Identifier: MIT
/*
 * shm.c: shared anonymous memory: a page cache of zeroes without a file. Every mapper sees every write, so its
 * pages are never copied on write, and a first read takes a frame: there is no zero page here.
 */
#include "mm/shm.h"

#include "kernel/lib/errno.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/vma.h"

static enum fault_kind shm_fault(struct fault_page *page)
{
    struct frame *frame;
    int found = pagecache_page(page->vma->cache, vma_index_of(page->vma, page->addr), &frame);

    if (found < 0)
        return found == -ENOMEM ? FAULT_OOM : FAULT_BUS; /* beyond its end after mremap(2), as on Linux */
    frame_get(frame);
    return found == PAGECACHE_NEW ? fault_map(page, frame, FAULT_ZERO_FILL) : fault_map_cached(page, frame);
}

const struct vma_ops shm_ops = { .name = "shared", .fault = shm_fault };

struct pagecache *shm_create(uint64_t length)
{
    return pagecache_create(FRAME_SHM, length, NULL, NULL, "/dev/zero (deleted)", 0);
}

int shm_charge(struct pagecache *cache, enum shm_reserve reserve, const struct aspace *asker)
{
    uint64_t charge = reserve == SHM_RESERVE_WHOLE ? cache->size >> PAGE_SHIFT : 0;

    if (commit_charge(charge, asker))
        return -ENOMEM;
    cache->committed = charge;
    cache->commit_by_page = reserve == SHM_RESERVE_NOTHING;
    return 0;
}
