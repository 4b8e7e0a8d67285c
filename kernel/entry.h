// SPDX-License-Identifier: MIT
/*
 * entry.h: the doors by which arch/ calls up into the kernel.
 *
 * A trap enters by mm_fault() (mm/fault.h) or by one of these.
 */
#ifndef KERNEL_ENTRY_H
#define KERNEL_ENTRY_H

#include "arch/x86_64/trap.h"
#include "kernel/syscall.h"
#include "mm/fault.h"

/*
 * The first function above arch/: the CPU is set up, RAM is known to bootmem, interrupts are off. `archive`
 * is the initial archive (cpio newc, `length` bytes, reserved for ever). Never returns.
 */
void kernel_main(const void *archive, size_t length) __attribute__((noreturn));

/*
 * The SYSCALL instruction: number in rax, arguments in rdi rsi rdx r10 r8 r9; the result goes to rax. The handler is
 * called with interrupts on. NULL, and numbers beyond: syscall_unknown(), which is ENOSYS and a line in the log the first
 * time (numbers beyond are nobody's, and are not logged).
 */
#define SYSCALL_NUMBERS 512 /* Linux's own end below this (those of x32 begin there) */
extern const syscall_handler syscall_table[SYSCALL_NUMBERS];
int64_t syscall_unknown(const struct syscall_args *args);

/*
 * The timer interrupt, interrupts off: so many ticks (of TIMER_HZ) have passed since the last one, possibly
 * none. Returns when the next alarm is due, in nanoseconds since boot; UINT64_MAX: there is none.
 */
uint64_t timer_tick(const struct trapframe *frame, unsigned ticks);

/*
 * A page fault that ended in a SEGV_*, BUS or OOM kind; from the kernel's own copies to and from user
 * memory only OOM: then the process is killed before it is back in user mode, since it would otherwise see
 * EFAULT for a good pointer. Interrupts on.
 */
void fault_signal(struct trapframe *frame, const struct fault *fault, enum fault_kind kind);

/*
 * Any other exception from user mode: becomes SIGFPE, SIGILL, SIGTRAP, SIGBUS or SIGSEGV (as Linux maps
 * them).
 */
void exception_signal(struct trapframe *frame);

/*
 * Before going back to user mode while return_work of this CPU is set: delivers signals, reschedules.
 * Interrupts on.
 */
void user_return(struct trapframe *frame);

/*
 * A trap that the kernel cannot go on from: say all that is known about it, and end the machine. `addr` is
 * the address of a page fault or the last one before a double fault, else 0. Any context (kernel/panic.c).
 */
void panic_trap(const struct trapframe *frame, vaddr_t addr) __attribute__((noreturn));

#endif
