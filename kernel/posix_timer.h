// SPDX-License-Identifier: MIT
/*
 * posix_timer.h: the timers of timer_create(2), for timer.c.
 */
#ifndef KERNEL_POSIX_TIMER_H
#define KERNEL_POSIX_TIMER_H

struct process;

/* A thread of this leader's process, the current one, has run a tick: its timers on CPU time. From the timer's interrupt. */
void posix_timers_charge(struct process *leader);

/*
 * This thread is about to end: its process's timers on its CPU time stand still, those that signal it send nothing.
 * process_lock is held.
 */
void posix_timers_forget_thread_locked(const struct process *thread);

/* Delete all of this leader's process, the current one. */
void posix_timers_release(struct process *leader);

#endif
