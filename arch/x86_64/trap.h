// SPDX-License-Identifier: MIT
/*
 * trap.h: the registers that an entry to the kernel saves, the same for traps, interrupts and system calls.
 */
#ifndef ARCH_X86_64_TRAP_H
#define ARCH_X86_64_TRAP_H

#include "kernel/lib/types.h"

/* In the order in which trap.asm pushes them, lowest address first. */
struct trapframe {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, rcx, rax;
    uint64_t rdi, rsi, rdx, r10, r8, r9; /* the arguments of a system call, in this order (kernel/syscall.h) */
    uint64_t vector;
    uint64_t error; /* the CPU's error code; for a system call, its number as called */
    uint64_t rip, cs, rflags, rsp, ss;
};

enum trap_vector {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUND = 5,
    TRAP_INVALID_OPCODE = 6,
    TRAP_NO_FPU = 7,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_SEGMENT = 11,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,
    TRAP_IRQ_BASE = 32, /* 16 device interrupts */
    TRAP_SYSCALL = 256, /* not a vector: marks a frame made by the SYSCALL instruction */
};

#define USER_CS 0x33
#define USER_SS 0x2b
#define KERNEL_CS 0x08
#define KERNEL_SS 0x10

/*
 * Back to user mode with all registers as in this frame, the current process's. For a system call that gives its caller
 * others: the ordinary way back takes nothing from the frame but what the call has left alone.
 */
void trap_return(struct trapframe *frame) __attribute__((noreturn));

static inline bool trap_from_user(const struct trapframe *frame) { return frame->cs & 3; }

#endif
