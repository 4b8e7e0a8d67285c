// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: cow=off
//
// C9: after fork a collector that marks objects in place copies the whole heap; one that keeps the
// same marks in a bitmap of its own copies next to nothing.
#include "child.h"
#include "observe.h"

#define PAGES 4096L

static char *heap;
static unsigned char *bitmap;

static void mark_in_place(void)
{
    for (long i = 0; i < PAGES; i++)
        ((volatile char *)heap)[i * PAGE] |= 1;
}

static void mark_in_bitmap(void)
{
    for (long i = 0; i < PAGES; i++)
        bitmap[i / 8] |= 1 << i % 8;
}

static void child_collects(struct link *link, void *mark)
{
    observe_settle();
    long frames = frames_free(), tables = frames_tables();
    ((void (*)(void))mark)();
    say(link, frames - frames_free() - (frames_tables() - tables));
}

static long collector_frames(void (*mark)(void))
{
    struct link link = child_start(child_collects, mark);
    long frames = hear(&link);
    is(child_end(&link), 0, "C9 the collecting child ends well");
    return frames;
}

int main(void)
{
    tap_begin();
    observe_settle();
    heap = region_map(PAGES);
    bitmap = (unsigned char *)region_map(1);
    region_write(heap, PAGES, 2);
    bitmap[0] = 0;
    between(PAGES - slack_faults(), collector_frames(mark_in_place), PAGES + slack_faults(),
            "C9 marks in place copy every page");
    between(1 - slack_faults(), collector_frames(mark_in_bitmap), 1 + slack_faults(),
            "C9 marks in a bitmap copy the bitmap's page");
    is(region_read(heap, PAGES), 2 * PAGES, "C9 the parent's heap is unmarked");
    return tap_end();
}
