// SPDX-License-Identifier: MIT
/*
 * zero.c: see zero.h.
 */
#include "mm/zero.h"

#include "kernel/lib/assert.h"

struct frame *zero_page_frame;

void zero_init(void)
{
    zero_page_frame = frame_alloc_zeroed(FRAME_ZERO); /* its one reference is the permanent pin */
    BUG_ON(!zero_page_frame, "no memory for the zero page");
}
