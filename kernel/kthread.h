// SPDX-License-Identifier: MIT
/*
 * kthread.h: kernel threads: processes that never go to user mode.
 *
 * A thread has a pid and a name (ps shows it in brackets), no parent, no address space, no files. Signals
 * pass it by, so an interruptible sleep of its ends by its condition or deadline alone; it should sleep
 * interruptibly all the same where it waits for work, for only then it does not count as load.
 */
#ifndef KERNEL_KTHREAD_H
#define KERNEL_KTHREAD_H

#include "kernel/lib/types.h"

/*
 * Start a thread that runs function(arg). When the function returns, the thread ends and leaves no zombie.
 * Call it after pid 1 has been made, which takes the first pid. The pid, or -ENOMEM, -EAGAIN.
 */
int kthread_create(const char *name, void (*function)(void *arg), void *arg) __must_check;

#endif
