// SPDX-License-Identifier: MIT
//
// Fork, write on both sides, exit: many times. What was free and promised before is so afterwards. The copies of all rounds
// together would fill the machine.
#include "lab/family.h"

static void rounds(unsigned char *region, uint64_t pages, uint64_t count)
{
    for (uint64_t round = 0; round < count; round++) {
        pid_t child = fork();
        if (child < 0)
            lab_lost(2);
        for (uint64_t i = 0; i < pages; i++)
            if (child > 0 || i % 2)
                region[i * PAGE] = (unsigned char)round;
        if (child == 0)
            _exit(0);
        int status = -1;
        waitpid(child, &status, 0);
        if (status != 0)
            lab_lost(3);
    }
}

int main(void)
{
    uint64_t pages = lab_number(1, 80, 120);
    unsigned char *region = lab_map(1, pages, MAP_PRIVATE);

    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
    rounds(region, pages, 4);
    lab_report_memory("before");
    rounds(region, pages, 80);
    lab_report_memory("after");
    return 0;
}
