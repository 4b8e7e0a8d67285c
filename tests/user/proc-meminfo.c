// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// /proc/meminfo: the form of its lines, and that each figure moves with what it counts.
#include "observe.h"

#define PAGES 2048L

static void form_check(void)
{
    static const char *const keys[] = {"MemTotal:", "MemFree:", "AnonPages:", "PageTables:", "Committed_AS:"};
    for (int i = 0; i < 5; i++) {
        char want[64], *text = observe_file("/proc/meminfo");
        snprintf(want, sizeof(want), "%-15s%9ld kB\n", keys[i], observe_number(text, keys[i]));
        char *at = strstr(text, keys[i]);
        ok(at && (at == text || at[-1] == '\n') && strncmp(at, want, strlen(want)) == 0,
           "%s has Linux's form", keys[i]);
    }
    char *text = observe_file("/proc/meminfo");
    ok(strncmp(text, "MemTotal:", 9) == 0, "MemTotal comes first");
    ok(strstr(text, "\nMemFree:") < strstr(text, "\nAnonPages:") &&
           strstr(text, "\nAnonPages:") < strstr(text, "\nPageTables:") &&
           strstr(text, "\nPageTables:") < strstr(text, "\nCommitted_AS:"),
       "the others in Linux's order");
}

int main(void)
{
    tap_begin();
    observe_settle();
    form_check();
    long total = meminfo("MemTotal:"), frames = frames_free();
    ok(frames * 4 < total, "MemFree is below MemTotal");
    between(256 * 1024 / 2, total, 256 * 1024, "MemTotal is the machine's RAM, less what boot took");

    long anon = meminfo("AnonPages:"), tables = frames_tables();
    char *region = region_map(PAGES);
    region_write(region, PAGES, 1);
    between(PAGES * 4 - slack_faults() * 4, meminfo("AnonPages:") - anon, PAGES * 4 + slack_faults() * 4,
            "AnonPages rises by what is written");
    between(4, frames_tables() - tables, 6, "PageTables by four leaf tables and what leads to them");
    between(PAGES + 4 - slack_objects(), frames - frames_free(), PAGES + 6 + slack_objects(),
            "MemFree falls by both");
    region_unmap(region, PAGES);
    between(-slack_faults() * 4, meminfo("AnonPages:") - anon, slack_faults() * 4,
            "unmapped, AnonPages falls back");
    between(0, frames_tables() - tables, 2, "PageTables too");
    between(-slack_objects(), frames - frames_free(), 2 + slack_objects(), "and MemFree rises");
    is(meminfo("MemTotal:"), total, "MemTotal never moves");
    return tap_end();
}
