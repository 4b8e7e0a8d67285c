// SPDX-License-Identifier: MIT
//
// Parent and child with the same pages; the child writes some of them, gives up others, and ends.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120);
    unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    lab_report("alone", 0);
    if (family_fork(&family)) {
        child_waits(&family);
        lab_report("both", 0);
        for (uint64_t i = 0; i < pages; i++) {
            if (lab_number(2000 + i, 0, 2) == 0)
                region[i * PAGE] = 'c';
            if (lab_number(2000 + i, 0, 2) == 1 && munmap(region + i * PAGE, PAGE))
                lab_lost(1);
        }
        lab_report("changed", 0);
        return 0;
    }
    parent_lets_child_go_on(&family);
    if (child_gone(&family))
        lab_lost(2);
    lab_report("gone", 0);
    if (munmap(region, pages * PAGE))
        lab_lost(3);
    lab_report("none", 0);
    return 0;
}
