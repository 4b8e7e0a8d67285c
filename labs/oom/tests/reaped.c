// SPDX-License-Identifier: MIT
//
// An idle process with private pages in several places, a file mapped, and memory that it shares with init.
#include "hog.h"

static unsigned char *shared;

static void village(uint64_t stream, uint64_t pages)
{
    unsigned char *region = lab_map_filled(100 + stream, pages, MAP_PRIVATE);
    unsigned char *second = lab_map_filled(200 + stream, lab_number(2, 50, 200), MAP_PRIVATE);
    int fd = open("/init", O_RDONLY);
    volatile unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

    if (file == MAP_FAILED || file[PAGE] + file[0] < 0)
        lab_lost(1);
    for (uint64_t i = 0; i < lab_number(3, 20, 90); i++)
        lab_fill(shared + i * PAGE, 2, i);
    lab_report("ready", (uintptr_t)region, pages, (uintptr_t)second, (uintptr_t)file, (uintptr_t)shared);
}

int main(void)
{
    uint64_t pages = lab_number(3, 20, 90);
    int status = 0;

    shared = lab_map(5, pages, MAP_SHARED);
    hog_start(0, hog_filled, 50);
    hog_start(0, village, lab_number(1, 700, 900));
    meal_begin();
    for (uint64_t i = 0; i < pages; i++)
        if (!shared[i * PAGE])
            lab_lost(2);
    lab_report("start", 0);
    uint64_t dead = eat_until_death(&status);
    lab_report("dead", dead, (uint64_t)status);
    return 0;
}
