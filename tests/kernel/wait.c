// SPDX-License-Identifier: MIT
/*
 * wait.c: tests of sleeping and waking, and of the mutex, with a helper process that lives in the kernel
 * only.
 */
#include "kernel/wait.h"

#include <linux/wait.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"
#include "kernel/syscalls.h"

#define MILLISECOND 1000000ul

static struct wait_queue queue;
static struct mutex mutex;
static volatile unsigned step;

/* Start a child of this process that runs first() and ends. Its pid, or 0 (and the test has failed). */
static int helper_start(void (*first)(void))
{
    struct process *helper = process_create(first, signal_actions_create());

    if (!EXPECT(helper))
        return 0;
    process_set_name(helper, "helper");
    fpu_init_area(helper->fpu);
    helper->standpoint = standpoint_create(fs_root);
    helper->files = files_create();
    if (!EXPECT(helper->standpoint && helper->files && !process_enter(helper, current())))
        return 0;
    int pid = helper->pid;
    sched_enqueue(helper);
    return pid;
}

/* Wait for it; it has no exit signal, so __WALL asks for it. */
static void helper_wait(int pid)
{
    struct syscall_args args = { .arg = { pid, 0, __WALL, 0 } };

    EXPECT_EQUAL(sys_wait4(&args), pid);
}

static bool step_reached(void *arg) { return step >= *(unsigned *)arg; }

static int wait_for_step(unsigned wanted, uint64_t deadline)
{
    return wait_until(&queue, step_reached, &wanted, WAIT_UNINTERRUPTIBLE, deadline);
}

KTEST(wait, condition_that_holds_does_not_sleep)
{
    wait_queue_init(&queue);
    step = 5;
    uint64_t switches = current()->usage.voluntary_switches;
    EXPECT_EQUAL(wait_for_step(5, 0), 0);
    EXPECT_EQUAL(current()->usage.voluntary_switches, switches);
}

KTEST(wait, deadline)
{
    wait_queue_init(&queue);
    step = 0;
    uint64_t start = clock_nanoseconds();
    EXPECT_EQUAL(wait_for_step(1, start + 20 * MILLISECOND), -ETIMEDOUT);
    EXPECT(clock_nanoseconds() >= start + 20 * MILLISECOND);
    EXPECT(TAILQ_EMPTY(&queue.waiters));
    EXPECT_EQUAL(sleep_until(clock_nanoseconds() + 10 * MILLISECOND), 0);
    EXPECT_EQUAL(sleep_until(0), 0); /* long past */
}

static void helper_steps(void)
{
    sched_start();
    EXPECT_EQUAL(wait_for_step(1, 0), 0);
    step = 2;
    wake_all(&queue);
    process_exit(0);
}

KTEST(wait, two_processes_take_turns)
{
    wait_queue_init(&queue);
    step = 0;
    int pid = helper_start(helper_steps);
    REQUIRE(pid);
    EXPECT_EQUAL(wait_for_step(2, clock_nanoseconds() + 20 * MILLISECOND), -ETIMEDOUT); /* it waits for us */
    step = 1;
    wake_all(&queue);
    EXPECT_EQUAL(wait_for_step(2, 0), 0);
    helper_wait(pid);
}

static void helper_locks(void)
{
    sched_start();
    step = 1;
    mutex_lock(&mutex);
    EXPECT(mutex_is_mine(&mutex));
    EXPECT_EQUAL(step, 2);
    step = 3;
    mutex_unlock(&mutex);
    process_exit(0);
}

KTEST(wait, mutex_keeps_others_out)
{
    mutex_init(&mutex);
    wait_queue_init(&queue);
    step = 0;
    EXPECT(!mutex_is_mine(&mutex));
    mutex_lock(&mutex);
    EXPECT(mutex_is_mine(&mutex));
    int pid = helper_start(helper_locks);
    REQUIRE(pid);
    EXPECT_EQUAL(sleep_until(clock_nanoseconds() + 20 * MILLISECOND), 0);
    EXPECT_EQUAL(step, 1); /* it has tried, and sleeps */
    EXPECT(mutex_is_mine(&mutex));
    step = 2;
    mutex_unlock(&mutex);
    helper_wait(pid);
    EXPECT_EQUAL(step, 3);
    EXPECT(!mutex.held);
}

static void helper_ends(void)
{
    sched_start();
    step = 1;
    process_exit(0);
}

KTEST(wait, helpers_leave_nothing_behind)
{
    for (unsigned i = 0; i < 3; i++) {
        step = 0;
        int pid = helper_start(helper_ends);
        REQUIRE(pid);
        helper_wait(pid);
        EXPECT_EQUAL(step, 1);
    }
}
