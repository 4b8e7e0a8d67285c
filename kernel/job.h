// SPDX-License-Identifier: MIT
/*
 * job.h: job control: stopping, continuing, and what is told to the parent (signal(7), wait(2)).
 */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include "kernel/signal.h"

struct process;

/* SIGTTIN, SIGTTOU, SIGTSTP, SIGSTOP. */
#define SIGNAL_MASK_STOP                                                                               \
    (1ul << (SIGSTOP - 1) | 1ul << (SIGTSTP - 1) | 1ul << (SIGTTIN - 1) | 1ul << (SIGTTOU - 1))

/*
 * The current thread takes a stop signal with its default action: mark it as stopped, and have the other threads of its
 * process stop, too; schedule() follows. False: its group is orphaned, and only SIGSTOP stops that (POSIX, 2.4.3).
 * process_lock is held.
 */
bool job_stop_locked(int number);

/* This thread is to stop with the rest of its process. process_lock is held. */
void job_stop_thread_locked(struct process *thread);

/* If all threads of this leader's process, which is to stop, have stopped by now, its parent is told. process_lock is held. */
void job_check_stopped_locked(struct process *leader);

/* SIGCONT is sent to this leader's process: if it is stopped, it goes on, and its parent is told. process_lock is held. */
void job_continue_locked(struct process *leader);

/*
 * `process` is about to lose `parent` (by its own end, or the parent's): if that leaves its group orphaned
 * and with stopped members, the group gets SIGHUP and SIGCONT (_exit(2)). process_lock is held.
 */
enum job_loss { JOB_PROCESS_ENDS, JOB_PARENT_ENDS };
void job_check_orphaned_locked(struct process *process, struct process *parent, enum job_loss loss);

/* CLD_KILLED or CLD_DUMPED: how a process with this wait status was ended by a signal. */
int job_killed_code(int wait_status);

/* SIGCHLD to the parent: `code` is CLD_*, `status` the exit code or signal. process_lock is held. */
struct signal_record job_child_record(const struct process *child, int code, int status);

#endif
