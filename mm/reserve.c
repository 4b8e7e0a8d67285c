// SPDX-License-Identifier: MIT
/*
 * reserve.c: what is kept back: Linux's min watermark, sqrt(16 x RAM in KiB) KiB, or more if the administrator says so.
 */
#include "mm/reserve.h"

#include "mm/frame.h"

#define KB_PER_PAGE (PAGE_SIZE >> 10)

int vm_min_free_kbytes;
static uint64_t need; /* frames; set once */

static uint64_t square_root(uint64_t n)
{
    uint64_t root = 0;
    while ((root + 1) * (root + 1) <= n)
        root++;
    return root;
}

void reserve_init(uint64_t frames)
{
    need = square_root(frames * KB_PER_PAGE * 16) / KB_PER_PAGE;
    vm_min_free_kbytes = (int)(need * KB_PER_PAGE);
    reserve_changed();
}

void reserve_changed(void) { frame_set_reserve(MAX((uint64_t)vm_min_free_kbytes / KB_PER_PAGE, need)); }
