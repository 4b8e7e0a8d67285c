// SPDX-License-Identifier: MIT
/*
 * oom.h: when the promises cannot all be kept: one process dies so that the others may go on.
 *
 * A fault that finds no memory calls oom_make_room() with no lock held, and tries again or gives up. It never
 * waits for memory that nobody is about to give back. The kernel's own allocations do not come here: they return -ENOMEM.
 */
#ifndef MM_OOM_H
#define MM_OOM_H

#include "kernel/lib/types.h"

struct aspace;

/* /proc/sys/vm (proc(5)); plain words. */
struct oom_policy {
    int panic_on_oom;               /* 1, 2: panic instead of killing */
    int oom_kill_allocating_task;   /* kill the one that asks, without weighing */
    int oom_dump_tasks;             /* print the task table */
};
extern struct oom_policy oom_policy;

extern uint64_t oom_kills; /* since boot */

/*
 * Find memory for a fault of the current process: by taking back what was given up (MADV_FREE), else by killing. True:
 * try again. False: the current process has been chosen itself, or is dying already; it gives up and ends. May sleep. Panics
 * when nothing can be killed.
 */
bool oom_make_room(void) __must_check;

/* May the current process take frames of the reserve? Any context. */
bool oom_may_use_reserve(void);

/* /proc/PID/oom_score: 0 to about 2000, as Linux computes it from size and oom_score_adj. */
unsigned oom_score(struct aspace *aspace, int oom_score_adj);

/* The kernel thread [oom_reaper]: takes a victim's private pages at once. Never returns. */
void oom_reaper(void *arg) __noreturn_fn;

#endif
