// SPDX-License-Identifier: MIT
//
// MAP_SHARED: one memory for both, before and after fork, in the same leaf table as private pages.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 8, 40);
    unsigned char *region = lab_map_filled(1, pages, MAP_SHARED);
    struct family family;
    unsigned char *private = mmap(region + pages * PAGE, PAGE, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (private == MAP_FAILED)
        lab_lost(1);
    family_init(&family);
    lab_fill(private, 1, pages);
    lab_report("start", 0);
    if (family_fork(&family)) {
        lab_report("child", 0);
        for (uint64_t i = 0; i < pages; i += 2)
            lab_fill(region + i * PAGE, 2, i);
        lab_fill(private, 2, pages);
        lab_report("written", 0);
        child_lets_parent_go_on(&family);
        child_waits(&family);
        return 0;
    }
    parent_waits(&family);
    for (uint64_t i = 1; i < pages; i += 2)
        lab_fill(region + i * PAGE, 3, i);
    lab_report("both", 0);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
