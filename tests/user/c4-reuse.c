// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: cow=off
//
// C4: a page that is ours alone again is used in place. After the child copied its pages, or is
// gone, the parent's write takes a fault and no frame. Linux faults once a page; with shared page
// tables one fault may free the whole table that a child never touched.
#include "child.h"
#include "observe.h"

#define PAGES 400L

static void child_writes(struct link *link, void *region)
{
    observe_settle(); // it takes no frame of its own while the parent measures
    hear(link);
    region_write(region, PAGES, 'c');
    say(link, 1);
    hear(link);
    bool good = true;
    for (long i = 0; i < PAGES; i++)
        good &= ((char *)region)[i * PAGE] == 'c';
    say(link, good);
}

static void child_waits(struct link *link, void *region)
{
    observe_settle();
    say(link, 1);
    hear(link);
    say(link, region_read(region, PAGES) == 'p' * PAGES);
}

// The parent writes all pages; checks faults within [low, PAGES] and data frames as wanted.
static void parent_writes(char *region, const char *when, char value, long low, long want)
{
    uint64_t before = page_frame(region + 77 * PAGE);
    long frames = frames_free(), tables = frames_tables(), count = faults();
    region_write(region, PAGES, value);
    count = faults() - count;
    tables = frames_tables() - tables;
    frames -= frames_free();
    between(low, count, PAGES, "C4 %s: it faults", when);
    between(want + tables - slack_faults(), frames, want + tables + slack_faults(), "C4 %s: %ld frames", when,
            want);
    if (before == 0)
        tap_skip("C4 this pagemap does not show frame numbers");
    else
        ok((page_frame(region + 77 * PAGE) == before) == (want == 0), "C4 %s: the frame is %s", when,
           want ? "another" : "the same");
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'p');

    struct link link = child_start(child_writes, region);
    say(&link, 1);
    hear(&link);
    parent_writes(region, "the child has copied, the parent writes", 'q', PAGES, 0);
    say(&link, 1);
    is(hear(&link), 1, "C4 the child's copies are unharmed");
    is(child_end(&link), 0, "C4 the child ends well");
    is(region_read(region, PAGES), 'q' * PAGES, "C4 the parent's pages hold its own write");

    region_write(region, PAGES, 'p');
    link = child_start(child_waits, region);
    hear(&link);
    say(&link, 1);
    is(hear(&link), 1, "C4 a child only reads");
    is(child_end(&link), 0, "C4 and is gone");
    parent_writes(region, "the child is gone, the parent writes", 'q', 1, 0);
    parent_writes(region, "again", 'p', 0, 0);

    link = child_start(child_waits, region);
    hear(&link);
    parent_writes(region, "the child still shares, the parent writes", 'q', PAGES, PAGES);
    say(&link, 1);
    is(hear(&link), 1, "C4 the child keeps the old contents");
    is(child_end(&link), 0, "C4 the child ends well");
    parent_writes(region, "and after that", 'p', 0, 0);
    return tap_end();
}
