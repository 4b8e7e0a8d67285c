// SPDX-License-Identifier: MIT
/*
 * interrupts.h: the CPU's interrupt flag.
 */
#ifndef ARCH_X86_64_INTERRUPTS_H
#define ARCH_X86_64_INTERRUPTS_H

#include "kernel/lib/types.h"

#define RFLAGS_IF (1ul << 9)

static inline bool interrupts_enabled(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags & RFLAGS_IF;
}

static inline void interrupts_enable(void) { __asm__ volatile("sti" : : : "memory"); }

/* Returns whether they were enabled, for interrupts_restore. */
static inline bool interrupts_disable(void)
{
    bool enabled = interrupts_enabled();
    __asm__ volatile("cli" : : : "memory");
    return enabled;
}

static inline void interrupts_restore(bool enabled)
{
    if (enabled)
        interrupts_enable();
}

/* Sleep until the next interrupt; enables interrupts in the same step, so that none is missed. */
static inline void interrupts_wait(void) { __asm__ volatile("sti; hlt" : : : "memory"); }

static inline void interrupts_relax(void) { __asm__ volatile("pause" : : : "memory"); }

#endif
