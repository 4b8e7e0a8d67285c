// SPDX-License-Identifier: MIT
/*
 * signal_deliver.c: signals reach their process, on its way back to user mode.
 *
 * What becomes of a system call that a signal cut short, by the error it returned (signal(7)):
 *
 *                            no handler ran           a handler runs
 *   -ERESTARTSYS             restarted                restarted with SA_RESTART, else EINTR
 *   -ERESTARTNOHAND          restarted                EINTR
 *   -ERESTART_RESTARTBLOCK   goes on where it was     EINTR
 *
 * Restarting means going back over the SYSCALL instruction with the call's number in rax, or with that of
 * restart_syscall(2), which resumes what struct restart says.
 */
#include <asm/unistd.h>

#include "kernel/job.h"
#include "kernel/lib/errno.h"
#include "kernel/rseq.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/signal_frame.h"

#define SYSCALL_LENGTH 2 /* bytes of the SYSCALL instruction: 0f 05 */

static bool is_default_or_ignored(const struct signal_action *action)
{
    return action->handler == SIGNAL_DEFAULT || action->handler == SIGNAL_IGNORE;
}

/*
 * The action for a signal that is being delivered now: a copy, after SA_RESETHAND has had its effect.
 * process_lock is held.
 */
static struct signal_action use_action_locked(struct process *process, int number)
{
    struct signal_actions *actions = process->signals->actions;
    struct signal_action used = *signal_action_of(actions, number);

    if (used.flags & SA_RESETHAND)
        actions->of[number - 1].handler = SIGNAL_DEFAULT;
    return used;
}

/* A signal on its way to the current process. */
struct delivery {
    int number; /* 0: none */
    struct signal_record record;
    struct signal_action action;
};

/*
 * Take the next deliverable signal. Where it stops the process, that happens here, in one step with the
 * taking: a SIGCONT cannot slip in between.
 */
static void take_next(struct delivery *delivery)
{
    struct process *process = current();
    bool stopped = false;
    bool irq = spin_lock_irq(&process_lock);
    int number = signal_take_locked(process, ~process->signals->blocked, &delivery->record);

    delivery->number = number;
    if (number)
        delivery->action = use_action_locked(process, number);
    if (number && (signal_bit(number) & SIGNAL_MASK_STOP) && delivery->action.handler == SIGNAL_DEFAULT &&
        process->leader->pid != INIT_PID)
        stopped = job_stop_locked(number);
    spin_unlock_irq(&process_lock, irq);
    if (stopped)
        schedule();
}

/*
 * Is this frame a system call's that ended with `error`? rt_sigreturn takes the number away: its rax is the
 * user's.
 */
static bool syscall_ended_with(const struct trapframe *frame, int error)
{
    return frame->vector == TRAP_SYSCALL && (int64_t)frame->error >= 0 && frame->rax == (uint64_t)-error;
}

static void syscall_restart(struct trapframe *frame, uint64_t number)
{
    frame->rax = number;
    frame->rip -= SYSCALL_LENGTH;
}

/* A handler will run: decide what the call that its signal interrupted returns. */
static void syscall_interrupted(struct trapframe *frame, uint64_t action_flags)
{
    if (syscall_ended_with(frame, ERESTARTSYS) && (action_flags & SA_RESTART))
        syscall_restart(frame, frame->error);
    else if (syscall_ended_with(frame, ERESTARTSYS) || syscall_ended_with(frame, ERESTARTNOHAND) ||
             syscall_ended_with(frame, ERESTART_RESTARTBLOCK))
        frame->rax = (uint64_t)-EINTR;
}

/* No handler has run. */
static void syscall_go_on(struct trapframe *frame)
{
    if (syscall_ended_with(frame, ERESTARTSYS) || syscall_ended_with(frame, ERESTARTNOHAND))
        syscall_restart(frame, frame->error);
    else if (syscall_ended_with(frame, ERESTART_RESTARTBLOCK))
        syscall_restart(frame, __NR_restart_syscall);
}

/*
 * Let user mode go on in the handler. Where the stack cannot take the frame, or the program's critical section
 * is not what it should be (rseq.h), that is a SIGSEGV; where it is one already, the end.
 */
static void call_handler(struct trapframe *frame, const siginfo_t *info, const struct signal_action *action)
{
    struct signals *signals = current()->signals;
    signal_mask saved = signals->unfinished & SIGNAL_MASK_SAVED ? signals->saved_blocked : signals->blocked;
    int number = info->si_signo;
    signal_mask itself = action->flags & SA_NODEFER ? 0 : signal_bit(number);

    if (rseq_interrupted(frame) || signal_frame_push(frame, info, action, saved) < 0) {
        if (number == SIGSEGV)
            process_exit_by_signal(SIGSEGV);
        signal_force(frame, &(siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL });
        return;
    }
    signals->unfinished &= ~(unsigned)SIGNAL_MASK_SAVED;
    signal_set_blocked(signals->blocked | action->mask | itself);
}

void signal_force(struct trapframe *frame, const siginfo_t *info)
{
    struct process *process = current();
    int number = info->si_signo;
    bool irq = spin_lock_irq(&process_lock);
    struct signal_action action = use_action_locked(process, number);

    spin_unlock_irq(&process_lock, irq);
    if (is_default_or_ignored(&action) || (process->signals->blocked & signal_bit(number)))
        process_exit_by_signal(number);
    call_handler(frame, info, &action);
}

void signal_deliver(struct trapframe *frame)
{
    struct process *process = current();
    struct signals *signals = process->signals;
    struct delivery delivery;

    for (take_next(&delivery); delivery.number; take_next(&delivery)) {
        int number = delivery.number;

        if (is_default_or_ignored(&delivery.action)) {
            if (!signal_is_ignored(process, number) && !(signal_bit(number) & SIGNAL_MASK_STOP))
                process_exit_by_signal(number);
            continue;
        }
        siginfo_t info = signal_info_of(number, &delivery.record);
        syscall_interrupted(frame, delivery.action.flags);
        call_handler(frame, &info, &delivery.action);
    }
    syscall_go_on(frame);
    signals->unfinished &= ~(unsigned)SIGNAL_CALL_CUT;
    if (signals->unfinished & SIGNAL_MASK_SAVED) {
        signals->unfinished &= ~(unsigned)SIGNAL_MASK_SAVED;
        signal_set_blocked(signals->saved_blocked);
    }
}
