// SPDX-License-Identifier: MIT
//
// Map, write, fork, unmap: many times. What was free and promised before is so afterwards. The pages of all rounds together would
// fill the machine.
#include "lab/family.h"

static void rounds(uint64_t from, uint64_t to)
{
    for (uint64_t round = from; round < to; round++) {
        uint64_t pages = lab_number(10 + round, 50, 300);
        unsigned char *region = lab_map_filled(1, pages, MAP_PRIVATE);
        pid_t child = fork();
        if (child < 0)
            lab_lost(1);
        if (child == 0) {
            for (uint64_t i = 0; i < pages; i += 3)
                region[i * PAGE] = 'c';
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        if (status != 0 || munmap(region, pages * PAGE))
            lab_lost(2);
    }
}

int main(void)
{
    rounds(0, 4);
    lab_report_memory("before");
    rounds(4, 60);
    lab_report_memory("after");
    return 0;
}
