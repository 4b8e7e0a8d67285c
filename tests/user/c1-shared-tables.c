// SPDX-License-Identifier: MIT
// ram: 512M  time: 40
// only-on: lazybones
// not-with: cow=off sharedtables=off
//
// C1, beyond Linux: fork copies no page table either. All frames counted, 128 MiB written cost what
// 1 MiB written costs, and a first write in the child copies one leaf table and the path to it.
#include "child.h"
#include "observe.h"

static void child_steps(struct link *link, void *arg)
{
    volatile char *region = arg;
    observe_settle();
    say(link, 1);
    hear(link);
    long frames = frames_free(), tables = frames_tables();
    region[0] = 1;
    frames -= frames_free();
    tables = frames_tables() - tables;
    say(link, frames); // not before all is measured: what waits in a pipe takes a frame
    say(link, tables);
    hear(link);
}

// Frames, tables included, that a fork takes with `pages` written.
static long fork_frames(long pages)
{
    char *region = region_map(pages);
    region_write(region, pages, 'd');
    long frames = frames_free();
    struct link link = child_start(child_steps, region);
    hear(&link);
    frames -= frames_free();
    say(&link, 1);
    long taken = hear(&link), tables = hear(&link);
    between(1, tables, 3, "C1 the child's first write copies its path of tables");
    is(taken, tables + 1, "C1 and one page");
    say(&link, 1);
    is(child_end(&link), 0, "C1 the child ends well");
    region_unmap(region, pages);
    return frames;
}

int main(void)
{
    tap_begin();
    observe_settle();
    fork_frames(1);
    long small = fork_frames(256);
    long large = fork_frames(256 * 128);
    between(-FRAMES_SLACK_KERNEL, large - small, FRAMES_SLACK_KERNEL,
            "C1 fork with 128 MiB takes as many frames as with 1 MiB, tables and all");
    return tap_end();
}
