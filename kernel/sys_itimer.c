// SPDX-License-Identifier: MIT
/*
 * sys_itimer.c: the three interval timers of a process, and alarm(2), which is the first of them.
 */
#include <linux/time.h>

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define TICK_NANOSECONDS (NANOSECONDS / TIMER_HZ)

/* In nanoseconds. `left` 0: not set; `interval` 0: runs out once. */
struct interval {
    uint64_t left, interval;
};

static struct tick_timer *tick_timer_of(struct process_timers *timers, int which)
{
    return which == ITIMER_VIRTUAL ? &timers->virtual : &timers->profile;
}

static struct interval read_real(const struct process_timers *timers)
{
    uint64_t now = clock_nanoseconds(), deadline = timers->real.deadline;

    if (!timers->real.armed)
        return (struct interval){ .interval = timers->real_interval };
    return (struct interval){ deadline > now ? deadline - now : 1000, timers->real_interval };
}

static struct interval read_ticks(const struct tick_timer *timer)
{
    return (struct interval){ timer->left * TICK_NANOSECONDS, timer->interval * TICK_NANOSECONDS };
}

static struct interval timer_read(int which)
{
    struct process_timers *timers = &current()->leader->timers;

    return which == ITIMER_REAL ? read_real(timers) : read_ticks(tick_timer_of(timers, which));
}

static void set_real(struct process_timers *timers, const struct interval *value)
{
    uint64_t deadline;

    alarm_disarm(&timers->real);
    timers->real_interval = value->interval;
    if (!value->left)
        return;
    if (__builtin_add_overflow(clock_nanoseconds(), value->left, &deadline))
        deadline = UINT64_MAX;
    alarm_arm(&timers->real, deadline);
}

static uint64_t to_ticks(uint64_t nanoseconds)
{
    return nanoseconds / TICK_NANOSECONDS + (nanoseconds % TICK_NANOSECONDS != 0);
}

/* The tick that counts down must not come between the two words. */
static void set_ticks(struct tick_timer *timer, const struct interval *value)
{
    bool irq = interrupts_disable();

    *timer = (struct tick_timer){ to_ticks(value->left), to_ticks(value->interval) };
    interrupts_restore(irq);
}

static void timer_set(int which, const struct interval *value)
{
    struct process_timers *timers = &current()->leader->timers;

    if (which == ITIMER_REAL)
        set_real(timers, value);
    else
        set_ticks(tick_timer_of(timers, which), value);
}

static bool fetch_timeval(const struct __kernel_old_timeval *time, uint64_t *nanoseconds)
{
    struct __kernel_timespec same = { .tv_sec = time->tv_sec, .tv_nsec = time->tv_usec * 1000 };

    return (uint64_t)time->tv_usec < MICROSECONDS && timespec_read(&same, nanoseconds);
}

static struct __kernel_old_timeval timeval_of(uint64_t nanoseconds)
{
    return (struct __kernel_old_timeval){ .tv_sec = (long)(nanoseconds / NANOSECONDS),
                                          .tv_usec = (long)(nanoseconds % NANOSECONDS / 1000) };
}

static int put_interval(vaddr_t address, const struct interval *value)
{
    const struct __kernel_old_timeval told[2] = { timeval_of(value->interval), timeval_of(value->left) };

    return copy_to_user(address, told, sizeof(told));
}

/* getitimer(2): which, struct itimerval *. */
int64_t sys_getitimer(const struct syscall_args *args)
{
    int which = (int)args->arg[0];
    struct interval now;

    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    now = timer_read(which);
    return put_interval(args->arg[1], &now);
}

/* setitimer(2): which, const struct itimerval *new (NULL: not set), struct itimerval *old. */
int64_t sys_setitimer(const struct syscall_args *args)
{
    struct __kernel_old_timeval wanted[2] = { { 0 } };
    struct interval old, new;
    int which = (int)args->arg[0];

    if (args->arg[1] && copy_from_user(wanted, args->arg[1], sizeof(wanted)))
        return -EFAULT;
    if (!fetch_timeval(&wanted[0], &new.interval) || !fetch_timeval(&wanted[1], &new.left) ||
        which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    old = timer_read(which);
    timer_set(which, &new);
    return args->arg[2] ? put_interval(args->arg[2], &old) : 0;
}

/* alarm(2): seconds. The result is what was left, to the nearest second but at least one. */
int64_t sys_alarm(const struct syscall_args *args)
{
    uint64_t seconds = (unsigned)args->arg[0];
    struct interval old = timer_read(ITIMER_REAL), new = { seconds * NANOSECONDS, 0 };

    timer_set(ITIMER_REAL, &new);
    if (!old.left)
        return 0;
    return (int64_t)MAX((old.left + NANOSECONDS / 2) / NANOSECONDS, 1ul);
}
