// SPDX-License-Identifier: MIT
/*
 * sys_signal.c: the system calls on signals: actions, masks, waiting. Sending is sys_kill.c.
 */
#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/signal_frame.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/* Set an action; what is ignored from now on is no longer pending (POSIX, sigaction). */
static void set_action(int number, const struct signal_action *action)
{
    struct process *process = current();
    struct signal_actions *actions = process->signals->actions;
    bool irq = spin_lock_irq(&process_lock);

    actions->of[number - 1] = *action;
    actions->of[number - 1].mask &= ~SIGNAL_MASK_ABSOLUTE;
    actions->set |= signal_bit(number);
    if (signal_is_ignored(process, number))
        signal_discard_locked(process, signal_bit(number));
    spin_unlock_irq(&process_lock, irq);
}

/* Flags that are known; a program sees by the others' absence that they are not (sigaction(2)). */
#define ACTION_FLAGS                                                                                  \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | \
     SA_EXPOSE_TAGBITS | SA_RESTORER)

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
        new.flags &= ACTION_FLAGS;
    }
    old = *signal_action_of(current()->signals->actions, number);
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
    const struct process *process = current();
    signal_mask pending = process->signals->own.mask | process->leader->signals->shared.mask;
    signal_mask waiting = pending & process->signals->blocked;

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
    signals->unfinished |= SIGNAL_MASK_SAVED; /* delivery puts it back, after the handler */
    signal_set_blocked(mask);
    return wait_for_signal();
}

/* pause(2). */
int64_t sys_pause(const struct syscall_args *args)
{
    (void)args;
    return wait_for_signal();
}

/* rt_sigreturn(2): all registers are what the frame says. */
int64_t sys_rt_sigreturn(const struct syscall_args *args)
{
    struct trapframe *frame = current()->user;

    (void)args;
    frame->error = UINT64_MAX; /* no call to be restarted, whatever rax holds */
    if (signal_frame_pop(frame))
        signal_force(frame, &(siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL });
    trap_return(frame);
}

/* sigaltstack(2): const stack_t *new, stack_t *old. */
int64_t sys_sigaltstack(const struct syscall_args *args)
{
    stack_t old = signal_alternate_stack_shown(&current()->signals->alternate, current()->user->rsp), new;

    if (args->arg[0]) {
        int error;

        if (copy_from_user(&new, args->arg[0], sizeof(new)))
            return -EFAULT;
        error = signal_set_alternate_stack(&new, current()->user->rsp);
        if (error)
            return error;
    }
    return args->arg[1] ? copy_to_user(args->arg[1], &old, sizeof(old)) : 0;
}

struct await_request {
    signal_mask wanted;
    int number; /* out: 0: none came */
    struct signal_record record;
};

/* Condition of the wait: one of the signals is pending, and is taken. */
static bool take_awaited(void *arg)
{
    struct await_request *request = arg;
    bool irq = spin_lock_irq(&process_lock);

    request->number = signal_take_locked(current(), request->wanted, &request->record);
    spin_unlock_irq(&process_lock, irq);
    return request->number;
}

/* 0, -EAGAIN (nothing came in time) or -EINTR (another signal did). `deadline` 0: for ever. */
static int await_signal(struct await_request *request, uint64_t deadline)
{
    struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
    struct signals *signals = current()->signals;
    int error;

    signals->awaited = request->wanted;
    error = wait_until(&nobody, take_awaited, request, WAIT_INTERRUPTIBLE, deadline);
    signals->awaited = 0;
    if (!error)
        return 0;
    return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

/* rt_sigtimedwait(2): const sigset_t *wanted, siginfo_t *, const struct timespec *limit, size of the mask. */
int64_t sys_rt_sigtimedwait(const struct syscall_args *args)
{
    struct await_request request = { 0 };
    uint64_t limit, deadline = 0;
    siginfo_t info;
    int error;

    if (args->arg[3] != sizeof(request.wanted))
        return -EINVAL;
    if (copy_from_user(&request.wanted, args->arg[0], sizeof(request.wanted)))
        return -EFAULT;
    if (args->arg[2]) {
        error = timespec_fetch(args->arg[2], &limit);
        if (error)
            return error;
        if (__builtin_add_overflow(clock_nanoseconds(), limit, &deadline))
            deadline = UINT64_MAX;
    }
    request.wanted &= ~SIGNAL_MASK_ABSOLUTE;
    error = await_signal(&request, deadline);
    if (error)
        return error;
    info = signal_info_of(request.number, &request.record);
    return args->arg[1] && copy_to_user(args->arg[1], &info, sizeof(info)) ? -EFAULT : request.number;
}
