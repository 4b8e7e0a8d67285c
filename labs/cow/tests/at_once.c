// SPDX-License-Identifier: MIT
//
// The parent writes as soon as fork has returned: what this CPU remembers of its page tables is as fresh as can be.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 8, 24);
    unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    lab_report("start", 0);
    for (uint64_t i = 0; i < pages; i++)
        region[i * PAGE] = lab_byte(1, i, 0);
    family.child = fork();
    if (family.child > 0)
        for (uint64_t i = 0; i < pages; i++)
            region[i * PAGE] = lab_byte(2, i, 0);
    if (family.child < 0)
        lab_lost(1);
    if (family.child == 0) {
        lab_stream(1);
        child_waits(&family);
        lab_report("child", lab_sum(region, pages * PAGE));
        return 0;
    }
    lab_report("written", lab_sum(region, pages * PAGE));
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
