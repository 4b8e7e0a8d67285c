// SPDX-License-Identifier: MIT
//
// One page in each of many stretches of 2 MiB, a large promise around them.
#include "lab/record.h"

int main(void)
{
    uint64_t touched = lab_number(1, 8, 40);
    volatile char *region = mmap(NULL, 4096 * LEAF_SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (region == MAP_FAILED)
        lab_lost(1);
    lab_report("start", (uintptr_t)region);
    for (uint64_t i = 0; i < touched; i++)
        region[(i * 97 + lab_number(100 + i, 0, 50)) * LEAF_SPAN] = 1;
    lab_report("touched", 0);
    return 0;
}
