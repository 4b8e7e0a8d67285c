// SPDX-License-Identifier: MIT
/*
 * usage.c: resource usage, by tick and by fault.
 *
 * Times are counted by the timer's ticks: who is interrupted pays for the whole tick.
 */
#include "kernel/usage.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define TICK_MICROSECONDS (1000000 / TIMER_HZ)

void usage_note_resident(struct process *process)
{
    struct aspace *aspace = process->aspace;

    mutex_lock(&aspace->lock);
    aspace_note_peak_locked(aspace);
    process->usage.max_resident = MAX(process->usage.max_resident, aspace->peak_resident);
    mutex_unlock(&aspace->lock);
}

void usage_add(struct process_usage *total, const struct process_usage *usage)
{
    total->user_ticks += usage->user_ticks;
    total->system_ticks += usage->system_ticks;
    total->run_time += usage->run_time;
#pragma GCC unroll 16 /* twice for each child that ends */
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        total->faults.by_kind[kind] += usage->faults.by_kind[kind];
    total->max_resident = MAX(total->max_resident, usage->max_resident);
    total->voluntary_switches += usage->voluntary_switches;
    total->involuntary_switches += usage->involuntary_switches;
}

void usage_total_locked(const struct process *leader, struct process_usage *total)
{
    *total = leader->usage;
    if (likely(!leader->had_threads))
        return;
    usage_add(total, &leader->ended_usage);
    for (const struct process *thread = thread_next(leader); thread; thread = thread_next(thread))
        usage_add(total, &thread->usage);
}

static struct __kernel_old_timeval ticks_to_timeval(uint64_t ticks)
{
    return (struct __kernel_old_timeval){ .tv_sec = ticks / TIMER_HZ,
                                          .tv_usec = ticks % TIMER_HZ * TICK_MICROSECONDS };
}

void usage_to_rusage(const struct process_usage *usage, struct rusage *rusage)
{
    *rusage = (struct rusage){
        .ru_utime = ticks_to_timeval(usage->user_ticks),
        .ru_stime = ticks_to_timeval(usage->system_ticks),
        .ru_maxrss = usage->max_resident * (PAGE_SIZE / 1024),
        .ru_minflt = fault_minor(&usage->faults),
        .ru_majflt = fault_major(&usage->faults),
        .ru_nvcsw = usage->voluntary_switches,
        .ru_nivcsw = usage->involuntary_switches,
    };
}

/* getrusage(2): who, struct rusage *. */
int64_t sys_getrusage(const struct syscall_args *args)
{
    struct process *process = current();
    struct process_usage usage;
    struct rusage rusage;
    bool irq;

    usage_note_resident(process);
    irq = spin_lock_irq(&process_lock);
    usage_total_locked(process->leader, &usage);
    spin_unlock_irq(&process_lock, irq);
    switch ((int)args->arg[0]) {
    case RUSAGE_SELF:
        break;
    case RUSAGE_THREAD:
        usage = process->usage;
        break;
    case RUSAGE_CHILDREN:
        usage = process->leader->child_usage;
        break;
    default:
        return -EINVAL;
    }
    usage_to_rusage(&usage, &rusage);
    return copy_to_user(args->arg[1], &rusage, sizeof(rusage));
}
