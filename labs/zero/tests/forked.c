// SPDX-License-Identifier: MIT
//
// Pages that were read only, then fork: child and parent write some of them, as the seed decides, and some both.
#include <sys/wait.h>

#include "lab/record.h"

static void write_mine(volatile unsigned char *region, uint64_t pages, uint64_t who)
{
    for (uint64_t i = 0; i < pages; i++)
        if (lab_number(2000 + i, 0, 3) & who)
            region[i * PAGE] = lab_byte(who, i, 0);
}

int main(void)
{
    uint64_t pages = lab_number(1, 20, 60), sum = 0;
    volatile unsigned char *region = lab_map(1, pages, MAP_PRIVATE);

    for (uint64_t i = 0; i < pages; i++)
        sum += region[i * PAGE];
    lab_report("read", sum);
    pid_t child = fork();
    if (child < 0)
        lab_lost(1);
    if (child == 0) {
        lab_stream(1);
        write_mine(region, pages, 1);
        lab_report("child", 0);
        return 0;
    }
    int status = -1;
    waitpid(child, &status, 0);
    write_mine(region, pages, 2);
    lab_report("parent", status);
    return 0;
}
