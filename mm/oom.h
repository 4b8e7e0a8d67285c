// SPDX-License-Identifier: MIT
/*
 * oom.h: when the promises cannot all be kept: one process dies so that the others may go on.
 *
 * A fault that finds no memory takes its turn, with no lock held, tries again, and as long as there is none asks for
 * room: in the order in which they came, so that what one death gives back goes to those who have waited longest, and
 * nobody else wakes up for it. It never waits for memory that nobody is about to give back. The kernel's own allocations
 * do not come here: they return -ENOMEM.
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
 * Wait for the turn of the current process, and end it. AFTER_OTHERS: memory may have come back meanwhile, so try again
 * before asking for room. REFUSED: it is dying already; there is no turn to end. Sleeps; no lock is held.
 */
enum oom_turn { OOM_TURN_REFUSED, OOM_TURN_AT_ONCE, OOM_TURN_AFTER_OTHERS };
enum oom_turn oom_turn_begin(void) __must_check;
void oom_turn_end(void);

/*
 * In its turn: find memory for a fault of the current process: by taking back what was given up (MADV_FREE), else by killing. True:
 * try again. False: the current process has been chosen itself, or is dying already; it gives up and ends. May sleep. Panics
 * when nothing can be killed.
 */
bool oom_make_room(void) __must_check;

/*
 * Visit all candidates in the order of their pids, each with the reference of visit(), which may move it out (aspace
 * NULL) to keep it.
 */
struct oom_candidate;
void oom_visit_candidates(void (*visit)(struct oom_candidate *candidate, void *arg), void *arg);

/* May the current process take frames of the reserve? Any context. */
bool oom_may_use_reserve(void);

/* /proc/PID/oom_score: 0 to about 2000, as Linux computes it from size and oom_score_adj. */
unsigned oom_score(struct aspace *aspace, int oom_score_adj);

/* The kernel thread [oom_reaper]: takes a victim's private pages at once. Never returns. */
void oom_reaper(void *arg) __noreturn_fn;

#endif
