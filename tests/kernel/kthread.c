// SPDX-License-Identifier: MIT
/*
 * kthread.c: tests of kernel threads, and of alarms.
 */
#include "kernel/kthread.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"

#define MILLISECOND 1000000ul

static struct wait_queue queue;
static volatile unsigned step;

static bool step_reached(void *arg) { return step >= *(unsigned *)arg; }

static int wait_for_step(unsigned wanted)
{
    return wait_until(&queue, step_reached, &wanted, WAIT_INTERRUPTIBLE,
                      clock_nanoseconds() + 500 * MILLISECOND);
}

static void thread(void *arg)
{
    *(int *)arg = current()->pid;
    EXPECT(current()->is_kernel && !current()->aspace && !current()->user);
    step = 1;
    wake_all(&queue);
    EXPECT_EQUAL(wait_for_step(2), 0);
    step = 3;
    wake_all(&queue);
}

KTEST(kthread, runs_sleeps_and_leaves_nothing)
{
    wait_queue_init(&queue);
    step = 0;
    unsigned count = process_figures.count;
    int seen = 0;
    int pid = kthread_create("test", thread, &seen);
    REQUIRE(pid > 0);
    EXPECT_EQUAL(process_figures.count, count + 1);
    EXPECT_EQUAL(wait_for_step(1), 0);
    EXPECT_EQUAL(seen, pid);

    /* Signals pass it by, SIGKILL included. */
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = process_find_locked(pid);
    if (EXPECT(process))
        EXPECT(!signal_send_locked(process, SIGKILL, &(struct signal_record){ .si_code = SI_KERNEL }, NULL) &&
               !process->signals->own.mask && !process->signals->shared.mask);
    spin_unlock_irq(&process_lock, irq);

    step = 2;
    wake_all(&queue);
    EXPECT_EQUAL(wait_for_step(3), 0);
    EXPECT_EQUAL(sleep_until(clock_nanoseconds() + 20 * MILLISECOND), 0); /* let it end */
    EXPECT_EQUAL(process_figures.count, count);
}

static struct alarm alarms[3];
static unsigned rung[4], rung_count;

static void ring(struct alarm *alarm)
{
    if (rung_count < ARRAY_SIZE(rung))
        rung[rung_count] = (unsigned)(alarm - alarms);
    rung_count++;
}

KTEST(alarm, rings_in_the_order_of_deadlines)
{
    uint64_t now = clock_nanoseconds();
    rung_count = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++)
        alarms[i] = (struct alarm){ .ring = ring };
    alarm_arm(&alarms[0], now + 30 * MILLISECOND);
    alarm_arm(&alarms[1], now + 1 * MILLISECOND);
    alarm_arm(&alarms[2], now + 20 * MILLISECOND);
    alarm_disarm(&alarms[2]);
    EXPECT_EQUAL(sleep_until(now + 60 * MILLISECOND), 0);
    EXPECT_EQUAL(rung_count, 2);
    EXPECT(rung[0] == 1 && rung[1] == 0);
    EXPECT(!alarms[0].armed && !alarms[1].armed && !alarms[2].armed);
    alarm_arm(&alarms[0], now); /* long past: at once */
    EXPECT_EQUAL(sleep_until(clock_nanoseconds() + 30 * MILLISECOND), 0);
    EXPECT_EQUAL(rung_count, 3);
}
