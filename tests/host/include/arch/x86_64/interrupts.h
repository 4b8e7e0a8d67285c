// SPDX-License-Identifier: MIT
/*
 * interrupts.h for the host ring: a flag that no one but mm/ looks at. Nothing else runs, so whoever has to
 * wait for a lock waits for ever.
 */
#ifndef ARCH_X86_64_INTERRUPTS_H
#define ARCH_X86_64_INTERRUPTS_H

#include "kernel/lib/assert.h"
#include "kernel/lib/types.h"

extern bool host_interrupts;

static inline bool interrupts_enabled(void) { return host_interrupts; }
static inline void interrupts_enable(void) { host_interrupts = true; }

static inline bool interrupts_disable(void)
{
    bool enabled = host_interrupts;
    host_interrupts = false;
    return enabled;
}

static inline void interrupts_restore(bool enabled) { host_interrupts = enabled; }
static inline void interrupts_wait(void) { panic("waiting for an interrupt that never comes"); }
static inline void interrupts_relax(void) { panic("deadlock: a spinlock is taken twice"); }

#endif
