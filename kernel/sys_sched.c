// SPDX-License-Identifier: MIT
/*
 * sys_sched.c: the system calls on scheduling: policies and priorities, one CPU, nice values.
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

/* The process that a call means (0: the caller): 0, -ESRCH, -EINVAL. process_lock is held. */
static int find_target_locked(int pid, struct process **target)
{
    if (pid < 0)
        return -EINVAL;
    *target = pid ? process_find_locked(pid) : current();
    return *target ? 0 : -ESRCH;
}

/* May the caller change how this one is scheduled? It is his, or he is privileged. */
static bool may_schedule(const struct process *target)
{
    const struct credentials *mine = &current()->credentials, *its = &target->credentials;

    return credentials_are_privileged(mine) || mine->user.effective == its->user.effective ||
           mine->user.effective == its->user.real;
}

/* How a process is scheduled. */
struct scheduling {
    int policy; /* with SCHED_RESET_ON_FORK */
    int priority;
};

static int look(int pid, struct scheduling *found)
{
    struct process *target;
    bool irq = spin_lock_irq(&process_lock);
    int error = find_target_locked(pid, &target);

    if (!error)
        *found = (struct scheduling){
            .policy = target->policy | (target->resets_on_fork ? SCHED_RESET_ON_FORK : 0),
            .priority = target->priority,
        };
    spin_unlock_irq(&process_lock, irq);
    return error;
}

/* sched_getaffinity(2): pid, bytes, mask. The mask is one word: CPU 0. The result is its size. */
int64_t sys_sched_getaffinity(const struct syscall_args *args)
{
    struct scheduling ignored;
    uint64_t mask = 1;

    if ((unsigned)args->arg[1] < sizeof(mask) || args->arg[1] % sizeof(mask))
        return -EINVAL;
    if (look((int)args->arg[0], &ignored))
        return -ESRCH;
    return copy_to_user(args->arg[2], &mask, sizeof(mask)) ? -EFAULT : (int64_t)sizeof(mask);
}

/* sched_setaffinity(2): pid, bytes, mask. CPU 0 has to be in it. */
int64_t sys_sched_setaffinity(const struct syscall_args *args)
{
    uint64_t mask = 0;
    struct process *target;
    int error;
    bool irq;

    if (copy_from_user(&mask, args->arg[2], MIN((unsigned)args->arg[1], sizeof(mask))))
        return -EFAULT;
    irq = spin_lock_irq(&process_lock);
    error = find_target_locked((int)args->arg[0], &target) ? -ESRCH : may_schedule(target) ? 0 : -EPERM;
    spin_unlock_irq(&process_lock, irq);
    if (error)
        return error;
    return mask & 1 ? 0 : -EINVAL;
}

/* sched_getscheduler(2): pid. */
int64_t sys_sched_getscheduler(const struct syscall_args *args)
{
    struct scheduling found;
    int error = look((int)args->arg[0], &found);

    return error ? error : found.policy;
}

/* sched_getparam(2): pid, struct sched_param *. */
int64_t sys_sched_getparam(const struct syscall_args *args)
{
    struct scheduling found;
    struct sched_param param;
    int error = args->arg[1] ? look((int)args->arg[0], &found) : -EINVAL;

    if (error)
        return error;
    param.sched_priority = found.priority;
    return copy_to_user(args->arg[1], &param, sizeof(param));
}

static bool is_real_time(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

/* Is there such a policy, and does the priority suit it? SCHED_DEADLINE is not built. */
static bool is_valid(int policy, int priority)
{
    bool is_ordinary = policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;

    return is_real_time(policy) ? priority >= 1 && priority <= REAL_TIME_PRIORITY_MAX
                                : is_ordinary && priority == 0;
}

/* What the unprivileged may change, by RLIMIT_RTPRIO and RLIMIT_NICE (sched(7)). process_lock is held. */
static bool may_change_to_locked(const struct process *target, int policy, int priority, bool resets)
{
    uint64_t limit = target->leader->limits[RLIMIT_RTPRIO].rlim_cur;

    if (credentials_are_privileged(&current()->credentials))
        return true;
    if (is_real_time(policy) &&
        ((policy != target->policy && !limit) || (priority > target->priority && (uint64_t)priority > limit)))
        return false;
    if (target->policy == SCHED_IDLE && policy != SCHED_IDLE &&
        (uint64_t)(20 - target->nice) > target->leader->limits[RLIMIT_NICE].rlim_cur)
        return false;
    return may_schedule(target) && (resets || !target->resets_on_fork);
}

static int change_locked(struct process *target, int policy, int priority, bool resets)
{
    if (!is_valid(policy, priority))
        return -EINVAL;
    if (!may_change_to_locked(target, policy, priority, resets))
        return -EPERM;
    target->resets_on_fork = resets;
    sched_set_policy_locked(target, policy, priority);
    return 0;
}

#define POLICY_AS_IT_IS (-1)

/* A policy, possibly with SCHED_RESET_ON_FORK, and the priority at `address` for a process. */
static int64_t set_policy(int pid, int policy, vaddr_t address)
{
    struct process *target;
    struct sched_param param;
    int error;
    bool irq;

    if (!address || pid < 0)
        return -EINVAL;
    if (copy_from_user(&param, address, sizeof(param)))
        return -EFAULT;
    irq = spin_lock_irq(&process_lock);
    error = find_target_locked(pid, &target);
    if (!error && policy == POLICY_AS_IT_IS)
        error = change_locked(target, target->policy, param.sched_priority, target->resets_on_fork);
    else if (!error)
        error = change_locked(target, policy & ~SCHED_RESET_ON_FORK, param.sched_priority,
                              policy & SCHED_RESET_ON_FORK);
    spin_unlock_irq(&process_lock, irq);
    return error;
}

/* sched_setscheduler(2): pid, policy, const struct sched_param *. */
int64_t sys_sched_setscheduler(const struct syscall_args *args)
{
    int policy = (int)args->arg[1];

    return policy < 0 ? -EINVAL : set_policy((int)args->arg[0], policy, args->arg[2]);
}

/* sched_setparam(2): pid, const struct sched_param *. */
int64_t sys_sched_setparam(const struct syscall_args *args)
{
    return set_policy((int)args->arg[0], POLICY_AS_IT_IS, args->arg[1]);
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

/* sched_rr_get_interval(2): pid, struct timespec *. SCHED_FIFO has none: 0. */
int64_t sys_sched_rr_get_interval(const struct syscall_args *args)
{
    struct scheduling found;
    struct __kernel_timespec slice;
    int error = look((int)args->arg[0], &found), policy, ticks;

    if (error)
        return error;
    policy = found.policy & ~SCHED_RESET_ON_FORK;
    ticks = policy == SCHED_FIFO ? 0 : policy == SCHED_RR ? (int)sched_rr_slice() : SCHED_SLICE;
    slice = timespec_of((uint64_t)ticks * NANOSECONDS / TIMER_HZ);
    return copy_to_user(args->arg[1], &slice, sizeof(slice));
}

/* Does getpriority(which, who) mean this thread? */
static bool priority_means(const struct process *process, int which, uint32_t who)
{
    const struct process *caller = current();

    switch (which) {
    case PRIO_PROCESS:
        return (uint32_t)process->pid == (who ? who : (uint32_t)caller->pid);
    case PRIO_PGRP:
        return (uint32_t)process->leader->pgid == (who ? who : (uint32_t)caller->leader->pgid);
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
    uint64_t limit = process->leader->limits[RLIMIT_NICE].rlim_cur;

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

/* Commands that want a registration first are followed by the one that makes it (linux/membarrier.h). */
#define MEMBARRIER_REGISTERED                                                                \
    (MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |         \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
#define MEMBARRIER_REGISTER                                                                  \
    (MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |  \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
#define MEMBARRIER_ALL \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_REGISTERED | MEMBARRIER_REGISTER)

/*
 * membarrier(2): command, flags, CPU. With one CPU, every other process has been through a switch since it last
 * ran, which orders all memory and core and aborts its restartable sequence: so what is asked for has been done.
 */
int64_t sys_membarrier(const struct syscall_args *args)
{
    unsigned command = (unsigned)args->arg[0], flags = (unsigned)args->arg[1];

    if (flags && !(command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && flags == MEMBARRIER_CMD_FLAG_CPU))
        return -EINVAL;
    if (command == MEMBARRIER_CMD_QUERY)
        return MEMBARRIER_ALL;
    if ((command & ~(unsigned)MEMBARRIER_ALL) || (command & (command - 1)))
        return -EINVAL;
    if (command & MEMBARRIER_REGISTER)
        current()->leader->barriers |= command;
    if ((command & MEMBARRIER_REGISTERED) && !(current()->leader->barriers & command << 1))
        return -EPERM;
    return 0;
}
