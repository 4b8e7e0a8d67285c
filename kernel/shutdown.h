// SPDX-License-Identifier: MIT
/*
 * shutdown.h: the end of a run, in order.
 */
#ifndef KERNEL_SHUTDOWN_H
#define KERNEL_SHUTDOWN_H

#include "kernel/lib/types.h"

/*
 * Report the run's figures and the status of init (as wait4(2) has it), then power off. Any process, at any
 * point.
 */
void shutdown_power_off(int wait_status) __noreturn_fn;

/* The same, but the machine starts anew. */
void shutdown_restart(void) __noreturn_fn;

#endif
