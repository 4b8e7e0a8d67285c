// SPDX-License-Identifier: MIT
/*
 * zero.c: see zero.h.
 */
#include "mm/zero.h"

#include "kernel/lib/assert.h"

static struct frame *zero;

void zero_init(void)
{
    zero = frame_alloc_zeroed(FRAME_ZERO); /* its one reference is the permanent pin */
    BUG_ON(!zero, "no memory for the zero page");
}

struct frame *zero_frame(void) { return zero; }
