// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
// not-with: zfod=off
//
// C6: 1 GiB is mapped, then fork; the child writes 256 pages and the parent 256 others, all far
// apart. That takes 512 frames (2 MiB) and the page tables to reach them.
#include "child.h"
#include "observe.h"

#define PAGES (GIB / PAGE)
#define COUNT 256L
#define STEP (PAGES / COUNT)
#define OTHER (STEP / 2) // the parent's pages lie half way between the child's

static void child_writes(struct link *link, void *arg)
{
    volatile char *region = arg;
    say(link, 1);
    hear(link);
    for (long i = 0; i < COUNT; i++)
        region[i * STEP * PAGE] = 'c';
    say(link, 1);
    hear(link);
    long good = 0;
    for (long i = 0; i < COUNT; i++)
        good += region[i * STEP * PAGE] == 'c' && region[(i * STEP + OTHER) * PAGE] == 0;
    say(link, good);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    struct link link = child_start(child_writes, region);
    hear(&link);

    long frames = frames_free(), tables = frames_tables();
    say(&link, 1);
    hear(&link);
    for (long i = 0; i < COUNT; i++)
        ((volatile char *)region)[(i * STEP + OTHER) * PAGE] = 'p';
    tables = frames_tables() - tables;
    frames -= frames_free();
    between(2 * COUNT - slack_faults(), frames - tables, 2 * COUNT + 8 + slack_faults(),
            "C6 512 frames are taken");
    between(2 * COUNT, tables, 2 * COUNT + 8, "C6 and a leaf table for each, as they are 4 MiB apart");
    is(rss_at(region), COUNT, "C6 the parent has 256 pages");
    is(smaps(link.pid, region, "\nRss:") / 4, COUNT, "C6 the child has 256 pages");

    say(&link, 1);
    is(hear(&link), COUNT, "C6 the child sees its own writes and zeroes where the parent wrote");
    is(child_end(&link), 0, "C6 the child ends well");
    long good = 0;
    for (long i = 0; i < COUNT; i++)
        good += region[(i * STEP + OTHER) * PAGE] == 'p' && region[i * STEP * PAGE] == 0;
    is(good, COUNT, "C6 the parent sees its own writes and zeroes where the child wrote");
    return tap_end();
}
