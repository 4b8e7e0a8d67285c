// SPDX-License-Identifier: MIT
/*
 * processes.h: as much of processes as the OOM killer asks for (kernel/process.h): a few names with address spaces.
 *
 * Where there are none, a fault without memory just fails, as it does for a process that is about to die.
 */
#ifndef TESTS_HOST_PROCESSES_H
#define TESTS_HOST_PROCESSES_H

#include "kernel/lib/types.h"

struct aspace;

struct host_process {
    int pid;
    const char *name;
    struct aspace *aspace; /* NULL: it has ended */
    int oom_score_adj;
    bool is_dying, is_victim; /* killed; by the OOM killer */
};

/* The processes, by pid, and which of them runs. count 0: there are none. */
void processes_set(struct host_process *processes, unsigned count);
void processes_run(struct host_process *process);

/* The first line of the kernel's log that contains `text`, or NULL; since log_forget(). */
const char *log_line(const char *text);
void log_forget(void);

#endif
