// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: cow=off
//
// C3: a child's write copies that page alone: one minor fault, one frame. The first write under a
// table that is still shared may copy the table too.
#include "child.h"
#include "observe.h"

#define PAGES 512L

// Writes pages [from, to) in the child and reports faults, frames and page tables taken.
static void child_write(struct link *link, char *region, long from, long to)
{
    long frames = frames_free(), tables = frames_tables(), count = faults();
    for (long i = from; i < to; i++)
        ((volatile char *)region)[i * PAGE] = 'c';
    count = faults() - count;
    frames -= frames_free();
    tables = frames_tables() - tables;
    say(link, count); // not before all is measured: what waits in a pipe takes a frame
    say(link, frames);
    say(link, tables);
}

static void child_steps(struct link *link, void *arg)
{
    char *region = arg;
    observe_settle();
    child_write(link, region, 0, 1);
    child_write(link, region, 5, 6);
    child_write(link, region, 100, 200);
    child_write(link, region, 100, 200);
    say(link, rss_at(region));
    bool good = true;
    for (long i = 0; i < PAGES; i++) {
        bool mine = i == 0 || i == 5 || (i >= 100 && i < 200);
        good &= region[i * PAGE] == (mine ? 'c' : 'p') && region[i * PAGE + 1] == 'q';
    }
    say(link, good);
}

static void step_check(struct link *link, const char *what, long pages)
{
    long count = hear(link), frames = hear(link), tables = hear(link);
    is(count, pages, "C3 %s: one minor fault a page", what);
    between(pages + tables - slack_faults(), frames, pages + tables + slack_faults(),
            "C3 %s: one frame a page, %ld page tables", what, tables);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    for (long i = 0; i < PAGES; i++)
        region[i * PAGE] = 'p', region[i * PAGE + 1] = 'q';

    struct link link = child_start(child_steps, region);
    step_check(&link, "the first write", 1);
    step_check(&link, "another page", 1);
    step_check(&link, "a hundred pages", 100);
    step_check(&link, "again the same pages", 0);
    is(hear(&link), PAGES, "C3 the child's RSS has not changed");
    is(hear(&link), 1, "C3 the child sees its writes, and the parent's bytes beside them");
    is(child_end(&link), 0, "C3 the child ends well");

    bool good = true;
    for (long i = 0; i < PAGES; i++)
        good &= region[i * PAGE] == 'p' && region[i * PAGE + 1] == 'q';
    ok(good, "C3 the parent's pages are unchanged");
    is(rss_at(region), PAGES, "C3 the parent's RSS has not changed");
    return tap_end();
}
