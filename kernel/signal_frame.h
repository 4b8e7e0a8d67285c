// SPDX-License-Identifier: MIT
/*
 * signal_frame.h: what a signal handler finds on its stack, and the way back from it.
 */
#ifndef KERNEL_SIGNAL_FRAME_H
#define KERNEL_SIGNAL_FRAME_H

#include "kernel/signal.h"

/*
 * Push a frame that holds the current process's registers, FPU state, alternate stack and the mask `saved`,
 * and change `frame` so that user mode goes on in the handler. 0, or -EFAULT: nothing has changed. May
 * sleep.
 */
int signal_frame_push(struct trapframe *frame, const siginfo_t *info, const struct signal_action *action,
                      signal_mask saved) __must_check;

/*
 * rt_sigreturn(2): put back what the frame at the user's stack pointer holds, as far as user mode may have
 * it. 0, or -EFAULT, -EINVAL, -ENOMEM: then the registers are unchanged. May sleep.
 */
int signal_frame_pop(struct trapframe *frame) __must_check;

/* Does the user's stack pointer lie on the alternate stack (sigaltstack(2))? */
bool signal_on_alternate_stack(const stack_t *alternate, uint64_t rsp);

/* The alternate stack with the flags that sigaltstack(2) and a ucontext report for this stack pointer. */
stack_t signal_alternate_stack_shown(const stack_t *alternate, uint64_t rsp);

/*
 * Set the alternate stack of the current process: 0, -EPERM while running on it, -EINVAL, -ENOMEM (too
 * small).
 */
int signal_set_alternate_stack(const stack_t *stack, uint64_t rsp) __must_check;

/* The largest frame, with the space that its alignment may cost (AT_MINSIGSTKSZ). */
size_t signal_frame_size(void);

#endif
