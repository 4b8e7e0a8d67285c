// SPDX-License-Identifier: MIT
/*
 * signal.c: sending and delivering signals.
 *
 * What a signal does, by the action set for it:
 *
 *   handler        a frame is pushed on the user stack (signal_frame.c), user mode goes on in the handler
 *   SIG_IGN        nothing; it is not even marked as pending, unless it is blocked
 *   SIG_DFL        SIGCHLD, SIGCONT, SIGURG, SIGWINCH and the four stop signals: nothing; all others: the
 *                  process ends. For init: nothing, SIGKILL included, unless its own instruction caused it.
 *
 * A system call that a signal cut short (-ERESTARTSYS) is restarted when no handler runs or the handler has
 * SA_RESTART, by going back over the SYSCALL instruction with the call's number in rax; else it returns
 * EINTR (signal(7)).
 */
#include "kernel/signal.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/signal_frame.h"

#define SYSCALL_LENGTH 2 /* bytes of the SYSCALL instruction: 0f 05 */

/* Signals that do nothing by default (signal(7)); stopping is not built. */
static const signal_mask ignored_by_default =
    1ul << (SIGCHLD - 1) | 1ul << (SIGURG - 1) | 1ul << (SIGWINCH - 1) | 1ul << (SIGCONT - 1) |
    1ul << (SIGSTOP - 1) | 1ul << (SIGTSTP - 1) | 1ul << (SIGTTIN - 1) | 1ul << (SIGTTOU - 1);

static struct signal_action *action_of(const struct process *process, int number)
{
    return &process->signals->actions[number - 1];
}

bool signal_is_ignored(const struct process *process, int number)
{
    uint64_t handler = action_of(process, number)->handler;

    if (handler == SIGNAL_DEFAULT)
        return process->pid == INIT_PID || (ignored_by_default & signal_bit(number));
    return handler == SIGNAL_IGNORE;
}

static bool is_default_or_ignored(const struct signal_action *action)
{
    return action->handler == SIGNAL_DEFAULT || action->handler == SIGNAL_IGNORE;
}

bool signal_has_handler(const struct process *process, int number)
{
    return !(process->signals->blocked & signal_bit(number)) &&
           !is_default_or_ignored(action_of(process, number));
}

bool signal_is_ignored_or_blocked(const struct process *process, int number)
{
    return (process->signals->blocked & signal_bit(number)) || signal_is_ignored(process, number);
}

bool signal_is_pending(const struct process *process)
{
    return READ_ONCE(process->signals->pending) & ~process->signals->blocked;
}

void signal_send_locked(struct process *target, int number, const struct signal_record *record)
{
    struct signals *signals = target->signals;
    signal_mask bit = signal_bit(number);

    ASSERT(spin_is_held(&process_lock));
    if (target->state >= PROCESS_ZOMBIE || (signals->pending & bit))
        return;
    if (!(signals->blocked & bit) && signal_is_ignored(target, number))
        return;
    signals->records[number - 1] = *record;
    signals->pending |= bit;
    if (signals->blocked & bit)
        return;
    if (target == current())
        this_cpu()->return_work |= RETURN_SIGNAL;
    sched_interrupt(target);
}

void signal_send_kernel(struct process *target, int number)
{
    bool irq = spin_lock_irq(&process_lock);

    signal_send_locked(target, number, &(struct signal_record){ .code = SI_KERNEL });
    spin_unlock_irq(&process_lock, irq);
}

int signal_send_group(int pgid, int number)
{
    struct process *process;
    int result = -ESRCH;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        if (process->pgid != pgid)
            continue;
        signal_send_locked(process, number, &(struct signal_record){ .code = SI_KERNEL });
        result = 0;
    }
    spin_unlock_irq(&process_lock, irq);
    return result;
}

void signal_set_blocked(signal_mask blocked)
{
    struct process *process = current();

    process->signals->blocked = blocked & ~SIGNAL_MASK_ABSOLUTE;
    if (signal_is_pending(process))
        this_cpu()->return_work |= RETURN_SIGNAL;
}

void signal_reset_for_exec(struct signals *signals)
{
    bool irq = spin_lock_irq(&process_lock);

    for (int i = 0; i < SIGNAL_COUNT; i++) {
        bool ignored = signals->actions[i].handler == SIGNAL_IGNORE;

        signals->actions[i] = (struct signal_action){ .handler = ignored ? SIGNAL_IGNORE : SIGNAL_DEFAULT };
    }
    spin_unlock_irq(&process_lock, irq);
    signals->alternate = (stack_t){ .ss_flags = 0 };
    signals->restore_saved = false;
}

void signal_inherit(struct signals *child, const struct signals *parent)
{
    memcpy(child->actions, parent->actions, sizeof(child->actions));
    child->blocked = parent->blocked;
    child->alternate = parent->alternate;
}

/*
 * The action for a signal that is being delivered now: a copy, after SA_RESETHAND has had its effect.
 * process_lock is held.
 */
static struct signal_action use_action_locked(struct process *process, int number)
{
    struct signal_action *action = action_of(process, number), used = *action;

    if (used.flags & SA_RESETHAND)
        action->handler = SIGNAL_DEFAULT;
    return used;
}

/* Take the next deliverable signal: SIGKILL first, then the lowest number. Its number, or 0. */
static int take_pending(struct signal_record *record, struct signal_action *action)
{
    struct process *process = current();
    struct signals *signals = process->signals;
    bool irq = spin_lock_irq(&process_lock);
    signal_mask ready = signals->pending & ~signals->blocked;
    int number = 0;

    if (ready) {
        number = ready & signal_bit(SIGKILL) ? SIGKILL : __builtin_ctzl(ready) + 1;
        signals->pending &= ~signal_bit(number);
        *record = signals->records[number - 1];
        *action = use_action_locked(process, number);
    }
    spin_unlock_irq(&process_lock, irq);
    return number;
}

/* What the handler is told about a signal that was pending. */
static siginfo_t info_of(int number, const struct signal_record *record)
{
    siginfo_t info = { .si_signo = number, .si_code = record->code };

    info.si_pid = record->pid;
    if (number == SIGCHLD && record->code > 0 && record->code != SI_KERNEL) {
        info.si_status = record->status;
        info.si_utime = record->user_ticks;
        info.si_stime = record->system_ticks;
    }
    return info;
}

/*
 * Is this frame a system call's that ended with `error`? rt_sigreturn takes the number away: its rax is the
 * user's.
 */
static bool syscall_ended_with(const struct trapframe *frame, int error)
{
    return frame->vector == TRAP_SYSCALL && (int64_t)frame->error >= 0 && frame->rax == (uint64_t)-error;
}

static void syscall_restart(struct trapframe *frame)
{
    frame->rax = frame->error;
    frame->rip -= SYSCALL_LENGTH;
}

/* A handler will run: decide what the call that its signal interrupted returns. */
static void syscall_interrupted(struct trapframe *frame, uint64_t action_flags)
{
    if (syscall_ended_with(frame, ERESTARTSYS) && (action_flags & SA_RESTART))
        syscall_restart(frame);
    else if (syscall_ended_with(frame, ERESTARTSYS) || syscall_ended_with(frame, ERESTARTNOHAND))
        frame->rax = (uint64_t)-EINTR;
}

/*
 * Let user mode go on in the handler. Where the stack cannot take the frame, that is a SIGSEGV; where it is
 * one already, the end.
 */
static void call_handler(struct trapframe *frame, const siginfo_t *info, const struct signal_action *action)
{
    struct signals *signals = current()->signals;
    signal_mask saved = signals->restore_saved ? signals->saved_blocked : signals->blocked;
    int number = info->si_signo;
    signal_mask itself = action->flags & SA_NODEFER ? 0 : signal_bit(number);

    if (signal_frame_push(frame, info, action, saved) < 0) {
        if (number == SIGSEGV)
            process_exit(SIGSEGV);
        signal_force(frame, &(siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL });
        return;
    }
    signals->restore_saved = false;
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
        process_exit(number);
    call_handler(frame, info, &action);
}

void signal_deliver(struct trapframe *frame)
{
    struct process *process = current();
    struct signals *signals = process->signals;
    struct signal_record record;
    struct signal_action action;
    int number;

    while ((number = take_pending(&record, &action)) != 0) {
        siginfo_t info = info_of(number, &record);

        if (is_default_or_ignored(&action)) {
            if (!signal_is_ignored(process, number))
                process_exit(number);
            continue;
        }
        syscall_interrupted(frame, action.flags);
        call_handler(frame, &info, &action);
    }
    if (syscall_ended_with(frame, ERESTARTSYS) || syscall_ended_with(frame, ERESTARTNOHAND))
        syscall_restart(frame);
    if (signals->restore_saved) {
        signals->restore_saved = false;
        signal_set_blocked(signals->saved_blocked);
    }
}
