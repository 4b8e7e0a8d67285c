// SPDX-License-Identifier: MIT
/*
 * sys_limits.c: the limits of a process (getrlimit(2)).
 *
 * Where they are enforced: STACK, AS and DATA in mm/ (the address space has its copies), MEMLOCK by the
 * locking calls, NPROC by fork.c, NOFILE and FSIZE by kernel/fs, CPU by timer.c, SIGPENDING by sys_kill.c,
 * NICE by sys_sched.c. CORE by core.c. The others are kept and have no effect, as
 * what they limit is not built (LOCKS, MSGQUEUE, RTPRIO, RTTIME) or has none in Linux either (RSS).
 */
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"


/* May the caller set this limit so? 0, -EINVAL, -EPERM. */
static int check_new_locked(unsigned resource, const struct rlimit64 *new, const struct rlimit64 *old)
{
    if (new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && new->rlim_max > FILES_MAX)
        return -EPERM;
    if (new->rlim_max > old->rlim_max && !credentials_are_privileged(&current()->credentials))
        return -EPERM;
    return 0;
}

/* Read and perhaps set a limit of a process. process_lock is held. */
static int change_limit_locked(struct process *process, unsigned resource, const struct rlimit64 *new,
                               struct rlimit64 *old)
{
    int error;

    if (!process)
        return -ESRCH;
    if (!process_may_access_locked(process))
        return -EPERM;
    *old = process->leader->limits[resource];
    error = new ? check_new_locked(resource, new, old) : 0;
    if (new && !error)
        process->leader->limits[resource] = *new;
    return error;
}

/* The limits that mm/ enforces, it has its own copies of. */
static void hand_to_aspace(struct aspace *aspace, unsigned resource, const struct rlimit64 *limit)
{
    mutex_lock(&aspace->lock);
    switch (resource) {
    case RLIMIT_STACK:
        aspace->stack_limit = limit->rlim_cur;
        break;
    case RLIMIT_AS:
        aspace->size_limit = limit->rlim_cur;
        break;
    case RLIMIT_DATA:
        aspace->data_limit = limit->rlim_cur;
        aspace->data_limit_hard = limit->rlim_max;
        break;
    case RLIMIT_MEMLOCK:
        aspace->lock_limit = limit->rlim_cur;
        break;
    }
    mutex_unlock(&aspace->lock);
}

/* The limit `resource` of `pid` (0: the caller): get the old one, set the new one unless that is NULL. */
static int change_limit(int pid, unsigned resource, const struct rlimit64 *new, struct rlimit64 *old)
{
    struct aspace *aspace = NULL;
    struct process *process;
    int error;
    bool irq;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    process = pid ? process_find_locked(pid) : current();
    error = change_limit_locked(process, resource, new, old);
    if (!error && new)
        process = process_with_memory_locked(process);
    if (!error && new && process)
        aspace = aspace_get(process->aspace);
    spin_unlock_irq(&process_lock, irq);
    if (aspace) {
        hand_to_aspace(aspace, resource, new);
        aspace_put(aspace);
    }
    return error;
}

/* prlimit64(2): pid, resource, const struct rlimit64 *new, struct rlimit64 *old. */
int64_t sys_prlimit64(const struct syscall_args *args)
{
    struct rlimit64 new, old;
    int error;

    if (args->arg[2] && copy_from_user(&new, args->arg[2], sizeof(new)))
        return -EFAULT;
    error = change_limit((int)args->arg[0], (unsigned)args->arg[1], args->arg[2] ? &new : NULL, &old);
    if (error)
        return error;
    return args->arg[3] ? copy_to_user(args->arg[3], &old, sizeof(old)) : 0;
}

/* getrlimit(2): resource, struct rlimit *; on x86-64 the same as struct rlimit64. */
int64_t sys_getrlimit(const struct syscall_args *args)
{
    struct rlimit64 limit;
    int error = change_limit(0, (unsigned)args->arg[0], NULL, &limit);

    return error ? error : copy_to_user(args->arg[1], &limit, sizeof(limit));
}

/* setrlimit(2): resource, const struct rlimit *. */
int64_t sys_setrlimit(const struct syscall_args *args)
{
    struct rlimit64 new, old;

    if (copy_from_user(&new, args->arg[1], sizeof(new)))
        return -EFAULT;
    return change_limit(0, (unsigned)args->arg[0], &new, &old);
}
