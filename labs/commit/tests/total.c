// SPDX-License-Identifier: MIT
//
// What /proc/meminfo says of the ledger, beside what is granted; and what a promise costs among many others.
#include "room.h"

int main(void)
{
    uint64_t pages = lab_number(1, 300, 900), count = lab_number(2, 900, 1200), limit = lab_number(6, 40000, 60000);

    strict(limit * KB_PER_PAGE);
    uint64_t left = room(), total = meminfo("Committed_AS:"), shown = meminfo("CommitLimit:");
    map_surely(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    lab_report("total", left, total, shown, room(), meminfo("Committed_AS:"));
    for (uint64_t i = 0; i < count; i++)
        map_surely(1, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE);
    uint64_t before = lab_clock();
    unsigned char *one = map_surely(2, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
    munmap(one, 2 * PAGE);
    uint64_t after = lab_clock();
    lab_report("price", after - before);
    return 0;
}
