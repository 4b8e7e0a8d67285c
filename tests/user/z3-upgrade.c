// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off zeropage=off
//
// Z3: the first write to a page that was only read replaces the zero page by a frame of its own.
#include "observe.h"

#define PAGES 512L

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_read(region, PAGES);

    long frames = frames_free(), count = faults();
    region_write(region, PAGES, 7);
    count = faults() - count;
    is(count, PAGES, "Z3 after a read the first write takes one fault a page");
    between(PAGES - slack_faults(), frames - frames_free(), PAGES + slack_faults(),
            "Z3 after a read the first write takes one frame a page");
    is(rss_at(region), PAGES, "Z3 RSS counts the pages now");

    bool clean = true;
    for (long i = 0; i < PAGES; i++)
        clean &= region[i * PAGE] == 7 && all_bytes(region + i * PAGE + 1, PAGE - 1, 0);
    ok(clean, "Z3 each page holds the write and zeroes");

    char *fresh = region_map(16);
    ok(region_read(fresh, 16) == 0, "Z3 Z7 the zero page itself is still zero");
    return tap_end();
}
