// SPDX-License-Identifier: MIT
/*
 * anon.c: private anonymous memory: zeroes, until it is written. A first read costs no frame.
 */
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/zero.h"

static enum fault_kind anon_fault(struct fault_page *page)
{
    if (page->access != ACCESS_WRITE && lazy.zeropage) {
        page->frame = zero_frame();
        frame_get(page->frame);
        return FAULT_ZERO_READ;
    }
    page->frame = frame_alloc_zeroed(FRAME_ANON);
    return page->frame ? FAULT_ZERO_FILL : FAULT_OOM;
}

const struct vma_ops anon_ops = { .name = "anonymous", .fault = anon_fault };
