// SPDX-License-Identifier: MIT
/*
 * sys_process.c: the system calls on a process's numbers: itself, its family, its group and session.
 */
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

int64_t sys_getpid(const struct syscall_args *args)
{
    (void)args;
    return current()->leader->pid;
}

int64_t sys_gettid(const struct syscall_args *args)
{
    (void)args;
    return current()->pid;
}

/* getppid(2): 0 for init. */
int64_t sys_getppid(const struct syscall_args *args)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *parent = current()->leader->parent;
    int pid = parent ? parent->pid : 0;

    (void)args;
    spin_unlock_irq(&process_lock, irq);
    return pid;
}

/* The thread that a number means: 0 is the caller. */
static struct process *find_or_self_locked(int pid) { return pid ? process_find_locked(pid) : current(); }

/* May the caller move `target` into group `pgid`? 0, or the error that setpgid(2) lists. */
static int setpgid_check_locked(const struct process *target, int pgid)
{
    const struct process *caller = current()->leader;

    if (!target)
        return -ESRCH;
    if (!process_is_leader(target))
        return -EINVAL;
    if (target != caller && target->parent != caller)
        return -ESRCH;
    if (target->sid != caller->sid || target->sid == target->pid)
        return -EPERM;
    if (target != caller && target->has_execed)
        return -EACCES;
    return pgid == target->pid || process_group_exists_locked(pgid, caller->sid) ? 0 : -EPERM;
}

/* setpgid(2): pid, pgid. */
int64_t sys_setpgid(const struct syscall_args *args)
{
    int pid = (int)args->arg[0], pgid = (int)args->arg[1], error;
    struct process *target;
    bool irq;

    if (pgid < 0 || (pid < 0 && !pgid))
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    target = pid ? process_find_locked(pid) : current()->leader;
    if (!pgid && target)
        pgid = target->pid;
    error = setpgid_check_locked(target, pgid);
    if (!error)
        target->pgid = pgid;
    spin_unlock_irq(&process_lock, irq);
    return error;
}

/* getpgid(2): pid. */
int64_t sys_getpgid(const struct syscall_args *args)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = find_or_self_locked((int)args->arg[0]);
    int pgid = process ? process->leader->pgid : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return pgid;
}

int64_t sys_getpgrp(const struct syscall_args *args)
{
    (void)args;
    return current()->leader->pgid;
}

/* setsid(2): refused to the leader of a group, also of one it has left. */
int64_t sys_setsid(const struct syscall_args *args)
{
    struct process *process = current()->leader, *other;
    int result = process->pid;
    bool irq = spin_lock_irq(&process_lock);

    (void)args;
    TAILQ_FOREACH(other, &process_table, all)
        if (other->pgid == process->pid)
            result = -EPERM;
    if (result > 0)
        process->sid = process->pgid = process->pid;
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* getsid(2): pid. */
int64_t sys_getsid(const struct syscall_args *args)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = find_or_self_locked((int)args->arg[0]);
    int sid = process ? process->leader->sid : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return sid;
}

/* set_tid_address(2): int *. */
int64_t sys_set_tid_address(const struct syscall_args *args)
{
    current()->clear_child_tid = args->arg[0];
    return current()->pid;
}

enum { ROBUST_LIST_HEAD_SIZE = 24 };

/* set_robust_list(2): head, length. What becomes of it: futex.h. */
int64_t sys_set_robust_list(const struct syscall_args *args)
{
    if (args->arg[1] != ROBUST_LIST_HEAD_SIZE)
        return -EINVAL;
    current()->robust_list = args->arg[0];
    return 0;
}

/* get_robust_list(2): pid, head **, size_t *length. */
int64_t sys_get_robust_list(const struct syscall_args *args)
{
    const uint64_t length = ROBUST_LIST_HEAD_SIZE;
    const struct process *process;
    vaddr_t head = 0;
    int error = 0;
    bool irq = spin_lock_irq(&process_lock);

    process = find_or_self_locked((int)args->arg[0]);
    if (!process)
        error = -ESRCH;
    else if (!process_may_access_locked(process))
        error = -EPERM;
    else
        head = process->robust_list;
    spin_unlock_irq(&process_lock, irq);
    if (error)
        return error;
    if (copy_to_user(args->arg[2], &length, sizeof(length)) ||
        copy_to_user(args->arg[1], &head, sizeof(head)))
        return -EFAULT;
    return 0;
}
