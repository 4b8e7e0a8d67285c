// SPDX-License-Identifier: MIT
/*
 * wait.c: wait queues, deadlines, and the mutex.
 *
 * A waiter lies on the sleeper's stack, in its queue's list and, with a deadline, has an alarm set (timer.h).
 * The sleeper enters the queue and marks itself as sleeping before it tests the condition, so that whoever changes that
 * finds it in the queue, and a wake-up between test and schedule() finds the mark and takes it away.
 *
 * Locks, in this order: a queue's lock, the run queue's; both _irq.
 */
#include "kernel/wait.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"

struct waiter {
    struct process *process;
    struct alarm alarm; /* set where there is a deadline */
    TAILQ_ENTRY(waiter) link;
};

void wait_queue_init(struct wait_queue *queue) { *queue = (struct wait_queue)WAIT_QUEUE_INIT(*queue); }

void wake_waiters(struct wait_queue *queue)
{
    struct waiter *waiter;
    bool irq = spin_lock_irq(&queue->lock);

    TAILQ_FOREACH(waiter, &queue->waiters, link)
        sched_wake(waiter->process);
    spin_unlock_irq(&queue->lock, irq);
}

void wake_first(struct wait_queue *queue)
{
    bool irq = spin_lock_irq(&queue->lock);
    struct waiter *first = TAILQ_FIRST(&queue->waiters);

    if (first)
        sched_wake(first->process);
    spin_unlock_irq(&queue->lock, irq);
}

bool wait_is_first(struct wait_queue *queue)
{
    bool irq = spin_lock_irq(&queue->lock);
    const struct waiter *first = TAILQ_FIRST(&queue->waiters);
    bool is_first = first && first->process == current();

    spin_unlock_irq(&queue->lock, irq);
    return is_first;
}

bool wait_is_wanted(const struct wait_queue *queue) { return !TAILQ_EMPTY(&queue->waiters); }

static void waiter_ring(struct alarm *alarm)
{
    sched_wake(container_of(alarm, struct waiter, alarm)->process);
}

static void waiter_add(struct waiter *waiter, struct wait_queue *queue, uint64_t deadline)
{
    bool irq = spin_lock_irq(&queue->lock);

    TAILQ_INSERT_TAIL(&queue->waiters, waiter, link);
    spin_unlock_irq(&queue->lock, irq);
    if (!deadline)
        return;
    waiter->alarm = (struct alarm){ .ring = waiter_ring };
    alarm_arm(&waiter->alarm, deadline);
}

static void waiter_remove(struct waiter *waiter, struct wait_queue *queue, uint64_t deadline)
{
    bool irq;

    if (deadline)
        alarm_disarm(&waiter->alarm);
    irq = spin_lock_irq(&queue->lock);
    TAILQ_REMOVE(&queue->waiters, waiter, link);
    spin_unlock_irq(&queue->lock, irq);
}

/* Does a signal end a sleep of this mode? */
static bool is_interrupted(enum wait_mode mode)
{
    if (mode == WAIT_INTERRUPTIBLE)
        return signal_is_pending(current());
    return mode == WAIT_KILLABLE && signal_is_fatal_pending(current());
}

int wait_asleep(struct wait_queue *queue, bool (*condition)(void *arg), void *arg, enum wait_mode mode,
                uint64_t deadline)
{
    static const enum process_state states[] = {
        [WAIT_UNINTERRUPTIBLE] = PROCESS_UNINTERRUPTIBLE,
        [WAIT_KILLABLE] = PROCESS_KILLABLE,
        [WAIT_INTERRUPTIBLE] = PROCESS_SLEEPING,
    };
    struct waiter waiter;
    int result;

    ASSERT(current()->pid != 0); /* the idle process has nobody to leave the CPU to */
    waiter.process = current();
    waiter_add(&waiter, queue, deadline);
    for (;;) {
        sched_set_state(states[mode]);
        result = 0;
        if (condition(arg))
            break;
        result = -ERESTARTSYS;
        if (is_interrupted(mode))
            break;
        result = -ETIMEDOUT;
        if (deadline && clock_nanoseconds() >= deadline)
            break;
        schedule();
    }
    sched_set_state(PROCESS_RUNNABLE);
    if (result == -ERESTARTSYS)
        signal_cut_call();
    waiter_remove(&waiter, queue, deadline);
    return result;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

int sleep_until(uint64_t deadline)
{
    struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
    int error = wait_until(&nobody, never, NULL, WAIT_INTERRUPTIBLE, MAX(deadline, 1ul));

    return error == -ETIMEDOUT ? 0 : error;
}

void mutex_init(struct mutex *mutex)
{
    mutex->held = false;
    mutex->owner = NULL;
    wait_queue_init(&mutex->queue);
}

static bool mutex_try(void *arg)
{
    struct mutex *mutex = arg;

    return !__atomic_test_and_set(&mutex->held, __ATOMIC_ACQUIRE);
}

void mutex_lock_contended(struct mutex *mutex)
{
    int error = wait_until(&mutex->queue, mutex_try, mutex, WAIT_UNINTERRUPTIBLE, 0);

    BUG_ON(error, "uninterruptible wait gave %d", error);
}
