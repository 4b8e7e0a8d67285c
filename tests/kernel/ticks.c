// SPDX-License-Identifier: MIT
/*
 * ticks.c: tests of who pays for a tick.
 */
#include "arch/x86_64/interrupts.h"
#include "kernel/entry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"

KTEST(ticks, missed_ones_are_nobodys)
{
    const struct trapframe user = { .cs = 3 }, kernel = { .cs = 0 };
    bool irq = interrupts_disable(); /* the true ticks stay out */
    struct sched_ticks before = sched_ticks;
    uint64_t mine = current()->usage.user_ticks + current()->usage.system_ticks;

    (void)timer_tick(&user, 5);
    struct sched_ticks after_user = sched_ticks;
    (void)timer_tick(&kernel, 3);
    struct sched_ticks after_kernel = sched_ticks;
    mine = current()->usage.user_ticks + current()->usage.system_ticks - mine;
    interrupts_restore(irq);

    EXPECT_EQUAL(after_user.user - before.user, 1);
    EXPECT_EQUAL(after_user.stolen - before.stolen, 4);
    EXPECT_EQUAL(after_user.system - before.system, 0);
    EXPECT_EQUAL(after_kernel.system - after_user.system, 1);
    EXPECT_EQUAL(after_kernel.stolen - after_user.stolen, 2);
    EXPECT_EQUAL(mine, 2);
}
