// SPDX-License-Identifier: MIT
/*
 * sys_time.c: clocks and sleeping.
 */
#include <linux/times.h>

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "kernel/usage.h"
#include "mm/usercopy.h"

#define TICK_NANOSECONDS (NANOSECONDS / TIMER_HZ)

/*
 * Sleep until the deadline in `restart`; cut short by a signal, tell what is left. A handler ends it
 * (signal(7)); after a stop and SIGCONT it goes on by the same deadline.
 */
static int64_t sleep_on(struct restart *restart)
{
    struct __kernel_timespec left;
    uint64_t now;

    if (!sleep_until(restart->deadline)) {
        restart->resume = NULL;
        return 0;
    }
    now = clock_nanoseconds();
    left = timespec_of(restart->deadline > now ? restart->deadline - now : 0);
    if (restart->remaining && copy_to_user(restart->remaining, &left, sizeof(left)))
        return -EFAULT;
    return -ERESTART_RESTARTBLOCK;
}

static int64_t sleep_for(uint64_t nanoseconds, vaddr_t remaining)
{
    struct restart *restart = &current()->restart;

    restart->resume = sleep_on;
    restart->remaining = remaining;
    if (__builtin_add_overflow(clock_nanoseconds(), nanoseconds, &restart->deadline))
        restart->deadline = UINT64_MAX;
    return sleep_on(restart);
}

/* restart_syscall(2): only signal delivery makes this call; a program that does finds nothing to resume. */
int64_t sys_restart_syscall(const struct syscall_args *args)
{
    struct restart *restart = &current()->restart;
    int64_t (*resume)(struct restart *) = restart->resume;

    (void)args;
    return resume ? resume(restart) : -EINTR;
}

/* nanosleep(2): const struct timespec *, struct timespec *remaining. */
int64_t sys_nanosleep(const struct syscall_args *args)
{
    uint64_t nanoseconds;
    int error = timespec_fetch(args->arg[0], &nanoseconds);

    return error ? error : sleep_for(nanoseconds, args->arg[1]);
}

/* May one sleep by this clock? 0 or the error that clock_nanosleep(2) gives. */
static int sleep_check(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
        return 0;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return clock_may_wake(clock) ? 0 : -EPERM;
    default:
        return clock_kind_of(clock) ? -EOPNOTSUPP : -EINVAL;
    }
}

/* clock_nanosleep(2): clock, flags, const struct timespec *, struct timespec *remaining. */
int64_t sys_clock_nanosleep(const struct syscall_args *args)
{
    int clock = (int)args->arg[0], error = sleep_check(clock);
    uint64_t time;

    if (!error)
        error = timespec_fetch(args->arg[2], &time);
    if (error)
        return error;
    if (!(args->arg[1] & TIMER_ABSTIME))
        return sleep_for(time, args->arg[3]);
    error = clock_kind_of(clock) == CLOCK_WALL ? clock_sleep_wall(time) : sleep_until(time);
    return error ? -ERESTARTNOHAND : 0;
}

/* clock_gettime(2): clock, struct timespec *. */
int64_t sys_clock_gettime(const struct syscall_args *args)
{
    struct __kernel_timespec time;

    if (clock_kind_of((int)args->arg[0]) == CLOCK_UNKNOWN)
        return -EINVAL;
    time = timespec_of(clock_read((int)args->arg[0]));
    return copy_to_user(args->arg[1], &time, sizeof(time));
}

/* clock_getres(2): clock, struct timespec * (may be NULL). Only the coarse ones tick. */
int64_t sys_clock_getres(const struct syscall_args *args)
{
    int clock = (int)args->arg[0];
    bool is_coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    struct __kernel_timespec resolution = timespec_of(is_coarse ? TICK_NANOSECONDS : 1);

    if (clock_kind_of(clock) == CLOCK_UNKNOWN)
        return -EINVAL;
    return args->arg[1] ? copy_to_user(args->arg[1], &resolution, sizeof(resolution)) : 0;
}

/* As settimeofday(2) was told; the kernel itself makes nothing of it. */
static struct timezone time_zone;

/* gettimeofday(2): struct timeval *, struct timezone *; each may be NULL. */
int64_t sys_gettimeofday(const struct syscall_args *args)
{
    uint64_t now = clock_read(CLOCK_REALTIME);
    struct __kernel_old_timeval time = { .tv_sec = (long)(now / NANOSECONDS),
                                         .tv_usec = (long)(now % NANOSECONDS / 1000) };

    if (args->arg[0] && copy_to_user(args->arg[0], &time, sizeof(time)))
        return -EFAULT;
    return args->arg[1] ? copy_to_user(args->arg[1], &time_zone, sizeof(time_zone)) : 0;
}

#define WALL_SECONDS_MAX ((int64_t)(INT64_MAX / NANOSECONDS) - 30 * 365 * 24 * 60 * 60l) /* 30 years to run */

/* Set the wall clock and the time zone, each of which may be NULL: 0, -EINVAL, -EPERM. */
static int set_wall(const struct __kernel_timespec *time, const struct timezone *zone)
{
    const int most_minutes = 15 * 60;
    uint64_t nanoseconds = 0;
    int error;

    if (time && (!timespec_read(time, &nanoseconds) || time->tv_sec >= WALL_SECONDS_MAX))
        return -EINVAL;
    if (!credentials_are_privileged(&current()->credentials))
        return -EPERM;
    if (zone && (zone->tz_minuteswest > most_minutes || zone->tz_minuteswest < -most_minutes))
        return -EINVAL;
    error = time ? clock_set_wall(nanoseconds) : 0;
    if (!error && zone)
        time_zone = *zone;
    return error;
}

/* settimeofday(2): const struct timeval *, const struct timezone *; each may be NULL. */
int64_t sys_settimeofday(const struct syscall_args *args)
{
    struct __kernel_old_timeval time;
    struct __kernel_timespec wanted;
    struct timezone zone;

    if (args->arg[0]) {
        if (copy_from_user(&time, args->arg[0], sizeof(time)))
            return -EFAULT;
        if ((uint64_t)time.tv_usec > MICROSECONDS)
            return -EINVAL;
        wanted = (struct __kernel_timespec){ .tv_sec = time.tv_sec, .tv_nsec = time.tv_usec * 1000 };
    }
    if (args->arg[1] && copy_from_user(&zone, args->arg[1], sizeof(zone)))
        return -EFAULT;
    return set_wall(args->arg[0] ? &wanted : NULL, args->arg[1] ? &zone : NULL);
}

/* clock_settime(2): clock, const struct timespec *. Only CLOCK_REALTIME can be set. */
int64_t sys_clock_settime(const struct syscall_args *args)
{
    int clock = (int)args->arg[0];
    struct __kernel_timespec time;

    if (clock != CLOCK_REALTIME && (clock >= 0 || !clock_kind_of(clock)))
        return -EINVAL;
    if (copy_from_user(&time, args->arg[1], sizeof(time)))
        return -EFAULT;
    return clock < 0 ? -EPERM : set_wall(&time, NULL);
}

/* time(2): time_t * (may be NULL). */
int64_t sys_time(const struct syscall_args *args)
{
    int64_t seconds = (int64_t)(clock_wall() / NANOSECONDS);

    if (args->arg[0] && copy_to_user(args->arg[0], &seconds, sizeof(seconds)))
        return -EFAULT;
    return seconds;
}

/* times(2): struct tms *; the result is ticks since boot. */
int64_t sys_times(const struct syscall_args *args)
{
    const struct process *leader = current()->leader;
    struct process_usage usage;
    struct tms times;
    bool irq = spin_lock_irq(&process_lock);

    usage_total_locked(leader, &usage);
    spin_unlock_irq(&process_lock, irq);
    times = (struct tms){
        .tms_utime = (__kernel_clock_t)usage.user_ticks,
        .tms_stime = (__kernel_clock_t)usage.system_ticks,
        .tms_cutime = (__kernel_clock_t)leader->child_usage.user_ticks,
        .tms_cstime = (__kernel_clock_t)leader->child_usage.system_ticks,
    };
    if (args->arg[0] && copy_to_user(args->arg[0], &times, sizeof(times)))
        return -EFAULT;
    return (int64_t)(clock_nanoseconds() / TICK_NANOSECONDS);
}
