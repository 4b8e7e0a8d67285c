// SPDX-License-Identifier: MIT
//
// The child copies every other page and is gone; then the parent, alone again, writes all.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120);
    unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    lab_report("start", 0);
    if (family_fork(&family)) {
        for (uint64_t i = 0; i < pages; i += 2)
            lab_fill(region + i * PAGE, 2, i);
        _exit(0);
    }
    lab_report("gone", child_gone(&family));
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 3, i);
    lab_report("written", 0);
    for (uint64_t i = 0; i < pages; i++)
        region[i * PAGE + 1] = 'x';
    lab_report("again", 0);
    return 0;
}
