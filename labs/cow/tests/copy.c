// SPDX-License-Identifier: MIT
//
// The child writes some of its pages, as the seed decides; the others stay shared.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120);
    unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    if (family_fork(&family)) {
        child_waits(&family);
        lab_report("before", 0);
        for (uint64_t i = 0; i < pages; i++)
            if (lab_number(2000 + i, 0, 2) == 0)
                lab_fill(region + i * PAGE, 2, i);
        lab_report("after", 0);
        for (uint64_t i = 0; i < pages; i++)
            if (lab_number(2000 + i, 0, 2) == 0)
                region[i * PAGE + 1] = 'x';
        lab_report("again", 0);
        return 0;
    }
    lab_report("forked", 0);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
