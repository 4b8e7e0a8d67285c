// SPDX-License-Identifier: MIT
/*
 * thread.h: the end of one of several threads (process.h), for exit.c. process_lock is held.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "kernel/process.h"

/* SIGKILL to every thread of this leader's process but the current one. */
void thread_kill_others_locked(struct process *leader);

/*
 * The thread that made this child has ended: those of the child that asked for a signal get it, as if the parent had sent it
 * (prctl(2), PR_SET_PDEATHSIG).
 */
void thread_tell_child_locked(struct process *child);

/* The children that an ending thread has made are another one's of its process now, and are told. */
void thread_leave_children_locked(const struct process *thread);

#endif
