// SPDX-License-Identifier: MIT
/*
 * sys_sched.c: the system calls on scheduling: one CPU, one policy (SCHED_OTHER), nice values.
 */
#include <linux/membarrier.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define NICE_LOWEST (-20)
#define NICE_HIGHEST 19
#define REAL_TIME_PRIORITY_MAX 99

struct sched_param { /* linux/sched/types.h has it, beside a structure that clashes with libc's */
    int sched_priority;
};

/* sched_yield(2). */
int64_t sys_sched_yield(const struct syscall_args *args)
{
    (void)args;
    schedule();
    return 0;
}

/* Does this process exist (0: the caller)? And may the caller change it? 0, -ESRCH, -EPERM, -EINVAL. */
static int find_target(int pid, bool to_change)
{
    const struct process *process;
    int error = 0;
    bool irq;

    if (pid < 0)
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    process = pid ? process_find_locked(pid) : current();
    if (!process)
        error = -ESRCH;
    else if (to_change && !process_may_access_locked(process))
        error = -EPERM;
    spin_unlock_irq(&process_lock, irq);
    return error;
}

/* sched_getaffinity(2): pid, bytes, mask. The mask is one word: CPU 0. The result is its size. */
int64_t sys_sched_getaffinity(const struct syscall_args *args)
{
    uint64_t mask = 1;
    int error = find_target((int)args->arg[0], false);

    if ((unsigned)args->arg[1] < sizeof(mask) || args->arg[1] % sizeof(mask))
        return -EINVAL;
    if (error)
        return error == -EINVAL ? -ESRCH : error;
    return copy_to_user(args->arg[2], &mask, sizeof(mask)) ? -EFAULT : (int64_t)sizeof(mask);
}

/* sched_setaffinity(2): pid, bytes, mask. CPU 0 has to be in it. */
int64_t sys_sched_setaffinity(const struct syscall_args *args)
{
    uint64_t mask = 0;
    int error = find_target((int)args->arg[0], true);

    if (copy_from_user(&mask, args->arg[2], MIN((unsigned)args->arg[1], sizeof(mask))))
        return -EFAULT;
    if (error)
        return error == -EINVAL ? -ESRCH : error;
    return mask & 1 ? 0 : -EINVAL;
}

/* sched_getscheduler(2): pid. */
int64_t sys_sched_getscheduler(const struct syscall_args *args)
{
    int error = find_target((int)args->arg[0], false);

    return error ? error : SCHED_NORMAL;
}

/* sched_getparam(2): pid, struct sched_param *. */
int64_t sys_sched_getparam(const struct syscall_args *args)
{
    const struct sched_param param = { 0 };
    int error = args->arg[1] ? find_target((int)args->arg[0], false) : -EINVAL;

    return error ? error : copy_to_user(args->arg[1], &param, sizeof(param));
}

/* A policy and priority for a process: SCHED_OTHER at 0, and no other. */
static int64_t set_policy(int pid, int policy, vaddr_t address)
{
    struct sched_param param;
    int error;

    if (!address || pid < 0)
        return -EINVAL;
    if (copy_from_user(&param, address, sizeof(param)))
        return -EFAULT;
    error = find_target(pid, true);
    if (error)
        return error;
    return policy == SCHED_NORMAL && param.sched_priority == 0 ? 0 : -EINVAL;
}

/* sched_setscheduler(2): pid, policy, const struct sched_param *. */
int64_t sys_sched_setscheduler(const struct syscall_args *args)
{
    return set_policy((int)args->arg[0], (int)args->arg[1], args->arg[2]);
}

/* sched_setparam(2): pid, const struct sched_param *. */
int64_t sys_sched_setparam(const struct syscall_args *args)
{
    return set_policy((int)args->arg[0], SCHED_NORMAL, args->arg[1]);
}

/* sched_get_priority_max(2), sched_get_priority_min(2): policy. A range is a matter of the policy's name. */
static int64_t priority_bound(int policy, int real_time)
{
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return real_time;
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE:
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_sched_get_priority_max(const struct syscall_args *args)
{
    return priority_bound((int)args->arg[0], REAL_TIME_PRIORITY_MAX);
}

int64_t sys_sched_get_priority_min(const struct syscall_args *args)
{
    return priority_bound((int)args->arg[0], 1);
}

/* sched_rr_get_interval(2): pid, struct timespec *. */
int64_t sys_sched_rr_get_interval(const struct syscall_args *args)
{
    struct __kernel_timespec slice = timespec_of(SCHED_SLICE * NANOSECONDS / TIMER_HZ);
    int error = find_target((int)args->arg[0], false);

    return error ? error : copy_to_user(args->arg[1], &slice, sizeof(slice));
}

/* Does getpriority(which, who) mean this process? */
static bool priority_means(const struct process *process, int which, uint32_t who)
{
    const struct process *caller = current();

    switch (which) {
    case PRIO_PROCESS:
        return (uint32_t)process->pid == (who ? who : (uint32_t)caller->pid);
    case PRIO_PGRP:
        return (uint32_t)process->pgid == (who ? who : (uint32_t)caller->pgid);
    default:
        return process->credentials.user.real == (who ? who : caller->credentials.user.real);
    }
}

/* getpriority(2): which, who. The kernel gives 20 - nice, so that it is not taken for an error. */
int64_t sys_getpriority(const struct syscall_args *args)
{
    int which = (int)args->arg[0], result = -ESRCH;
    const struct process *process;
    bool irq;

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    TAILQ_FOREACH(process, &process_table, all)
        if (priority_means(process, which, (uint32_t)args->arg[1]))
            result = MAX(result, 20 - process->nice);
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* May the caller give this process that nice value? process_lock is held. */
static int renice_locked(struct process *process, int nice)
{
    const struct credentials *mine = &current()->credentials, *its = &process->credentials;
    uint64_t limit = process->limits[RLIMIT_NICE].rlim_cur;

    if (!credentials_are_privileged(mine)) {
        if (mine->user.effective != its->user.real && mine->user.effective != its->user.effective)
            return -EPERM;
        if (nice < process->nice && (uint64_t)(20 - nice) > limit)
            return -EACCES;
    }
    process->nice = nice;
    return 0;
}

/* setpriority(2): which, who, nice value. */
int64_t sys_setpriority(const struct syscall_args *args)
{
    int which = (int)args->arg[0], nice = (int)args->arg[2], result = -ESRCH;
    struct process *process;
    bool irq;

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    nice = MIN(MAX(nice, NICE_LOWEST), NICE_HIGHEST);
    irq = spin_lock_irq(&process_lock);
    TAILQ_FOREACH(process, &process_table, all) {
        int error;

        if (!priority_means(process, which, (uint32_t)args->arg[1]))
            continue;
        error = renice_locked(process, nice);
        if (error || result == -ESRCH)
            result = error;
    }
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* getcpu(2): unsigned *cpu, unsigned *node. */
int64_t sys_getcpu(const struct syscall_args *args)
{
    const uint32_t cpu = this_cpu()->number, node = 0;

    if (args->arg[0] && copy_to_user(args->arg[0], &cpu, sizeof(cpu)))
        return -EFAULT;
    return args->arg[1] ? copy_to_user(args->arg[1], &node, sizeof(node)) : 0;
}

/*
 * membarrier(2): command, flags. With one CPU, every other process has been through a switch since it last
 * ran, which orders all memory: MEMBARRIER_CMD_GLOBAL holds without doing anything.
 */
int64_t sys_membarrier(const struct syscall_args *args)
{
    if (args->arg[1])
        return -EINVAL;
    switch ((int)args->arg[0]) {
    case MEMBARRIER_CMD_QUERY:
        return MEMBARRIER_CMD_GLOBAL;
    case MEMBARRIER_CMD_GLOBAL:
        return 0;
    default:
        return -EINVAL;
    }
}
