// SPDX-License-Identifier: MIT
//
// A child writes a page in each gibibyte: each takes two tables besides. It is killed for it, and leaves nothing behind.
#include "lab/family.h"

#define GIB (1ul << 30)

static void child_writes(void)
{
    unsigned char *region = lab_map(1, 4096 * (GIB / PAGE), MAP_PRIVATE | MAP_NORESERVE);
    uint64_t first = lab_number(3, 0, 1000) * PAGE;

    if (fork() == 0) {
        for (uint64_t i = 0; i < 4096; i++)
            region[i * GIB + first] = 'c';
        _exit(0);
    }
    int status = 0;
    wait(&status);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(void)
{
    unsigned char *data = lab_map_filled(2, 50, MAP_PRIVATE);
    uint64_t killed = 0;

    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        if (child == 0)
            child_writes();
        int status = 0;
        waitpid(child, &status, 0);
        killed = killed << 8 | (status >> 8 & 0xff);
        if (round == 0)
            lab_report_memory("before");
    }
    lab_report_memory("after");
    lab_report("killed", killed, (uintptr_t)data);
    return 0;
}
