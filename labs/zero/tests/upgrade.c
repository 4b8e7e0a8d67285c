// SPDX-License-Identifier: MIT
//
// All pages are read first; then some are written, as the seed decides.
#include "lab/record.h"

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120), sum = 0;
    volatile unsigned char *region = lab_map(1, pages, MAP_PRIVATE);

    lab_report("start", 0);
    for (uint64_t i = 0; i < pages; i++)
        sum += region[i * PAGE];
    lab_report("read", sum);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < pages; i++)
            if (lab_number(2000 + i, 0, 2) == 0)
                region[i * PAGE + lab_number(3000 + i, 0, PAGE - 1)] = lab_byte(1, i, 0);
        lab_report(round ? "again" : "written", 0);
    }
    return 0;
}
