// SPDX-License-Identifier: MIT
/*
 * anon.c: private anonymous memory: zeroes, until it is written. A first read costs no frame.
 */
#include "mm/aspace.h"
#include "mm/fault_map.h"
#include "mm/zero.h"

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

const struct vma_ops anon_ops = { .name = "anonymous", .fault = anon_fault };
