// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// madvise(MADV_DONTNEED): the frames go back at once, the promise stays, zeroes come instead. On
// copy-on-write pages it drops this process's share alone.
#include "child.h"
#include "observe.h"

#define PAGES 1024L

static void child_drops(void *arg)
{
    char *region = arg;
    if (madvise(region, PAGES * PAGE, MADV_DONTNEED) || region_read(region, PAGES) != 0)
        _exit(1);
    region_write(region, 10, 'c');
    _exit(region_read(region, PAGES) == 10 * 'c' ? 0 : 2);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'a');

    long frames = frames_free(), committed = meminfo("Committed_AS:");
    is(madvise(region + 256 * PAGE, 512 * PAGE, MADV_DONTNEED), 0, "half of a region is dropped");
    is(rss_at(region), 512, "RSS falls by it");
    between(512 - slack_faults(), frames_free() - frames, 514 + slack_faults(),
            "its frames are free at once");
    is(meminfo("Committed_AS:"), committed, "the promise stays");
    long count = faults();
    is(region_read(region + 256 * PAGE, 512), 0, "it reads zero");
    between(1, faults() - count, 512, "by new faults");
    is(region_read(region, 256) + region_read(region + 768 * PAGE, 256), 512 * 'a', "the rest is unharmed");
    region_write(region, PAGES, 'b');
    is(rss_at(region), PAGES, "it can be written again");

    is(child_run(child_drops, region), 0, "a child drops its share of copy-on-write pages");
    is(region_read(region, PAGES), PAGES * 'b', "the parent's contents are kept");
    return tap_end();
}
