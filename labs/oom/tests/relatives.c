// SPDX-License-Identifier: MIT
//
// The victim has forked. What its child has from it, and what it shares with others, is nobody's to take.
#include "hog.h"

static unsigned char *region;

// Writes some of its pages, so that both have some of their own; all under one page table, so that they share the others.
static void rewrite(uint64_t who)
{
    for (uint64_t i = 520; i < 800; i++)
        if (lab_number(2000 + i, 0, 7) == who)
            lab_fill(region + i * PAGE, 2 + who, i);
}

static void parent(uint64_t stream, uint64_t pages)
{
    region = lab_map_filled(100 + stream, pages, MAP_PRIVATE);
    int ready[2];
    pid_t child = pipe(ready) ? -1 : fork();
    if (child < 0)
        lab_lost(1);
    if (child == 0) {
        lab_stream(9);
        opinion(-1000);
        rewrite(1);
        lab_report("child", (uintptr_t)region);
        tell(ready[1]);
        for (;;)
            pause();
    }
    wait_for(ready[0]);
    rewrite(2);
    lab_report("ready", (uintptr_t)region, pages);
}

int main(void)
{
    int status = 0;

    hog_start(0, hog_filled, 30);
    hog_start(0, parent, lab_number(1, 900, 1100));
    meal_begin();
    lab_report("start", 0);
    uint64_t dead = eat_until_death(&status);
    eat(100);
    lab_report("dead", dead, (uint64_t)status, meal_spoilt());
    return 0;
}
