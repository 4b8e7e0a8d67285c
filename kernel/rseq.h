// SPDX-License-Identifier: MIT
/*
 * rseq.h: restartable sequences, for those who interrupt them.
 */
#ifndef KERNEL_RSEQ_H
#define KERNEL_RSEQ_H

#include "arch/x86_64/trap.h"
#include "kernel/lib/types.h"

/*
 * The current process has been interrupted, by another process or by a signal, at what `frame` says: if that is
 * inside a critical section, it goes on at the section's abort address. 0, or -EFAULT or -EINVAL if what the
 * program left in its memory is no good, for which it gets a SIGSEGV. May sleep.
 */
int rseq_interrupted(struct trapframe *frame) __must_check;

#endif
