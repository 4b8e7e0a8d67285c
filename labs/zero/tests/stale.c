// SPDX-License-Identifier: MIT
//
// Most of the machine's memory is written, given back, and taken again: nothing of what was there may be seen. Nor may what
// is written by the one who alone has read the zero page.
#include "lab/record.h"

int main(void)
{
    uint64_t pages = lab_number(1, 3000, 3400), stale = 0;
    volatile unsigned char *alone = lab_map(3, 1, MAP_PRIVATE), *other = lab_map(4, 1, MAP_PRIVATE);

    for (uint64_t i = alone[0]; i < (uint64_t)PAGE; i += 64)
        alone[i] = 0xff;
    for (uint64_t i = 0; i < (uint64_t)PAGE; i += 64)
        stale += other[i] != 0;
    unsigned char *region = lab_map(1, pages, MAP_PRIVATE);
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
    munmap(region, pages * PAGE);
    uint64_t *again = (uint64_t *)lab_map(2, pages, MAP_PRIVATE);
    for (uint64_t i = 0; i < pages; i++) {
        again[i * PAGE / 8] = 0;
        for (uint64_t k = 0; k < (uint64_t)PAGE / 8; k += 8)
            stale += again[i * PAGE / 8 + k] != 0;
    }
    lab_report("looked", stale);
    return 0;
}
