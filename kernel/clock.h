// SPDX-License-Identifier: MIT
/*
 * clock.h: the clocks that programs can name (clock_gettime(2)), and times as they pass them.
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <linux/time.h>
#include <linux/time_types.h>

#include "arch/x86_64/page.h"
#include "kernel/lib/types.h"

#define NANOSECONDS 1000000000ul
#define MICROSECONDS 1000000ul

struct process;

/* What a clock counts: wall-clock time since 1970, time since boot, or a process's time on the CPU. */
enum clock_kind { CLOCK_UNKNOWN, CLOCK_WALL, CLOCK_SINCE_BOOT, CLOCK_CPU };

/* The kind of a clock's number; another process's (clock_getcpuclockid(3)) is CLOCK_CPU if that one lives. */
enum clock_kind clock_kind_of(int clock);

/* Is this CPU clock a thread's, rather than a process's? */
bool clock_is_of_thread(int clock);

/*
 * Whose CPU clock is it, by whatever number? A thread, or the leader of a process; NULL: nobody's, or a thread's of
 * another process. process_lock is held.
 */
struct process *clock_cpu_owner_locked(int clock);

/* What a CPU clock by this number, of this owner, says now. process_lock is held. */
uint64_t clock_cpu_read_locked(int clock, const struct process *owner);

/* The clocks that would wake a sleeping machine (this one never sleeps) are for the privileged to set alarms by. */
bool clock_may_wake(int clock);

/*
 * Set the wall clock to `time`, nanoseconds since 1970: timers set to a time of it, and clock_sleep_wall(), follow.
 * 0, or -EINVAL: before the machine was switched on.
 */
int clock_set_wall(uint64_t time) __must_check;

/* Sleep until the wall clock says `time`, also if it is set meanwhile. 0 or -ERESTARTSYS. */
int clock_sleep_wall(uint64_t time) __must_check;

/* What a known clock says now, in nanoseconds. Takes process_lock. */
uint64_t clock_read(int clock);

static inline struct __kernel_timespec timespec_of(uint64_t nanoseconds)
{
    return (struct __kernel_timespec){ .tv_sec = (int64_t)(nanoseconds / NANOSECONDS),
                                       .tv_nsec = (int64_t)(nanoseconds % NANOSECONDS) };
}

/*
 * In nanoseconds; what does not fit 64 bits (584 years) becomes the greatest value. False: negative, or not a
 * proper number of nanoseconds.
 */
bool timespec_read(const struct __kernel_timespec *time, uint64_t *nanoseconds) __must_check;

/* The same from user memory: 0, -EFAULT, -EINVAL. */
int timespec_fetch(vaddr_t address, uint64_t *nanoseconds) __must_check;

#endif
