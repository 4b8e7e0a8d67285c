// SPDX-License-Identifier: MIT
//
// A thousand mappings and more: finding one, and finding room, must not take longer for it.
#include "lab/record.h"

#define TOUCHES 64

static uint64_t look_cost, map_cost;

int main(void)
{
    uint64_t count = lab_number(1, 1500, 2500), step = lab_number(2, 0, count - 1) | 1;
    unsigned char *top = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *place = top;
    uint64_t before, after;

    if (top == MAP_FAILED)
        lab_lost(1);
    for (uint64_t i = 0; i < count; i++) { // each with a hole of one page above it
        place -= 2 * PAGE;
        if (mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place)
            lab_lost(2);
    }
    lab_report("mapped", (uintptr_t)place, count);
    for (uint64_t i = 0, at = 0; i < TOUCHES; i++, at = (at + step) % count) {
        before = lab_clock();
        place[2 * at * PAGE] = 1;
        after = lab_clock();
        look_cost += after - before;
    }
    unsigned char *room[TOUCHES]; // as many, so that a search may leave the next one less to do
    before = lab_clock();
    for (uint64_t i = 0; i < TOUCHES; i++)
        room[i] = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    after = lab_clock();
    map_cost = after - before;
    lab_report("costs", look_cost, map_cost, (uintptr_t)room[0], (uintptr_t)room[TOUCHES - 1]);
    return 0;
}
