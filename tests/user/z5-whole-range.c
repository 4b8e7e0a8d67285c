// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// Z5: writing all of a range makes RSS its size, with one minor fault a page, whatever the order.
#include "observe.h"

#define PAGES 4096L

int main(void)
{
    tap_begin();
    observe_settle();

    char *region = region_map(PAGES);
    long frames = frames_free(), tables = frames_tables(), count = faults();
    memset(region, 0x5a, PAGES * PAGE);
    count = faults() - count;
    tables = frames_tables() - tables;
    frames -= frames_free();
    is(rss_at(region), PAGES, "Z5 RSS is the size of the range");
    is(count, PAGES, "Z5 one minor fault a page");
    between(PAGES + tables - slack_faults(), frames, PAGES + tables + slack_faults(),
            "Z5 one frame a page, and the page tables");
    ok(all_bytes(region, PAGES * PAGE, 0x5a), "Z5 every byte is as written");
    region_unmap(region, PAGES);

    region = region_map(PAGES);
    count = faults();
    for (long i = PAGES - 1; i >= 0; i--)
        region[i * PAGE + i % PAGE] = 1;
    is(faults() - count, PAGES, "Z5 one minor fault a page from the end backwards");
    is(rss_at(region), PAGES, "Z5 RSS is the size of the range, written backwards");

    frames = frames_free();
    region_unmap(region, PAGES);
    between(PAGES + tables - slack_objects(), frames_free() - frames, PAGES + tables + slack_objects(),
            "Z5 unmapping gives every frame back");
    return tap_end();
}
