// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// Z3: the first write to an untouched page gives it a zeroed frame of its own, by one minor fault.
#include "observe.h"

#define PAGES 512L

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);

    region[0] = 1; // the page tables come with the first page
    long frames = frames_free(), rss = rss_at(region), count = faults();
    region[PAGE + 100] = 'x';
    is(faults() - count, 1, "Z3 the first write takes one minor fault");
    is(rss_at(region) - rss, 1, "Z3 RSS grows by one page");
    between(1 - slack_faults(), frames - frames_free(), 1 + slack_faults(), "Z3 one frame is taken");
    ok(all_bytes(region + PAGE, 100, 0) && all_bytes(region + PAGE + 101, PAGE - 101, 0),
       "Z3 the rest of the page is zero");
    is(region[PAGE + 100], 'x', "Z3 the byte is there");

    count = faults();
    region[PAGE + 200] = 'y';
    is(faults() - count, 0, "Z3 the second write takes no fault");

    frames = frames_free(), count = faults();
    region_write(region + 2 * PAGE, PAGES - 2, 1);
    is(faults() - count, PAGES - 2, "Z3 each further page takes one fault");
    between(PAGES - 2 - slack_faults(), frames - frames_free(), PAGES - 2 + slack_faults(),
            "Z3 each further page takes one frame");
    return tap_end();
}
