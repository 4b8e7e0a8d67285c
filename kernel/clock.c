// SPDX-License-Identifier: MIT
/*
 * clock.c: reading clocks.
 *
 * A negative number names the CPU clock of a process: ~pid << 3, with two bits for what is counted (user and
 * system time, user time alone, or as the scheduler counts) and one that says that it is a thread's, which has to be of
 * the caller's process.
 */
#include "kernel/clock.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/usage.h"
#include "mm/usercopy.h"

#define TICK_NANOSECONDS (NANOSECONDS / TIMER_HZ)

enum cpu_clock { CPU_CLOCK_PROF = 0, CPU_CLOCK_VIRT = 1, CPU_CLOCK_SCHED = 2 };

#define CPU_CLOCK_WHAT 3
#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_PID_SHIFT 3

bool clock_is_of_thread(int clock)
{
    return clock >= 0 ? clock == CLOCK_THREAD_CPUTIME_ID : clock & CPU_CLOCK_THREAD;
}

struct process *clock_cpu_owner_locked(int clock)
{
    int pid = clock >= 0 ? 0 : ~(clock >> CPU_CLOCK_PID_SHIFT);
    struct process *owner = pid ? process_find_locked(pid) : current();

    if (!owner)
        return NULL;
    if (clock_is_of_thread(clock))
        return owner->leader == current()->leader ? owner : NULL;
    return process_is_leader(owner) || owner == current() ? owner->leader : NULL;
}

uint64_t clock_cpu_read_locked(int clock, const struct process *process)
{
    int what = clock >= 0 ? CPU_CLOCK_SCHED : clock & CPU_CLOCK_WHAT;
    struct process_usage usage;

    if (what == CPU_CLOCK_SCHED)
        return clock_is_of_thread(clock) ? sched_run_time(process) : sched_process_run_time(process);
    if (clock_is_of_thread(clock))
        usage = process->usage;
    else
        usage_total_locked(process, &usage);
    return (usage.user_ticks + (what == CPU_CLOCK_PROF ? usage.system_ticks : 0)) * TICK_NANOSECONDS;
}

static bool cpu_clock_exists(int clock)
{
    bool irq = spin_lock_irq(&process_lock);
    bool exists = (clock & CPU_CLOCK_WHAT) <= CPU_CLOCK_SCHED && clock_cpu_owner_locked(clock);

    spin_unlock_irq(&process_lock, irq);
    return exists;
}

enum clock_kind clock_kind_of(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI: /* no leap seconds are known, as in Linux until told */
        return CLOCK_WALL;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        return CLOCK_SINCE_BOOT;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return CLOCK_CPU;
    default:
        return clock < 0 && cpu_clock_exists(clock) ? CLOCK_CPU : CLOCK_UNKNOWN;
    }
}

bool clock_may_wake(int clock)
{
    return (clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM) ||
           credentials_are_privileged(&current()->credentials);
}

static struct wait_queue wall_sleepers = WAIT_QUEUE_INIT(wall_sleepers);
static uint64_t wall_sets; /* how often the wall clock has been set */

int clock_set_wall(uint64_t time)
{
    uint64_t now = clock_nanoseconds();

    if (time < now)
        return -EINVAL;
    alarm_set_wall(time - now);
    wall_sets++;
    wake_all(&wall_sleepers);
    return 0;
}

static bool wall_was_set(void *seen) { return READ_ONCE(wall_sets) != *(uint64_t *)seen; }

int clock_sleep_wall(uint64_t time)
{
    int error;

    do {
        uint64_t seen = wall_sets, start = clock_boot_time();

        if (time <= start)
            return 0;
        error = wait_until(&wall_sleepers, wall_was_set, &seen, WAIT_INTERRUPTIBLE, time - start);
    } while (!error);
    return error == -ETIMEDOUT ? 0 : error;
}

uint64_t clock_read(int clock)
{
    const struct process *owner;
    uint64_t time;
    bool irq;

    switch (clock_kind_of(clock)) {
    case CLOCK_WALL:
        return clock_wall();
    case CLOCK_SINCE_BOOT:
        return clock_nanoseconds();
    default:
        irq = spin_lock_irq(&process_lock);
        owner = clock_cpu_owner_locked(clock);
        time = owner ? clock_cpu_read_locked(clock, owner) : 0;
        spin_unlock_irq(&process_lock, irq);
        return time;
    }
}

bool timespec_read(const struct __kernel_timespec *time, uint64_t *nanoseconds)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_nsec >= NANOSECONDS)
        return false;
    if (__builtin_mul_overflow((uint64_t)time->tv_sec, NANOSECONDS, nanoseconds) ||
        __builtin_add_overflow(*nanoseconds, (uint64_t)time->tv_nsec, nanoseconds))
        *nanoseconds = UINT64_MAX;
    return true;
}

int timespec_fetch(vaddr_t address, uint64_t *nanoseconds)
{
    struct __kernel_timespec time;

    if (copy_from_user(&time, address, sizeof(time)))
        return -EFAULT;
    return timespec_read(&time, nanoseconds) ? 0 : -EINVAL;
}
