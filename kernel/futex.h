// SPDX-License-Identifier: MIT
/*
 * futex.h: what a process owes to those who wait for it in its memory.
 */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

struct process;

/*
 * The current process is about to leave its address space, by exec or by its end: locks on its robust list get
 * FUTEX_OWNER_DIED (set_robust_list(2)), and if others share the memory, the word named by set_tid_address(2)
 * becomes 0; who waits for either is woken. Bad addresses are passed over, as in Linux. May sleep.
 */
void futex_leave_memory(struct process *process);

#endif
