// SPDX-License-Identifier: MIT
/*
 * errno.h: error numbers. The user-visible ones are Linux's own; the rest never leave the kernel.
 */
#ifndef KERNEL_LIB_ERRNO_H
#define KERNEL_LIB_ERRNO_H

#include <asm/errno.h>

/*
 * A sleeping call was interrupted by a signal. Signal delivery turns it into a restart of the call or
 * into EINTR (signal(7), "Interruption of system calls"); it is never returned to user mode.
 */
#define ERESTARTSYS 512

/* The same, for calls that a handler always ends with EINTR, whatever SA_RESTART says (pause, sigsuspend). */
#define ERESTARTNOHAND 514

/*
 * The same, for sleeps with a time limit: after a stop and SIGCONT they go on with what is left of it, by
 * restart_syscall(2) and the process's struct restart; a handler ends them with EINTR.
 */
#define ERESTART_RESTARTBLOCK 516

#endif
