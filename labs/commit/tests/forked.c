// SPDX-License-Identifier: MIT
//
// fork doubles promises: what does a child find left, what is left when it has gone, and when is fork refused?
#include "room.h"

static void look(uint64_t argument) { lab_report("child", argument, room()); }

int main(void)
{
    uint64_t n[4];
    unsigned char *region;

    for (uint64_t i = 0; i < 4; i++)
        n[i] = lab_number(10 + i, 100, 900);
    strict(lab_number(6, 40000, 60000) * KB_PER_PAGE);
    uint64_t before = room();
    int status = with_child(1, look, 0);
    lab_report("alone", before, (uint64_t)status, room());
    map_surely(n[0], PROT_READ | PROT_WRITE, MAP_PRIVATE);
    map_surely(n[1], PROT_READ, MAP_PRIVATE);
    map_surely(n[2], PROT_READ | PROT_WRITE, MAP_SHARED);
    uint64_t larger = room();
    status = with_child(2, look, 0);
    lab_report("larger", larger, (uint64_t)status, room());
    region = map_surely(n[3], PROT_READ | PROT_WRITE, MAP_PRIVATE);
    madvise(region, n[3] * PAGE, MADV_DONTFORK);
    uint64_t kept = room();
    status = with_child(3, look, 0);
    lab_report("kept", kept, (uint64_t)status, room());
    return 0;
}
