// SPDX-License-Identifier: MIT
//
// The three modes and the limit of the third.
#include "room.h"

int main(void)
{
    uint64_t low = lab_number(1, 8000, 12000), high = low + lab_number(2, 1000, 90000), percent = lab_number(3, 60, 400);

    strict(low * KB_PER_PAGE);
    uint64_t few = room();
    set("overcommit_kbytes", high * KB_PER_PAGE);
    uint64_t many = room();
    set("overcommit_ratio", percent); // kbytes are 0 then
    lab_report("limits", few, many, room(), meminfo("MemTotal:"));
    set("overcommit_kbytes", low * KB_PER_PAGE);
    uint64_t left = room(), most = meminfo("Committed_AS:");
    unsigned char *all = map_surely(left, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    lab_report("full", room(), left, most, meminfo("Committed_AS:"));
    munmap(all, left * PAGE);

    set("overcommit_memory", 0);
    uint64_t largest = room(), granted = 0;
    for (int i = 0; i < 10; i++)
        granted += !!map(largest, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    lab_report("heuristic", largest, granted, room());
    set("overcommit_memory", 1);
    bool is_huge_granted = is_granted(largest * 1000), is_too_much_granted = is_granted(1ul << 36);
    lab_report("always", is_huge_granted, is_too_much_granted);
    return 0;
}
