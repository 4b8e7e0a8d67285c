// SPDX-License-Identifier: MIT
//
// Two idle processes: the first has more pages, the second more page tables, and is heavier in all.
#include "hog.h"

static void sparse(uint64_t stream, uint64_t pages)
{
    uint64_t tables = lab_number(2, 100, 150);
    unsigned char *region = lab_map_filled(100 + stream, pages - tables, MAP_PRIVATE);
    volatile char *wide = mmap(NULL, (tables + 1) * LEAF_SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (wide == MAP_FAILED)
        lab_lost(1);
    for (uint64_t i = 0; i < tables; i++)
        wide[(i + 1) * LEAF_SPAN] = 1;
    lab_report("ready", (uintptr_t)region, pages);
}

int main(void)
{
    uint64_t pages = lab_number(1, 600, 800), fewer = lab_number(3, 20, 50);
    int status = 0;

    hog_start(0, hog_filled, pages);
    hog_start(0, sparse, pages - fewer);
    hog_start(lab_number(4, 1, 300), hog_filled, 50);
    hog_start(-(long)lab_number(5, 1, 900), hog_filled, 50);
    hog_start(-1000, hog_filled, 50);
    meal_begin();
    volatile unsigned char zero = meal[(PLENTY - 1) * PAGE];
    (void)zero;
    lab_report("zero", (uintptr_t)meal + (PLENTY - 1) * PAGE, ram());
    lab_report("scores", score(0), score(1), score(2), score(3), score(4));
    kill(hog_pid[2], SIGKILL);
    waitpid(hog_pid[2], &status, 0);
    uint64_t dead = eat_until_death(&status);
    lab_report("dead", dead, (uint64_t)status);
    return 0;
}
