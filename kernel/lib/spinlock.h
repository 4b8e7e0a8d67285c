// SPDX-License-Identifier: MIT
/*
 * spinlock.h: a lock for short sections that never sleep.
 *
 * Kernel code is not preempted, so on one CPU a plain spinlock never spins; it is a real one all the
 * same. Data that an interrupt handler touches too is locked with the _irq form, which also keeps the
 * handler off this CPU while the lock is held. The order of all locks is in docs/design.md.
 */
#ifndef KERNEL_LIB_SPINLOCK_H
#define KERNEL_LIB_SPINLOCK_H

#include "arch/x86_64/interrupts.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/types.h"

struct spinlock {
    bool held;
};

#define SPINLOCK_INIT { .held = false }

static inline bool spin_is_held(const struct spinlock *lock) { return READ_ONCE(lock->held); }

static inline void spin_lock(struct spinlock *lock)
{
    if (unlikely(__atomic_test_and_set(&lock->held, __ATOMIC_ACQUIRE)))
        do
            interrupts_relax();
        while (__atomic_test_and_set(&lock->held, __ATOMIC_ACQUIRE));
}

static inline void spin_unlock(struct spinlock *lock)
{
    ASSERT(lock->held);
    __atomic_clear(&lock->held, __ATOMIC_RELEASE);
}

/* Returns what spin_unlock_irq takes back: whether interrupts were enabled. */
static inline __must_check bool spin_lock_irq(struct spinlock *lock)
{
    bool enabled = interrupts_disable();
    spin_lock(lock);
    return enabled;
}

static inline void spin_unlock_irq(struct spinlock *lock, bool enabled)
{
    spin_unlock(lock);
    interrupts_restore(enabled);
}

#endif
