// SPDX-License-Identifier: MIT
/*
 * context.h: switching between kernel stacks, and the floating-point state that goes along.
 */
#ifndef ARCH_X86_64_CONTEXT_H
#define ARCH_X86_64_CONTEXT_H

#include "arch/x86_64/page.h"
#include "arch/x86_64/trap.h"

/* A kernel stack at rest: the callee-saved registers lie on it. */
struct context {
    vaddr_t rsp;
};

/*
 * Save this stack in `from` and go on with `to`. Interrupts are disabled; returns when someone switches
 * back.
 */
void context_switch(struct context *from, struct context *to);

/*
 * Prepare a stack so that the first switch to it calls entry(arg) with interrupts enabled. entry never
 * returns.
 */
void context_init(struct context *context, vaddr_t stack_top, void (*entry)(void *arg), void *arg);

/*
 * Prepare a stack so that the first switch to it calls first(), then returns to user mode with the frame
 * that this function returns; the caller fills it in.
 */
struct trapframe *context_init_user(struct context *context, vaddr_t stack_top, void (*first)(void));

/*
 * The FPU, SSE and AVX registers. An area has fpu_size() bytes, is 64-byte aligned, and has the layout of
 * XSAVE (or FXSAVE where the CPU has no XSAVE; SDM 1, 13.4), which is also what signal frames carry.
 */
size_t fpu_size(void);
/*
 * The state components that an area can hold (XCR0), or 0 where its layout is FXSAVE's. Signal frames tell
 * it.
 */
uint64_t fpu_features(void);
/* What each of its two writers leaves as it is, this one clears: whatever memory it is, an area then tells nothing of before. */
void fpu_clear_area(void *area);
void fpu_init_area(void *area);
void fpu_save(void *area);
void fpu_restore(const void *area);

/* May a user-supplied area be restored without a fault (reserved bits clear)? Mends nothing. */
bool fpu_area_valid(const void *area);

#endif
