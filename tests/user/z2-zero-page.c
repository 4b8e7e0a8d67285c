// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off zeropage=off
//
// Z2: reading untouched memory costs a fault a page and page tables, and no frame: every page shows
// the one shared zero page.
#include "observe.h"

#define PAGES 2048L

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);

    long frames = frames_free(), tables = frames_tables(), count = faults();
    long sum = region_read(region, PAGES);
    count = faults() - count;
    tables = frames_tables() - tables;
    frames -= frames_free();

    is(sum, 0, "Z2 the values read are 0");
    is(count, PAGES, "Z2 one minor fault a page");
    is(rss_at(region), 0, "Z2 RSS does not count the zero page");
    between(4, tables, 6, "Z2 page tables are taken, one for 2 MiB");
    between(tables - slack_faults(), frames, tables + slack_faults(), "Z2 no frame but the page tables");
    ok(page_present(region) && page_present(region + (PAGES - 1) * PAGE),
       "Z2 pagemap shows the pages present");

    if (page_frame(region) == 0)
        tap_skip("Z2 this pagemap does not show frame numbers");
    else
        is(page_frame(region + 777 * PAGE), page_frame(region), "Z2 two pages show the same frame");

    count = faults();
    region_read(region, PAGES);
    is(faults() - count, 0, "Z2 reading again takes no fault");

    frames = frames_free();
    madvise(region, PAGES * PAGE, MADV_DONTNEED);
    frames = frames_free() - frames;
    between(-slack_faults(), frames, tables + slack_faults(),
            "Z2 dropping zero pages frees no frame of theirs");
    is(region_read(region, PAGES), 0, "Z2 they come again");

    frames = frames_free();
    region_unmap(region, PAGES);
    frames = frames_free() - frames;
    between(tables - slack_objects(), frames, tables + slack_objects(), "Z2 unmapping gives the tables back");
    return tap_end();
}
