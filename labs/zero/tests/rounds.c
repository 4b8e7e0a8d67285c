// SPDX-License-Identifier: MIT
//
// Map, read all, write half, unmap: many times. What was free and promised before is so afterwards.
#include "lab/record.h"

static void rounds(uint64_t pages, uint64_t count)
{
    for (uint64_t round = 0; round < count; round++) {
        volatile unsigned char *region = lab_map(1, pages, MAP_PRIVATE);
        for (uint64_t i = 0; i < pages; i++)
            if (region[i * PAGE])
                lab_lost(2);
        for (uint64_t i = 0; i < pages; i += 2)
            region[i * PAGE] = 1;
        munmap((void *)region, pages * PAGE);
    }
}

int main(void)
{
    uint64_t pages = lab_number(1, 80, 120);

    rounds(pages, 2);
    lab_report_memory("before");
    rounds(pages, 150);
    lab_report_memory("after");
    return 0;
}
