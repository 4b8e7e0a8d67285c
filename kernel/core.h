// SPDX-License-Identifier: MIT
/*
 * core.h: what a process that a signal ends leaves for the debugger: a core file (core(5)).
 */
#ifndef KERNEL_CORE_H
#define KERNEL_CORE_H

#include "kernel/lib/types.h"

#define CORE_NAME "core"      /* /proc/sys/kernel/core_pattern */
#define WAIT_STATUS_CORE 0x80 /* in a wait status, beside the signal: a core was written */

/*
 * The wait status of the current process, which this signal ends. Where the signal, RLIMIT_CORE and PR_SET_DUMPABLE say
 * so, the file "core" is written to its working directory first. No lock is held; may sleep.
 */
int core_wait_status(int signal);

#endif
