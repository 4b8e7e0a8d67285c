// SPDX-License-Identifier: MIT
/*
 * sys_process.c: the system calls on a process's own numbers and settings. The user is root, and cannot
 * change that.
 */
#include <asm/prctl.h>
#include <linux/prctl.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/* getpid(2), and gettid(2): a process has one thread. */
int64_t sys_getpid(const struct syscall_args *args)
{
    (void)args;
    return current()->pid;
}

int64_t sys_gettid(const struct syscall_args *args) { return sys_getpid(args); }

/* getppid(2): 0 for init. */
int64_t sys_getppid(const struct syscall_args *args)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *parent = current()->parent;
    int pid = parent ? parent->pid : 0;

    (void)args;
    spin_unlock_irq(&process_lock, irq);
    return pid;
}

/* The process that setpgid(2), getpgid(2), getsid(2) mean: 0 is the caller. */
static struct process *find_or_self_locked(int pid) { return pid ? process_find_locked(pid) : current(); }

/* May the caller move `target` into group `pgid`? 0, or the error that setpgid(2) lists. */
static int setpgid_check_locked(const struct process *target, int pgid)
{
    const struct process *caller = current();

    if (!target || (target != caller && target->parent != caller))
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

    if (pid < 0 || pgid < 0)
        return pgid < 0 ? -EINVAL : -ESRCH;
    irq = spin_lock_irq(&process_lock);
    target = find_or_self_locked(pid);
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
    int pgid = process ? process->pgid : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return pgid;
}

int64_t sys_getpgrp(const struct syscall_args *args)
{
    (void)args;
    return current()->pgid;
}

/* setsid(2): refused to the leader of a group, also of one it has left. */
int64_t sys_setsid(const struct syscall_args *args)
{
    struct process *process = current(), *other;
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
    int sid = process ? process->sid : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return sid;
}

/* sched_yield(2). */
int64_t sys_sched_yield(const struct syscall_args *args)
{
    (void)args;
    schedule();
    return 0;
}

/* set_tid_address(2): int *. */
int64_t sys_set_tid_address(const struct syscall_args *args)
{
    current()->clear_child_tid = args->arg[0];
    return current()->pid;
}

/*
 * set_robust_list(2): head, length. Accepted and not kept: a robust futex needs a second thread, or shared
 * futexes.
 */
int64_t sys_set_robust_list(const struct syscall_args *args)
{
    enum { ROBUST_LIST_HEAD_SIZE = 24 };

    return args->arg[1] == ROBUST_LIST_HEAD_SIZE ? 0 : -EINVAL;
}

/* arch_prctl(2): code, address. The GS base is not offered: no libc for x86-64 uses it. */
int64_t sys_arch_prctl(const struct syscall_args *args)
{
    struct process *process = current();
    vaddr_t addr = args->arg[1];

    switch ((int)args->arg[0]) {
    case ARCH_SET_FS:
        if (addr >= USER_END)
            return -EPERM;
        process->fs_base = addr;
        cpu_set_fs_base(addr);
        return 0;
    case ARCH_GET_FS:
        return copy_to_user(addr, &process->fs_base, sizeof(process->fs_base));
    default:
        return -EINVAL;
    }
}

/* prctl(2): option, argument. The name only. */
int64_t sys_prctl(const struct syscall_args *args)
{
    char name[PROCESS_NAME_SIZE] = { 0 };
    ssize_type length;

    switch ((int)args->arg[0]) {
    case PR_SET_NAME:
        length = copy_string_from_user(name, args->arg[1], sizeof(name));
        if (length == -EFAULT)
            return -EFAULT;
        name[sizeof(name) - 1] = '\0'; /* a longer name is cut */
        process_set_name(current(), name);
        return 0;
    case PR_GET_NAME:
        string_copy(name, current()->name, sizeof(name));
        return copy_to_user(args->arg[1], name, sizeof(name));
    default:
        return -EINVAL;
    }
}

/* Everybody is root. */
static int64_t root_id(void) { return 0; }

int64_t sys_getuid(const struct syscall_args *args)
{
    (void)args;
    return root_id();
}

int64_t sys_geteuid(const struct syscall_args *args) { return sys_getuid(args); }
int64_t sys_getgid(const struct syscall_args *args) { return sys_getuid(args); }
int64_t sys_getegid(const struct syscall_args *args) { return sys_getuid(args); }

/* getresuid(2), getresgid(2): three pointers to a 32-bit number. */
int64_t sys_getresuid(const struct syscall_args *args)
{
    uint32_t id = (uint32_t)root_id();

    for (int i = 0; i < 3; i++)
        if (copy_to_user(args->arg[i], &id, sizeof(id)))
            return -EFAULT;
    return 0;
}

int64_t sys_getresgid(const struct syscall_args *args) { return sys_getresuid(args); }

/* getgroups(2): size, list. There are no supplementary groups. */
int64_t sys_getgroups(const struct syscall_args *args) { return (int)args->arg[0] < 0 ? -EINVAL : 0; }
