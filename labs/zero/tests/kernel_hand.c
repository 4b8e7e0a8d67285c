// SPDX-License-Identifier: MIT
//
// The kernel touches lazy pages for the program: write(2) reads from two of them, read(2) writes into two others, one of which
// the program has read before.
#include "lab/record.h"

int main(void)
{
    unsigned char *region = lab_map(1, 4, MAP_PRIVATE), copy[1000];
    uint64_t length = lab_number(2, 100, 900), at = PAGE - lab_number(3, 20, length - 20), sum = 0;
    int ends[2];

    if (pipe(ends))
        lab_lost(1);
    memset(copy, 1, sizeof(copy));
    lab_report("start", 0);
    if (write(ends[1], region + at, length) != (ssize_t)length)
        lab_lost(2);
    lab_report("written", 0);
    if (read(ends[0], copy, length) != (ssize_t)length)
        lab_lost(3);
    for (uint64_t i = 0; i < length; i++) {
        sum += copy[i];
        copy[i] = lab_byte(5, 0, i);
    }
    sum += ((volatile unsigned char *)region)[3 * PAGE];
    if (write(ends[1], copy, length) != (ssize_t)length)
        lab_lost(4);
    lab_report("between", sum);
    if (read(ends[0], region + 2 * PAGE + at, length) != (ssize_t)length)
        lab_lost(5);
    lab_report("read", 0);
    return 0;
}
