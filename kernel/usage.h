// SPDX-License-Identifier: MIT
/*
 * usage.h: what a process has used: getrusage(2), wait4(2), times(2).
 */
#ifndef KERNEL_USAGE_H
#define KERNEL_USAGE_H

#include "kernel/process.h"

/* Note the resident peak of the current process's address space in its usage. May sleep. */
void usage_note_resident(struct process *process);

/* What all threads of this leader's process have used, those that have ended included. process_lock is held. */
void usage_total_locked(const struct process *leader, struct process_usage *total);

/* Add what wait4(2) tells of a child to what is told of its parent's children. The larger peak counts. */
void usage_add(struct process_usage *total, const struct process_usage *usage);

/* As getrusage(2) shows it: times in ticks' precision, resident peak in KiB. */
void usage_to_rusage(const struct process_usage *usage, struct rusage *rusage);

#endif
