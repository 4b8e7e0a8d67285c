// SPDX-License-Identifier: MIT
/*
 * posix_timer.h: the timers of timer_create(2), for timer.c.
 */
#ifndef KERNEL_POSIX_TIMER_H
#define KERNEL_POSIX_TIMER_H

struct process;

/* The current process has run a tick: its timers on CPU time. From the timer's interrupt. */
void posix_timers_charge(struct process *process);

/* Delete all of the current process. */
void posix_timers_release(struct process *process);

#endif
