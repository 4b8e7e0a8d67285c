// SPDX-License-Identifier: MIT
//
// mremap moves pages, and the holes between them, to another place. Nothing stays behind, tables included.
#define _GNU_SOURCE
#include "lab/record.h"

int main(void)
{
    uint64_t pages = lab_number(1, 600, 1200);
    unsigned char *to = lab_map(2, pages, MAP_PRIVATE);

    if (munmap(to, pages * PAGE))
        lab_lost(1);
    lab_report("start", 0);
    unsigned char *from = lab_map(1, pages, MAP_PRIVATE);
    for (uint64_t i = 0; i < pages; i++)
        if (lab_number(2000 + i, 0, 7) == 0)
            lab_fill(from + i * PAGE, 1, i);
    lab_report("mapped", (uintptr_t)from, pages, (uintptr_t)to);
    if (mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
        lab_lost(2);
    lab_report("moved", 0);
    for (uint64_t i = 0; i < pages; i++)
        to[i * PAGE] = 'w';
    lab_report("written", 0);
    return 0;
}
