// SPDX-License-Identifier: MIT
//
// Every combination of rights, on pages that are written before: who may do what, and what comes back when the rights do.
#include <sys/mman.h>

#include "lab/probe.h"

#define COUNT 6
#define RETURN 0xc3 // the instruction

static const int rights[COUNT] = { PROT_NONE,
                                   PROT_READ,
                                   PROT_READ | PROT_WRITE,
                                   PROT_READ | PROT_EXEC,
                                   PROT_READ | PROT_WRITE | PROT_EXEC,
                                   PROT_EXEC };

static uint64_t probe_call(unsigned char *at)
{
    if (sigsetjmp(probe_back, 1))
        return probe_signal;
    ((void (*)(void))(uintptr_t)at)();
    return 0;
}

int main(void)
{
    probe_init();
    unsigned char *region = lab_map_filled(1, COUNT, MAP_PRIVATE), *fresh = lab_map(2, COUNT, MAP_PRIVATE);
    uint64_t turn = lab_number(3, 0, COUNT - 1), reads = 0, writes = 0, calls = 0;

    for (uint64_t i = 0; i < COUNT; i++)
        region[i * PAGE + 1] = RETURN;
    lab_report("start", (uintptr_t)region, (uintptr_t)fresh);
    for (uint64_t i = 0; i < COUNT; i++)
        if (mprotect(region + i * PAGE, PAGE, rights[(i + turn) % COUNT]) || mprotect(fresh + i * PAGE, PAGE, rights[(i + turn) % COUNT]))
            lab_lost(1);
    for (uint64_t i = 0; i < COUNT; i++) {
        reads = reads << 1 | !probe_read(fresh + i * PAGE);
        writes = writes << 1 | !probe_write(fresh + i * PAGE, 'w');
    }
    lab_report("set", reads, writes);
    reads = writes = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        calls = calls << 1 | !probe_call(region + i * PAGE + 1);
        reads = reads << 1 | !probe_read(region + i * PAGE + 64);
        writes = writes << 1 | !probe_write(region + i * PAGE + 64, 'w');
    }
    if (mprotect(region, COUNT * PAGE, PROT_READ | PROT_WRITE))
        lab_lost(2);
    lab_report("back", reads, writes, calls);
    return 0;
}
