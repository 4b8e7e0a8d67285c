// SPDX-License-Identifier: MIT
//
// fork, and nobody writes: parent and child are stopped with the same memory.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120);
    unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    lab_report("start", (uintptr_t)region, pages);
    uint64_t before = lab_clock();
    family.child = fork();
    uint64_t after = lab_clock();
    if (family.child < 0)
        lab_lost(1);
    if (family.child == 0) {
        lab_stream(1);
        child_waits(&family);
        lab_report("child", 0);
        child_waits(&family);
        return 0;
    }
    lab_report("forked", after - before);
    parent_lets_child_go_on(&family);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
