// SPDX-License-Identifier: MIT
//
// The kernel writes for the child: read(2) into a buffer that lies across two pages which parent and child share.
#include "lab/family.h"

int main(void)
{
    unsigned char *region = lab_map_filled(1, 4, MAP_PRIVATE);
    uint64_t length = lab_number(2, 100, 900), at = 2 * PAGE - lab_number(3, 20, length - 20);
    unsigned char message[1000];
    struct family family;

    family_init(&family);
    for (uint64_t i = 0; i < length; i++)
        message[i] = lab_byte(5, 0, i);
    if (write(family.down[1], message, length) != (ssize_t)length) // before fork: read(2) need not wait
        lab_lost(2);
    if (family_fork(&family)) {
        lab_report("before", (uintptr_t)region + at, length);
        uint64_t old = lab_sum(region, 4 * PAGE); // the CPU knows the pages now
        long got = read(family.down[0], region + at, length);
        uint64_t seen = lab_sum(region, 4 * PAGE);
        lab_report("after", got, old, seen);
        return 0;
    }
    int status = child_gone(&family);
    lab_report("parent", status);
    return 0;
}
