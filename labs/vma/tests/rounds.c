// SPDX-License-Identifier: MIT
//
// Map, write, cut, protect, replace, unmap: many times. What was free and promised before is so afterwards. The pages of all
// rounds together would fill the machine.
#include "lab/record.h"

static void rounds(uint64_t pages, uint64_t count)
{
    for (uint64_t round = 0; round < count; round++) {
        unsigned char *region = lab_map(1, pages, MAP_PRIVATE);
        uint64_t third = pages / 3;

        for (uint64_t i = 0; i < pages; i++)
            region[i * PAGE] = (unsigned char)round;
        if (munmap(region + third * PAGE, third * PAGE) || mprotect(region + PAGE, PAGE, PROT_READ) ||
            mmap(region + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                MAP_FAILED)
            lab_lost(2);
        region[2 * PAGE] = (unsigned char)round;
        if (munmap(region, pages * PAGE))
            lab_lost(3);
    }
}

int main(void)
{
    uint64_t pages = lab_number(1, 80, 120);

    rounds(pages, 4);
    lab_report_memory("before");
    rounds(pages, 100);
    lab_report_memory("after");
    return 0;
}
