// SPDX-License-Identifier: MIT
//
// A mapping comes, is cut, grows and goes; the heap grows and shrinks. Each time: what is left in the ledger?
#define _GNU_SOURCE
#include "room.h"

int main(void)
{
    uint64_t pages = lab_number(1, 300, 900), hole = lab_number(2, 10, 200), heap = lab_number(3, 50, 400);
    uint64_t more = lab_number(4, 20, 300), touched = lab_number(5, 20, 100);

    strict(lab_number(6, 40000, 60000) * KB_PER_PAGE);
    uint64_t start = room();
    unsigned char *region = map_surely(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    uint64_t mapped = room();
    for (uint64_t i = 0; i < touched; i++)
        region[i * PAGE] = 1;
    lab_report("mapped", start, mapped, room());
    munmap(region + 50 * PAGE, hole * PAGE);
    uint64_t cut = room();
    munmap(region, pages * PAGE);
    lab_report("unmapped", cut, room());
    uint64_t brk = syscall(SYS_brk, 0);
    if ((uint64_t)syscall(SYS_brk, brk + heap * PAGE) != brk + heap * PAGE)
        lab_lost(1);
    uint64_t grown = room();
    syscall(SYS_brk, brk);
    lab_report("heap", grown, room());
    region = map_surely(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    region = mremap(region, pages * PAGE, (pages + more) * PAGE, MREMAP_MAYMOVE);
    if (region == MAP_FAILED)
        lab_lost(2);
    uint64_t larger = room();
    mmap(region, hole * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    lab_report("changed", larger, room());
    uint64_t refused = 0;
    for (uint64_t i = 0; i < 20; i++) // none of them is granted, and none leaves anything
        refused += !map(ROOM_MOST + i, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    lab_report("refused", refused, room());
    return 0;
}
