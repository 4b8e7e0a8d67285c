// SPDX-License-Identifier: MIT
//
// A promise of more than half a tebibyte, and a page here and there: at places that the seed decides, and on both sides of
// borders between tables of each level. lab.py knows the same places.
#include "lab/record.h"

#define PAGES (130ul << 20) // 520 GiB
#define CHOSEN 24
#define ROW 64 // pages side by side

static unsigned char *region;

static unsigned char *border(unsigned shift) { return (unsigned char *)((((uintptr_t)region >> shift) + 1) << shift); }

static unsigned char *place(uint64_t j)
{
    static const unsigned shifts[] = { 21, 30, 39 };
    if (j < CHOSEN)
        return region + lab_number(100 + j, 0, PAGES - ROW - 1) * PAGE;
    unsigned char *first = border(shifts[(j - CHOSEN) / 2]);
    return j % 2 ? first : first - PAGE;
}

int main(void)
{
    region = lab_map(1, PAGES, MAP_PRIVATE | MAP_NORESERVE);
    lab_report("start", (uintptr_t)region, PAGES);
    for (uint64_t j = 0; j < CHOSEN + 6; j++)
        lab_fill(place(j), 1, j);
    lab_report("written", 0);
    unsigned char *row = place(0) + PAGE;
    uint64_t before = lab_clock();
    for (int i = 0; i < ROW; i++)
        row[i * PAGE] = 'x';
    lab_report("row", lab_clock() - before);
    return 0;
}
