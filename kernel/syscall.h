// SPDX-License-Identifier: MIT
/*
 * syscall.h: system calls: what a handler looks like, and how it reports.
 *
 * The table in syscall.c is indexed by Linux's numbers (<asm/unistd.h>). A handler runs in the calling
 * process with interrupts on, holds no lock at the start or the end, and may sleep. It returns the value
 * for rax: a result, a negative errno, or -ERESTARTSYS when a signal cut its sleep short and nothing was
 * done yet (signal delivery then restarts the call or makes EINTR of it; see signal.c).
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "kernel/lib/types.h"

/*
 * The arguments as the caller had them in rdi, rsi, rdx, r10, r8, r9. All 64 bits: a handler narrows them
 * itself. They lie in the caller's registers, current()->user.
 */
struct syscall_args {
    uint64_t arg[6];
};

typedef int64_t (*syscall_handler)(const struct syscall_args *args);

#endif
