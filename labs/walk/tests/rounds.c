// SPDX-License-Identifier: MIT
//
// Map, write, unmap in parts, at ever other places. What was free and promised before is so afterwards. The pages of all rounds
// together would fill the machine.
#include "lab/record.h"

#define PAGES 1100ul

static void rounds(uint64_t from, uint64_t to)
{
    for (uint64_t round = from; round < to; round++) {
        unsigned char *region = lab_map(10 + round, PAGES, MAP_PRIVATE);
        uint64_t first = lab_number(500 + round, 0, 600), last = first + lab_number(600 + round, 1, 499);
        for (uint64_t i = 0; i < PAGES; i += 5)
            region[i * PAGE] = 'x';
        if (munmap(region + first * PAGE, (last - first) * PAGE))
            lab_lost(2);
        for (uint64_t i = last; i < PAGES; i += 7)
            region[i * PAGE] = 'y';
        if (munmap(region, PAGES * PAGE))
            lab_lost(3);
    }
}

int main(void)
{
    rounds(0, 4);
    lab_report_memory("before");
    rounds(4, 84);
    lab_report_memory("after");
    return 0;
}
