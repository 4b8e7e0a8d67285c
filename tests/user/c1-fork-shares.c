// SPDX-License-Identifier: MIT
// ram: 512M  time: 40
// not-with: cow=off
//
// C1: fork copies no page. Whatever the parent's size, the frames taken (page tables apart) are the
// same small number, and the child reads the parent's data.
#include "child.h"
#include "observe.h"

#define FORK_FRAMES 64L // kernel stack, kernel objects, the pages of stack and data both sides touch

static void child_reads(struct link *link, void *arg)
{
    char **region = arg;
    say(link, 1);
    hear(link);
    bool good = true;
    for (char *at = region[0]; at < region[1]; at += PAGE)
        good &= *at == 'd';
    say(link, good);
    hear(link);
}

// Forks with `pages` written; returns the frames that took, the growth of page tables not counted.
static long fork_frames(long pages)
{
    char *region = region_map(pages);
    region_write(region, pages, 'd');
    char *bounds[] = {region, region + pages * PAGE};

    long frames = frames_free(), tables = frames_tables();
    struct link link = child_start(child_reads, bounds);
    hear(&link);
    frames -= frames_free();
    tables = frames_tables() - tables;
    between(-slack_objects(), frames - tables, FORK_FRAMES, "C1 fork with %ld MiB written takes a few frames",
            pages / 256);
    long rss = smaps(link.pid, region, "\nRss:") / 4;
    is(rss, pages, "C1 the child's RSS counts the pages it shares");

    long before = frames_free();
    say(&link, 1);
    is(hear(&link), 1, "C1 the child reads all of the parent's data");
    between(-slack_objects(), before - frames_free(), slack_objects() + 8, "C1 reading takes no frame");
    say(&link, 1);
    is(child_end(&link), 0, "C1 the child ends well");
    region_unmap(region, pages);
    return frames - tables;
}

int main(void)
{
    tap_begin();
    observe_settle();
    fork_frames(1);
    long small = fork_frames(256);
    long large = fork_frames(256 * 128);
    between(-slack_objects(), large - small, slack_objects(), "C1 128 MiB cost what 1 MiB costs");
    return tap_end();
}
