// SPDX-License-Identifier: MIT
/*
 * wait.h: sleeping: wait queues, and the mutex built on them. A door: mm/ sleeps through it.
 *
 * Whoever changes a condition wakes the queue afterwards; whoever waits tests the condition again after
 * each wake-up. A wait queue may be woken from an interrupt.
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <sys/queue.h>

#include "arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"

struct waiter;

struct wait_queue {
    struct spinlock lock;
    TAILQ_HEAD(, waiter) waiters;
};

#define WAIT_QUEUE_INIT(queue) { .lock = SPINLOCK_INIT, .waiters = TAILQ_HEAD_INITIALIZER((queue).waiters) }

void wait_queue_init(struct wait_queue *queue);

/* Make every waiter run again. Any context. Usually nobody waits: the look for it comes after what has been changed. */
void wake_waiters(struct wait_queue *queue);
static inline void wake_all(struct wait_queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!TAILQ_EMPTY(&queue->waiters))
        wake_waiters(queue);
}

/* The same for the one that has waited longest. Who is woken so and leaves without what he came for wakes the next. */
void wake_first(struct wait_queue *queue);

/* In a condition: is the current process the one that has waited longest? */
bool wait_is_first(struct wait_queue *queue);
/* Does anybody wait? */
bool wait_is_wanted(const struct wait_queue *queue);

enum wait_mode { WAIT_UNINTERRUPTIBLE, WAIT_KILLABLE, WAIT_INTERRUPTIBLE };

/*
 * Sleep until condition(arg) holds or, if interruptible, a signal is pending (if killable: one that ends the
 * process), or the clock reaches `deadline` (nanoseconds since boot; 0: never). Returns 0, -ERESTARTSYS or
 * -ETIMEDOUT. The condition is called without locks, possibly often, and may not sleep itself.
 */
int wait_asleep(struct wait_queue *queue, bool (*condition)(void *arg), void *arg, enum wait_mode mode,
                uint64_t deadline) __must_check;
static inline __must_check int wait_until(struct wait_queue *queue, bool (*condition)(void *arg), void *arg,
                                          enum wait_mode mode, uint64_t deadline)
{
    return condition(arg) ? 0 : wait_asleep(queue, condition, arg, mode, deadline);
}

/* Sleep until the clock reaches `deadline`. 0, or -ERESTARTSYS when a signal came first. */
int sleep_until(uint64_t deadline) __must_check;

/* A lock that may be held while sleeping. Not recursive; not for interrupt handlers. */
struct mutex {
    bool held;
    struct process *owner; /* kept in debug builds, for mutex_is_mine() */
    struct wait_queue queue;
};

void mutex_init(struct mutex *mutex);

/* What mutex_lock() does when somebody else has it. */
void mutex_lock_contended(struct mutex *mutex);

/* Does the current process hold it? Debug builds only. */
static inline bool mutex_is_mine(const struct mutex *mutex)
{
    return mutex->held && mutex->owner == this_cpu()->process;
}

static inline void mutex_lock(struct mutex *mutex)
{
    ASSERT(!mutex_is_mine(mutex));
    if (unlikely(__atomic_test_and_set(&mutex->held, __ATOMIC_ACQUIRE)))
        mutex_lock_contended(mutex);
    if (DEBUG)
        mutex->owner = this_cpu()->process;
}

static inline void mutex_unlock(struct mutex *mutex)
{
    ASSERT(mutex_is_mine(mutex));
    __atomic_store_n(&mutex->held, false, __ATOMIC_SEQ_CST); /* before the look at the waiters */
    if (unlikely(!TAILQ_EMPTY(&mutex->queue.waiters)))
        wake_waiters(&mutex->queue);
}

#endif
