// SPDX-License-Identifier: MIT
/*
 * blank.c: see blank.h.
 */
#include "mm/blank.h"

#include "arch/x86_64/cpu.h"
#include "kernel/lib/params.h"

uint64_t blank_count;
struct frame *blank_top;
struct blank_figures blank_figures;

uint64_t blank_limit;

void blank_init(uint64_t most) { blank_limit = BLANK_FOR_TABLES + MIN(params_ulong("prezero", 0), most); }

void blank_make(struct frame *frame)
{
    uint64_t begin = cpu_tsc();

    page_clear(frame_address(frame));
    blank_push(frame);
    blank_figures.made++;
    blank_figures.ticks += cpu_tsc() - begin;
}

void blank_drain(void)
{
    struct frame *frame;

    while ((frame = blank_pop()))
        block_free(frame_pfn(frame), 0);
}

void blank_check(void)
{
    uint64_t count = 0;

    spin_lock(&frame_lock);
    for (const struct frame *frame = blank_top; frame; frame = frame->free.below, count++) {
        BUG_ON(frame->kind != FRAME_FREE || frame->refs || frame->order != FRAME_INNER,
               "blank frame 0x%lx: kind %u, refs %u", frame_pfn(frame), frame->kind, frame->refs);
        BUG_ON(!page_is_clear(frame_address(frame)), "blank frame 0x%lx has been written to", frame_pfn(frame));
    }
    BUG_ON(count != blank_count, "%lu blank frames, not %lu", count, blank_count);
    spin_unlock(&frame_lock);
}
