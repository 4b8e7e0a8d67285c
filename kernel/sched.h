// SPDX-License-Identifier: MIT
/*
 * sched.h: who runs: the runnable processes with the highest priority, in turn (sched(7)). Nearly all have priority
 * 0 (SCHED_OTHER, and SCHED_BATCH and SCHED_IDLE, which are no different here but that the last has one tick);
 * SCHED_FIFO and SCHED_RR have 1 to 99. Nothing holds those back: one that never sleeps keeps the CPU.
 *
 * A slice is SCHED_SLICE ticks at nice 0, longer below (up to 12 ticks at -20), one tick above; sched_rr_milliseconds for
 * SCHED_RR; SCHED_FIFO has no end.
 *
 * User mode is preempted by the timer; the kernel is not: it gives up the CPU where it sleeps, and in
 * user_return(). The run queue's lock is an _irq lock: interrupts wake processes.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "kernel/process.h"

#define SCHED_SLICE 2     /* ticks */

/* /proc/sys/kernel/sched_rr_timeslice_ms, and what is to be called when it was set: 0 and less mean the first value. */
extern int sched_rr_milliseconds;
void sched_rr_changed(void);
/* A slice of SCHED_RR in ticks, 1 or more. */
unsigned sched_rr_slice(void);

/* Bits of struct cpu's return_work: what is to be done before going back to user mode. */
enum return_work { RETURN_RESCHEDULE = 1, RETURN_SIGNAL = 2, RETURN_RSEQ = 4, RETURN_FILES = 8 };

/* Make this CPU's boot thread the idle process. Called once. */
void sched_init(void);

/* The boot thread's last act: run processes, halt when there are none. */
void sched_idle(void) __noreturn_fn;

/* Put a new process at the end of the queue. Any context. */
void sched_enqueue(struct process *process);

/* Make a sleeping process runnable; one that does not sleep stays as it is. Interrupts are off. */
void sched_wake(struct process *process);
/* The same, if its sleep is interruptible; if it is at least killable; if it is stopped. */
void sched_interrupt(struct process *process);
void sched_kill(struct process *process);
void sched_continue(struct process *process);

/* Change policy and priority (process.h), valid ones. Any process; process_lock is held. */
void sched_set_policy_locked(struct process *process, int policy, int priority);

/*
 * Say that the current process is about to sleep (or, PROCESS_RUNNABLE, that it is not). schedule()
 * follows. Whoever wakes it sees the mark before the process looks at anything else.
 */
static inline void sched_set_state(enum process_state state)
{
    __atomic_store_n(&current()->state, state, __ATOMIC_SEQ_CST);
}

/*
 * Give up the CPU: runs the next one, returns when this process runs again. Its state says whether it stays
 * in the queue.
 */
void schedule(void);

/* Its slice is over: the next one's turn. */
void sched_yield_slice(void);

/*
 * For long loops in the kernel: give up the CPU if the slice is over. No lock is held. A loop that only works
 * for its process should also end when signal_is_fatal_pending().
 */
static inline void sched_yield_if_needed(void)
{
    if (unlikely(READ_ONCE(this_cpu()->return_work) & RETURN_RESCHEDULE))
        sched_yield_slice();
}

/* The current thread goes on as this struct, which has its kernel stack now. Interrupts are off. */
void sched_become(struct process *process);

/* What a new process does first on its own stack, before anything else: the second half of schedule(). */
void sched_start(void);

/* Nanoseconds that a thread has had the CPU so far. process_lock is held, or it is the current process. */
uint64_t sched_run_time(const struct process *process);
/* The same for all threads of this leader's process, those that have ended included. process_lock is held. */
uint64_t sched_process_run_time(const struct process *leader);

/*
 * Load averages over 1, 5 and 15 minutes, as Linux computes them: fixed point with LOAD_SHIFT bits after
 * the point, brought up to date every 5 seconds with the number of processes that are runnable or in an
 * uninterruptible sleep (proc(5), /proc/loadavg).
 */
#define LOAD_SHIFT 11
extern unsigned long sched_load[3];

/* Runnable processes, the running one included (for /proc/loadavg). */
unsigned sched_runnable(void);

/* Ticks since boot: in user mode, in the kernel, idle, not had by this machine (for /proc/stat and /proc/uptime). */
struct sched_ticks {
    uint64_t user, system, idle, stolen;
};
extern struct sched_ticks sched_ticks;

/* Switches from one process to another since boot (for /proc/stat). */
extern uint64_t sched_switches;

#endif
