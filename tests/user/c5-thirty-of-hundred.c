// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// C5: of 100 pages 30 were written before fork. The 70 others have no frame on either side, and a
// write to one of them is a zero-fill, not a copy.
#include "child.h"
#include "observe.h"

#define PAGES 100L
#define WRITTEN 30L

static long pages_present(const char *region)
{
    long present = 0;
    for (long i = 0; i < PAGES; i++)
        present += page_present(region + i * PAGE);
    return present;
}

static void child_steps(struct link *link, void *arg)
{
    char *region = arg;
    observe_settle();
    region[0] = 'c'; // from here on the page tables are the child's own
    say(link, rss_at(region));
    long frames = frames_free(), count = faults();
    ((volatile char *)region)[(WRITTEN + 7) * PAGE + 1] = 'c';
    count = faults() - count;
    frames -= frames_free();
    say(link, count);
    say(link, frames);
    say(link, rss_at(region));
    say(link, region[(WRITTEN + 7) * PAGE]);
    say(link, pages_present(region));
    hear(link);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_write(region, WRITTEN, 'p');

    struct link link = child_start(child_steps, region);
    is(hear(&link), WRITTEN, "C5 the child has 30 pages");
    is(hear(&link), 1, "C5 a write to one of the 70 takes one fault");
    between(1 - slack_faults(), hear(&link), 1 + slack_faults(), "C5 it takes one frame");
    is(hear(&link), WRITTEN + 1, "C5 the child has 31 pages then");
    is(hear(&link), 0, "C5 the new page is zero, not a copy");
    is(hear(&link), WRITTEN + 1, "C5 the 69 others are not present in the child");
    is(rss_at(region), WRITTEN, "C5 the parent still has 30");
    is(pages_present(region), WRITTEN, "C5 the 70 are not present in the parent");
    say(&link, 1);
    is(child_end(&link), 0, "C5 the child ends well");
    is(region_read(region, PAGES), WRITTEN * 'p', "C5 the parent reads its 30 bytes and zeroes");
    return tap_end();
}
