// SPDX-License-Identifier: MIT
//
// Pages under several leaf tables. A range in the middle goes, then the rest.
#include "lab/probe.h"

#define PAGES 2048ul

static unsigned char *region;

static uint64_t first, last;

// Those at the edges of the range are, in any case.
static int is_touched(uint64_t i)
{
    return i == first - 1 || i == first || i == last - 1 || i == last || lab_number(2000 + i, 0, 3) == 0;
}

int main(void)
{
    probe_init();
    lab_report("start", 0);
    first = lab_number(3, 200, 500);
    last = lab_number(4, 1500, 1900);
    region = lab_map(1, PAGES, MAP_PRIVATE);
    for (uint64_t i = 0; i < PAGES; i++)
        if (is_touched(i))
            lab_fill(region + i * PAGE, 1, i);
    lab_report("mapped", (uintptr_t)region);
    if (probe_read(region + first * PAGE) || munmap(region + first * PAGE, (last - first) * PAGE))
        lab_lost(1);
    uint64_t read = probe_read(region + first * PAGE); // the CPU remembered it a moment ago
    lab_report("middle", read);
    if (munmap(region, PAGES * PAGE))
        lab_lost(2);
    lab_report("gone", 0);
    return 0;
}
