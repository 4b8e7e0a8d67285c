// SPDX-License-Identifier: MIT
/*
 * pidfd.h: descriptors that mean a process, for those who make, end and find processes.
 */
#ifndef KERNEL_PIDFD_H
#define KERNEL_PIDFD_H

#include "kernel/lib/types.h"

struct process;

/*
 * A descriptor of the current process for a child that is being made (clone(2), CLONE_PIDFD): its number, or
 * -ENOMEM, -EMFILE. If the child comes to nothing, pidfd_forget_locked() before it is freed. May sleep.
 */
int pidfd_for_child(struct process *child) __must_check;

/*
 * The process that a descriptor of the current process means, NULL if it is gone, and whether the descriptor was
 * opened not to wait. 0 or -EBADF. process_lock is held.
 */
int pidfd_resolve(int fd, struct process **process, bool *is_nonblocking) __must_check;

/* The process leaves the table: its descriptors mean nobody any more. process_lock is held. */
void pidfd_forget_locked(struct process *process);

#endif
