// SPDX-License-Identifier: MIT
/*
 * timer.h: things to be done at a time, and the timers that a process can have.
 *
 * A struct alarm calls its function from the timer's interrupt, as soon after its deadline as that can be had
 * (a few microseconds): sleeps, setitimer(2)'s ITIMER_REAL and timer_create(2) are made of it. ITIMER_VIRTUAL and
 * ITIMER_PROF are counted down by the ticks that a process runs (timers_charge()).
 *
 * Locks: alarm_lock (_irq) for the list of alarms; it is not held while a function is called. struct
 * process_timers belongs to its process, in the leader, and is guarded by process_lock.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <sys/queue.h>

#include "kernel/lib/types.h"

struct process;

struct alarm {
    uint64_t deadline; /* nanoseconds since boot */
    void (*ring)(struct alarm *alarm);
    bool armed;        /* is in the list */
    bool follows_wall; /* was set to a time of the wall clock: moves when that is set */
    TAILQ_ENTRY(alarm) link;
};

/*
 * Set, or take out: afterwards it is not armed (its function may have been called). ring() runs in the
 * timer's interrupt, is not armed any more and may arm itself again. Any context.
 */
void alarm_arm(struct alarm *alarm, uint64_t deadline);
void alarm_disarm(struct alarm *alarm);

/* The wall clock goes on from `boot_time` (machine.h): what was set by it moves along. */
void alarm_set_wall(uint64_t boot_time);

/*
 * After it has rung: arm it again, at its deadline plus the interval (not 0), or the first multiple that is not
 * past. How many were passed over.
 */
uint64_t alarm_arm_next(struct alarm *alarm, uint64_t interval);

/*
 * The same from ring() where nobody will take a signal: then it rings no sooner than a tick from now, or a short
 * interval would leave the machine no time for anything else.
 */
void alarm_arm_next_unheard(struct alarm *alarm, uint64_t interval);

/*
 * Ring all whose deadline has come; the result is the deadline of the next one, or UINT64_MAX. The timer's
 * interrupt calls it.
 */
uint64_t alarm_expire(uint64_t now);

/* setitimer(2)'s VIRTUAL and PROF: in ticks. */
struct tick_timer {
    uint64_t left, interval; /* left 0: not set */
};

struct posix_timer;

struct process_timers {
    struct alarm real; /* ITIMER_REAL, alarm(2) */
    uint64_t real_interval; /* nanoseconds; 0: once */
    struct tick_timer virtual, profile;
    LIST_HEAD(, posix_timer) posix; /* timer_create(2) */
    int next_id;
    unsigned cpu_timers; /* those that run on CPU time */
};

void timers_init(struct process_timers *timers);

/* One tick of CPU time for the current thread, in user mode or not: may send SIGVTALRM, SIGPROF, SIGXCPU. */
void timers_charge(struct process *thread, bool user);

/* All below are about a leader. exec: timer_create(2)'s timers go, the others stay. exit: all go. May sleep. */
void timers_reset_for_exec(struct process *process);
void timers_release(struct process *process);

/* SIGALRM has been taken by `process`: ITIMER_REAL with an interval goes on. process_lock is held. */
void timers_alarm_taken_locked(struct process *process);

/*
 * A signal of timer_create(2)'s timer `id` is being delivered to `process`: how often the timer ran out again
 * since it was sent (timer_getoverrun(2)). process_lock is held.
 */
int timers_take_overrun_locked(struct process *process, int id);

#endif
