// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// Z4: pages are independent. Touching page i takes a frame for page i and for no other.
#include "observe.h"

#define PAGES 4096L

int main(void)
{
    static const int touched[] = {0, 3, 4, 511, 512, 1000, 2047, 4095};
    const long count = sizeof(touched) / sizeof(touched[0]);
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);

    long frames = frames_free(), tables = frames_tables();
    for (int i = 0; i < count; i++)
        region[touched[i] * PAGE] = 1;
    tables = frames_tables() - tables;
    frames -= frames_free();
    is(rss_at(region), count, "Z4 RSS is the number of pages touched");
    between(count + tables - slack_faults(), frames, count + tables + slack_faults(),
            "Z4 as many frames and their page tables are taken");

    int wrong = 0;
    for (int page = 0, next = 0; page < PAGES; page++) {
        bool want = next < count && page == touched[next];
        wrong += page_present(region + page * PAGE) != want;
        next += want;
    }
    is(wrong, 0, "Z4 exactly the touched pages are present");
    return tap_end();
}
