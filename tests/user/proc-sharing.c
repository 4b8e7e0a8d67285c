// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: cow=off
//
// /proc/PID/smaps of memory that parent and child share after fork: what is shared, what private.
#include "child.h"
#include "observe.h"

// Pss is not everywhere yet.
static void pss_check(pid_t pid, char *region, long want, const char *what)
{
    if (smaps(0, region, "\nPss:") < 0)
        tap_skip("no Pss in this smaps: %s", what);
    else
        is(smaps(pid, region, "\nPss:"), want, "%s", what);
}

static void child_copies(struct link *link, void *region)
{
    region_write(region, 16, 'c');
    say(link, 1);
    hear(link);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(100);
    region_write(region, 64, 'p');
    is(smaps(0, region, "Private_Dirty:"), 256, "64 pages written are private");

    struct link link = child_start(child_copies, region);
    hear(&link);
    is(smaps(0, region, "Shared_Dirty:"), 192, "shared with a child that copied 16: 48 are shared");
    is(smaps(0, region, "Private_Dirty:"), 64, "16 private");
    pss_check(0, region, 160, "Pss counts the shared ones half");
    is(smaps(link.pid, region, "\nRss:"), 256, "the child's Rss is the same");
    is(smaps(link.pid, region, "Shared_Dirty:"), 192, "and what it shares");
    pss_check(link.pid, region, 160, "and its Pss");
    say(&link, 1);
    child_end(&link);
    is(smaps(0, region, "Private_Dirty:"), 256, "when the child is gone all is the parent's");
    pss_check(0, region, 256, "and Pss is all of it");
    return tap_end();
}
