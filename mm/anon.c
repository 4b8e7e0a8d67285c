// SPDX-License-Identifier: MIT
/*
 * anon.c: private anonymous memory: zeroes, until it is written. A first read costs no frame.
 *
 * With faultahead=N a page that is touched right behind where the VMA's last fault ended, or in a VMA with MADV_SEQUENTIAL,
 * brings up to N more with it, as long as they have no entry: one fault instead of N + 1, and frames for pages that may never
 * be touched. They lie in the VMA and in the table that the fault has made ours, and leave frames alone where those are short.
 *
 * Lock: the mutex of the address space, as in every fault.
 */
#include "mm/anon.h"

#include "kernel/lib/params.h"
#include "mm/aspace.h"
#include "mm/fault_map.h"
#include "mm/trace.h"
#include "mm/zero.h"

#define AHEAD_MOST TRACE_AROUND_PAGES

uint64_t anon_ahead;
static unsigned ahead_limit; /* faultahead= */

static __noinline enum fault_kind anon_fill(struct fault_page *page)
{
    struct frame *frame = frame_alloc_zeroed(FRAME_ANON);
    return likely(frame) ? fault_map_new(page, frame, FAULT_ZERO_FILL) : FAULT_OOM;
}

/* lab zero: begin */
static enum fault_kind anon_fault(struct fault_page *page)
{
    if (page->access == ACCESS_WRITE || !lazy.zeropage)
        return anon_fill(page);
    frame_get(zero_frame());
    return fault_map(page, zero_frame(), FAULT_ZERO_READ);
}
/* lab zero: instead anon_fault.c */

static bool is_sequential(const struct fault_page *page)
{
    const struct vma *vma = page->vma;
    return !(vma->flags & VMA_RANDOM) && (vma->flags & VMA_SEQUENTIAL || page->addr == vma->fault_next);
}

/* How many pages behind this one may be mapped with it: twice the reserve of frames stays free. */
static uint64_t ahead_room(const struct fault_page *page)
{
    vaddr_t end = MIN(page->vma->end, align_down(page->addr, pte_span(PTE_LEAF_LEVEL + 1)) + pte_span(PTE_LEAF_LEVEL + 1));
    uint64_t free = frame_free_count(), kept = 2 * frame_reserve();
    uint64_t room = MIN((uint64_t)ahead_limit, (end - page->addr) / PAGE_SIZE - 1);
    return free > kept ? MIN(room, free - kept) : 0;
}

/* The page is mapped: do the same to those behind it. How many that were. */
static uint64_t map_ahead(const struct fault_page *page)
{
    struct fault_page next = *page;
    uint64_t count = 0, room = ahead_room(page);

    for (; count < room; count++) {
        next.addr += PAGE_SIZE;
        next.slot++;
        if (!pte_is_none(pte_load(next.slot)) || !fault_resolved(anon_fault(&next)))
            break;
    }
    trace_around(&page->aspace->tree, page->addr + PAGE_SIZE, page->slot + 1, (1u << count) - 1);
    anon_ahead += count;
    return count;
}

static enum fault_kind anon_fault_ahead(struct fault_page *page)
{
    enum fault_kind kind = anon_fault(page);

    if (fault_resolved(kind))
        page->vma->fault_next = page->addr + PAGE_SIZE + (is_sequential(page) ? map_ahead(page) : 0) * PAGE_SIZE;
    return kind;
}

struct vma_ops anon_ops = { .name = "anonymous", .fault = anon_fault };

void anon_init(void)
{
    ahead_limit = (unsigned)MIN(params_ulong("faultahead", 0), AHEAD_MOST);
    anon_ops.fault = ahead_limit ? anon_fault_ahead : anon_fault;
}
