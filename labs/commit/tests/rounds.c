// SPDX-License-Identifier: MIT
//
// All that charges, and all that is refused, many times over. What was left in the ledger before is left afterwards.
#include "room.h"

#define RW (PROT_READ | PROT_WRITE)

static void round_of(uint64_t pages)
{
    unsigned char *region = map_surely(pages, RW, MAP_PRIVATE), *other = map_surely(pages, PROT_READ, MAP_PRIVATE);

    region[0] = 1;
    mprotect(other + PAGE, 3 * PAGE, RW);
    map(ROOM_MOST, RW, MAP_PRIVATE);
    pid_t child = fork();
    if (child < 0)
        lab_lost(1);
    if (child == 0) {
        munmap(region, PAGE);
        map(7, RW, MAP_PRIVATE);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    uint64_t left = room();
    unsigned char *all = map_surely(left, RW, MAP_PRIVATE);
    if (fork() >= 0 || mprotect(other, pages * PAGE, RW) == 0)
        lab_lost(2);
    munmap(all, left * PAGE);
    munmap(other, pages * PAGE);
    munmap(region, pages * PAGE);
}

int main(void)
{
    uint64_t pages = lab_number(1, 50, 200);

    strict(lab_number(6, 40000, 60000) * KB_PER_PAGE);
    for (int i = 0; i < 2; i++)
        round_of(pages);
    lab_report("room", room());
    lab_report_memory("before");
    for (int i = 0; i < 40; i++)
        round_of(pages);
    lab_report_memory("after");
    lab_report("room", room());
    return 0;
}
