// SPDX-License-Identifier: MIT
/*
 * sys_signal.c: the system calls on signals. The user is always root, so nothing is ever refused with EPERM.
 */
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/signal_frame.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/* Set an action; what is ignored from now on is no longer pending (POSIX, sigaction). */
static void set_action(int number, const struct signal_action *action)
{
    struct process *process = current();
    bool irq = spin_lock_irq(&process_lock);

    process->signals->actions[number - 1] = *action;
    process->signals->actions[number - 1].mask &= ~SIGNAL_MASK_ABSOLUTE;
    if (signal_is_ignored(process, number))
        process->signals->pending &= ~signal_bit(number);
    spin_unlock_irq(&process_lock, irq);
}

/* rt_sigaction(2): signal, const struct sigaction *new, struct sigaction *old, size of the mask. */
int64_t sys_rt_sigaction(const struct syscall_args *args)
{
    int number = (int)args->arg[0];
    struct signal_action new, old;

    if (args->arg[3] != sizeof(signal_mask) || !signal_is_valid(number))
        return -EINVAL;
    if (args->arg[1]) {
        if (copy_from_user(&new, args->arg[1], sizeof(new)))
            return -EFAULT;
        if (signal_bit(number) & SIGNAL_MASK_ABSOLUTE)
            return -EINVAL;
    }
    old = current()->signals->actions[number - 1];
    if (args->arg[1])
        set_action(number, &new);
    return args->arg[2] ? copy_to_user(args->arg[2], &old, sizeof(old)) : 0;
}

/* rt_sigprocmask(2): how, const sigset_t *set, sigset_t *old, size of the mask. */
int64_t sys_rt_sigprocmask(const struct syscall_args *args)
{
    signal_mask old = current()->signals->blocked, set;

    if (args->arg[3] != sizeof(signal_mask))
        return -EINVAL;
    if (args->arg[1]) {
        if (copy_from_user(&set, args->arg[1], sizeof(set)))
            return -EFAULT;
        switch ((int)args->arg[0]) {
        case SIG_BLOCK:
            signal_set_blocked(old | set);
            break;
        case SIG_UNBLOCK:
            signal_set_blocked(old & ~set);
            break;
        case SIG_SETMASK:
            signal_set_blocked(set);
            break;
        default:
            return -EINVAL;
        }
    }
    return args->arg[2] ? copy_to_user(args->arg[2], &old, sizeof(old)) : 0;
}

/* rt_sigpending(2): sigset_t *set, size of the mask. */
int64_t sys_rt_sigpending(const struct syscall_args *args)
{
    const struct signals *signals = current()->signals;
    signal_mask waiting = signals->pending & signals->blocked;

    if (args->arg[1] > sizeof(waiting))
        return -EINVAL;
    return copy_to_user(args->arg[0], &waiting, args->arg[1]);
}

/* Sleep until a signal comes; delivery makes EINTR of it once a handler has been called. */
static int64_t wait_for_signal(void)
{
    int error;

    do
        error = sleep_until(UINT64_MAX);
    while (!error);
    return -ERESTARTNOHAND;
}

/* rt_sigsuspend(2): const sigset_t *mask, size of the mask. */
int64_t sys_rt_sigsuspend(const struct syscall_args *args)
{
    struct signals *signals = current()->signals;
    signal_mask mask;

    if (args->arg[1] != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, args->arg[0], sizeof(mask)))
        return -EFAULT;
    signals->saved_blocked = signals->blocked;
    signals->restore_saved = true; /* delivery puts it back, after the handler */
    signal_set_blocked(mask);
    return wait_for_signal();
}

/* pause(2). */
int64_t sys_pause(const struct syscall_args *args)
{
    (void)args;
    return wait_for_signal();
}

/* rt_sigreturn(2): rax is whatever the frame says, so the result is no result. */
int64_t sys_rt_sigreturn(const struct syscall_args *args)
{
    struct trapframe *frame = args->frame;

    frame->error = UINT64_MAX; /* no call to be restarted, whatever rax holds */
    if (signal_frame_pop(frame))
        signal_force(frame, &(siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL });
    return (int64_t)frame->rax;
}

/* sigaltstack(2): const stack_t *new, stack_t *old. */
int64_t sys_sigaltstack(const struct syscall_args *args)
{
    stack_t old = signal_alternate_stack_shown(&current()->signals->alternate, args->frame->rsp), new;

    if (args->arg[0]) {
        int error;

        if (copy_from_user(&new, args->arg[0], sizeof(new)))
            return -EFAULT;
        error = signal_set_alternate_stack(&new, args->frame->rsp);
        if (error)
            return error;
    }
    return args->arg[1] ? copy_to_user(args->arg[1], &old, sizeof(old)) : 0;
}

/* Does kill(pid) mean this process? `pid` is not positive. */
static bool kill_means(int pid, const struct process *process)
{
    if (pid == -1)
        return process->pid != INIT_PID && process != current();
    return process->pgid == (pid == 0 ? current()->pgid : -pid);
}

static int kill_many_locked(int pid, int number, const struct signal_record *record)
{
    struct process *process;
    int result = -ESRCH;

    TAILQ_FOREACH(process, &process_table, all) {
        if (!kill_means(pid, process))
            continue;
        if (number)
            signal_send_locked(process, number, record);
        result = 0;
    }
    return result;
}

static int kill_one_locked(int pid, int number, const struct signal_record *record)
{
    struct process *process = process_find_locked(pid);

    if (!process)
        return -ESRCH;
    if (number)
        signal_send_locked(process, number, record);
    return 0;
}

/* Send as a process does: to one, or (pid 0, -1, -pgid) to many. Signal 0 only looks. */
static int kill_from_user(int pid, int number, int code)
{
    struct signal_record record = { .code = code, .pid = current()->pid };
    bool irq;
    int result;

    if (number && !signal_is_valid(number))
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    irq = spin_lock_irq(&process_lock);
    result = pid > 0 ? kill_one_locked(pid, number, &record) : kill_many_locked(pid, number, &record);
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* kill(2): pid, signal. */
int64_t sys_kill(const struct syscall_args *args)
{
    return kill_from_user((int)args->arg[0], (int)args->arg[1], SI_USER);
}

/* tkill(2): tid, signal. */
int64_t sys_tkill(const struct syscall_args *args)
{
    int tid = (int)args->arg[0];

    return tid > 0 ? kill_from_user(tid, (int)args->arg[1], SI_TKILL) : -EINVAL;
}

/* tgkill(2): tgid, tid, signal. With one thread a process they are the same number. */
int64_t sys_tgkill(const struct syscall_args *args)
{
    int tgid = (int)args->arg[0], tid = (int)args->arg[1];

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return tgid == tid ? kill_from_user(tid, (int)args->arg[2], SI_TKILL) : -ESRCH;
}
