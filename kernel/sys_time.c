// SPDX-License-Identifier: MIT
/*
 * sys_time.c: clocks and sleeping. A sleep ends at the first timer tick at or after its time (TIMER_HZ).
 */
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>

#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define NANOSECONDS 1000000000ul
#define TICK_NANOSECONDS (NANOSECONDS / TIMER_HZ)

static uint64_t cpu_time(const struct process_usage *usage)
{
    return (usage->user_ticks + usage->system_ticks) * TICK_NANOSECONDS;
}

/* What a clock says now, in nanoseconds. False: there is no such clock. */
static bool clock_read(int clock, uint64_t *now)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *now = clock_boot_time() + clock_nanoseconds();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *now = clock_nanoseconds();
        return true;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        *now = cpu_time(&current()->usage);
        return true;
    default:
        return false;
    }
}

static struct __kernel_timespec to_timespec(uint64_t nanoseconds)
{
    return (struct __kernel_timespec){ .tv_sec = (int64_t)(nanoseconds / NANOSECONDS),
                                       .tv_nsec = (int64_t)(nanoseconds % NANOSECONDS) };
}

/*
 * Fetch a time; what does not fit 64 bits of nanoseconds (584 years) becomes the greatest value. 0,
 * -EFAULT, -EINVAL.
 */
static int fetch_timespec(vaddr_t address, uint64_t *nanoseconds)
{
    struct __kernel_timespec time;

    if (copy_from_user(&time, address, sizeof(time)))
        return -EFAULT;
    if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= NANOSECONDS)
        return -EINVAL;
    if (__builtin_mul_overflow((uint64_t)time.tv_sec, NANOSECONDS, nanoseconds) ||
        __builtin_add_overflow(*nanoseconds, (uint64_t)time.tv_nsec, nanoseconds))
        *nanoseconds = UINT64_MAX;
    return 0;
}

/*
 * Sleep for a while; cut short by a signal, tell at `remaining` what is left. A handler never restarts it
 * (signal(7)).
 */
static int sleep_for(uint64_t nanoseconds, vaddr_t remaining)
{
    uint64_t deadline = clock_nanoseconds(), now;
    struct __kernel_timespec left;

    if (__builtin_add_overflow(deadline, nanoseconds, &deadline))
        deadline = UINT64_MAX;
    if (!sleep_until(deadline))
        return 0;
    now = clock_nanoseconds();
    left = to_timespec(deadline > now ? deadline - now : 0);
    if (remaining && copy_to_user(remaining, &left, sizeof(left)))
        return -EFAULT;
    return -EINTR;
}

/* nanosleep(2): const struct timespec *, struct timespec *remaining. */
int64_t sys_nanosleep(const struct syscall_args *args)
{
    uint64_t nanoseconds;
    int error = fetch_timespec(args->arg[0], &nanoseconds);

    return error ? error : sleep_for(nanoseconds, args->arg[1]);
}

/* clock_nanosleep(2): clock, flags, const struct timespec *, struct timespec *remaining. */
int64_t sys_clock_nanosleep(const struct syscall_args *args)
{
    int clock = (int)args->arg[0], error;
    uint64_t time, start;

    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return clock_read(clock, &time) ? -EOPNOTSUPP : -EINVAL;
    error = fetch_timespec(args->arg[2], &time);
    if (error)
        return error;
    if (!(args->arg[1] & TIMER_ABSTIME))
        return sleep_for(time, args->arg[3]);
    start = clock == CLOCK_REALTIME ? clock_boot_time() : 0;
    error = time > start ? sleep_until(time - start) : 0;
    return error ? -ERESTARTNOHAND : 0;
}

/* clock_gettime(2): clock, struct timespec *. */
int64_t sys_clock_gettime(const struct syscall_args *args)
{
    struct __kernel_timespec time;
    uint64_t now;

    if (!clock_read((int)args->arg[0], &now))
        return -EINVAL;
    time = to_timespec(now);
    return copy_to_user(args->arg[1], &time, sizeof(time));
}

/* clock_getres(2): clock, struct timespec * (may be NULL). */
int64_t sys_clock_getres(const struct syscall_args *args)
{
    int clock = (int)args->arg[0];
    bool by_tick = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
    struct __kernel_timespec resolution = to_timespec(by_tick ? TICK_NANOSECONDS : 1);
    uint64_t now;

    if (!clock_read(clock, &now))
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
