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

/* clock_nanosleep(2): clock, flags, const struct timespec *, struct timespec *remaining. */
int64_t sys_clock_nanosleep(const struct syscall_args *args)
{
    int clock = (int)args->arg[0], error;
    uint64_t time, start;

    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
        return clock_kind_of(clock) && clock != CLOCK_THREAD_CPUTIME_ID ? -EOPNOTSUPP : -EINVAL;
    error = timespec_fetch(args->arg[2], &time);
    if (error)
        return error;
    if (!(args->arg[1] & TIMER_ABSTIME))
        return sleep_for(time, args->arg[3]);
    start = clock_kind_of(clock) == CLOCK_WALL ? clock_boot_time() : 0;
    error = time > start ? sleep_until(time - start) : 0;
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

/* gettimeofday(2): struct timeval *, struct timezone *; each may be NULL. The time zone is UTC. */
int64_t sys_gettimeofday(const struct syscall_args *args)
{
    static const struct timezone utc;
    uint64_t now = clock_boot_time() + clock_nanoseconds();
    struct __kernel_old_timeval time = { .tv_sec = (long)(now / NANOSECONDS),
                                         .tv_usec = (long)(now % NANOSECONDS / 1000) };

    if (args->arg[0] && copy_to_user(args->arg[0], &time, sizeof(time)))
        return -EFAULT;
    return args->arg[1] ? copy_to_user(args->arg[1], &utc, sizeof(utc)) : 0;
}

/* time(2): time_t * (may be NULL). */
int64_t sys_time(const struct syscall_args *args)
{
    int64_t seconds = (int64_t)((clock_boot_time() + clock_nanoseconds()) / NANOSECONDS);

    if (args->arg[0] && copy_to_user(args->arg[0], &seconds, sizeof(seconds)))
        return -EFAULT;
    return seconds;
}

/* times(2): struct tms *; the result is ticks since boot. */
int64_t sys_times(const struct syscall_args *args)
{
    const struct process *process = current();
    struct tms times = {
        .tms_utime = (__kernel_clock_t)process->usage.user_ticks,
        .tms_stime = (__kernel_clock_t)process->usage.system_ticks,
        .tms_cutime = (__kernel_clock_t)process->child_usage.user_ticks,
        .tms_cstime = (__kernel_clock_t)process->child_usage.system_ticks,
    };

    if (args->arg[0] && copy_to_user(args->arg[0], &times, sizeof(times)))
        return -EFAULT;
    return (int64_t)(clock_nanoseconds() / TICK_NANOSECONDS);
}
