// SPDX-License-Identifier: MIT
/*
 * processes.c: see processes.h. A file of its own, since the kernel's signal types (kernel/process.h) are not those of
 * the host's C library.
 */
#include "tests/host/processes.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/wait.h"

static struct host_process *process;
static unsigned process_count;
static struct host_process *running;

uint64_t clock_nanoseconds(void) { return 0; }

uint64_t clock_tsc_frequency(void) { return 1; }

bool debug_port_present(void) { return false; }

void debug_port_write(const void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

int sleep_until(uint64_t deadline)
{
    (void)deadline;
    return 0;
}

void processes_set(struct host_process *processes, unsigned count)
{
    process = processes;
    process_count = count;
    running = NULL;
}

void processes_run(struct host_process *one)
{
    running = one;
    aspace_switch(one->aspace);
}

static bool candidate_fill(struct oom_candidate *candidate, const struct host_process *one)
{
    *candidate = (struct oom_candidate){
        .pid = one->pid,
        .oom_score_adj = one->oom_score_adj,
        .is_victim = one->is_victim,
        .aspace = aspace_get(one->aspace),
    };
    string_copy(candidate->name, one->name, sizeof(candidate->name));
    return true;
}

unsigned oom_candidates_after(int after, struct oom_candidate *candidates, unsigned room)
{
    unsigned count = 0;

    for (unsigned i = 0; i < process_count && count < room; i++)
        if (process[i].pid > after && process[i].pid != INIT_PID && process[i].aspace)
            candidate_fill(&candidates[count++], &process[i]);
    return count;
}

bool oom_candidate_current(struct oom_candidate *candidate)
{
    return running && candidate_fill(candidate, running);
}

void oom_kill(struct aspace *aspace)
{
    for (unsigned i = 0; i < process_count; i++)
        if (process[i].aspace == aspace)
            process[i].is_dying = process[i].is_victim = true;
}

bool oom_current_is_dying(void) { return !running || running->is_dying; }
bool oom_current_is_victim(void) { return running && running->is_victim; }
