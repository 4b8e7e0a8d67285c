// SPDX-License-Identifier: MIT
/*
 * signal.c: sending signals, and what is pending.
 *
 * What a signal does, by the action set for it:
 *
 *   handler        a frame is pushed on the user stack (signal_frame.c), user mode goes on in the handler
 *   SIG_IGN        nothing; it is not even marked as pending, unless it is blocked
 *   SIG_DFL        SIGCHLD, SIGCONT, SIGURG, SIGWINCH: nothing; SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU: the
 *                  process stops (job.c); all others: it ends, without a core dump. For init: nothing,
 *                  SIGKILL included, unless its own instruction caused it.
 */
#include "kernel/signal.h"

#include "kernel/job.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "mm/slab.h"

/* Signals that do nothing by default (signal(7)). */
static const signal_mask ignored_by_default =
    1ul << (SIGCHLD - 1) | 1ul << (SIGURG - 1) | 1ul << (SIGWINCH - 1) | 1ul << (SIGCONT - 1);

static struct slab_cache entry_cache = SLAB_CACHE_INIT(entry_cache, "signal_entry", struct signal_entry);

static struct slab_cache actions_cache = SLAB_CACHE_INIT(actions_cache, "signal_actions", struct signal_actions);

static const struct signal_action *action_of(const struct process *process, int number)
{
    return signal_action_of(process->signals->actions, number);
}

bool signal_is_ignored(const struct process *process, int number)
{
    uint64_t handler = action_of(process, number)->handler;

    if (handler == SIGNAL_DEFAULT)
        return process->pid == INIT_PID || (ignored_by_default & signal_bit(number));
    return handler == SIGNAL_IGNORE;
}

bool signal_has_handler(const struct process *process, int number)
{
    uint64_t handler = action_of(process, number)->handler;

    return !(process->signals->blocked & signal_bit(number)) && handler != SIGNAL_DEFAULT &&
           handler != SIGNAL_IGNORE;
}

bool signal_is_ignored_or_blocked(const struct process *process, int number)
{
    return (process->signals->blocked & signal_bit(number)) || signal_is_ignored(process, number);
}

bool signal_is_pending(const struct process *process)
{
    return READ_ONCE(process->signals->pending) & ~process->signals->blocked;
}

/* Would this signal, delivered now, end the process? */
static bool is_fatal(const struct process *process, int number)
{
    return action_of(process, number)->handler == SIGNAL_DEFAULT && !signal_is_ignored(process, number) &&
           !(SIGNAL_MASK_STOP & signal_bit(number));
}

bool signal_is_fatal_pending(const struct process *process)
{
    signal_mask ready = READ_ONCE(process->signals->pending) & ~process->signals->blocked;

    for (; ready; ready &= ready - 1)
        if (is_fatal(process, __builtin_ctzl(ready) + 1))
            return true;
    return false;
}

struct signal_entry *signal_entry_create(void) { return slab_alloc(&entry_cache); }

void signal_entry_free(struct signal_entry *entry)
{
    ASSERT(!entry || !entry->is_queued);
    if (entry)
        slab_free(&entry_cache, entry);
}

/* Take an entry out of its queue; who made it for good keeps it. */
static void entry_remove_locked(struct signals *signals, struct signal_entry *entry)
{
    TAILQ_REMOVE(&signals->queue, entry, link);
    signals->queued--;
    entry->is_queued = false;
    if (!entry->is_kept)
        signal_entry_free(entry);
}

unsigned signal_queued_of_user_locked(uint32_t user)
{
    struct process *process;
    unsigned count = 0;

    ASSERT(spin_is_held(&process_lock));
    TAILQ_FOREACH(process, &process_table, all)
        if (process->credentials.user.real == user)
            count += process->signals->queued;
    return count;
}

void signal_discard_locked(struct process *process, signal_mask numbers)
{
    struct signals *signals = process->signals;
    struct signal_entry *entry, *next;

    ASSERT(spin_is_held(&process_lock));
    signals->pending &= ~numbers;
    for (entry = TAILQ_FIRST(&signals->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (numbers & signal_bit(entry->record.si_signo))
            entry_remove_locked(signals, entry);
    }
}

/* Mark it as pending. Was `entry` used? */
static bool pend_locked(struct signals *signals, int number, const struct signal_record *record,
                        struct signal_entry *entry)
{
    bool was_pending = signals->pending & signal_bit(number);

    signals->pending |= signal_bit(number);
    if (number < SIGNAL_REAL_TIME) {
        if (!was_pending)
            signals->records[number - 1] = *record;
        return false;
    }
    if (!entry || entry->is_queued)
        return false;
    entry->record = *record;
    entry->record.si_signo = number;
    entry->is_queued = true;
    TAILQ_INSERT_TAIL(&signals->queue, entry, link);
    signals->queued++;
    return true;
}

/* Let the target see what has just become pending. */
static void wake_locked(struct process *target, int number)
{
    struct signals *signals = target->signals;
    signal_mask bit = signal_bit(number);

    if (signals->blocked & bit) {
        if (signals->awaited & bit)
            sched_interrupt(target);
        return;
    }
    if (target == current())
        this_cpu()->return_work |= RETURN_SIGNAL;
    if (number == SIGKILL)
        sched_continue(target);
    if (is_fatal(target, number))
        sched_kill(target);
    else
        sched_interrupt(target);
}

bool signal_send_locked(struct process *target, int number, const struct signal_record *record,
                        struct signal_entry *entry)
{
    bool used;

    ASSERT(spin_is_held(&process_lock));
    if (target->state >= PROCESS_ZOMBIE || target->is_exiting || target->is_kernel)
        return false;
    if (signal_bit(number) & SIGNAL_MASK_STOP)
        signal_discard_locked(target, signal_bit(SIGCONT));
    if (number == SIGCONT) {
        signal_discard_locked(target, SIGNAL_MASK_STOP);
        job_continue_locked(target);
    }
    if (!(target->signals->blocked & signal_bit(number)) && signal_is_ignored(target, number))
        return false;
    used = pend_locked(target->signals, number, record, entry);
    wake_locked(target, number);
    return used;
}

void signal_send_kernel(struct process *target, int number)
{
    bool irq = spin_lock_irq(&process_lock);

    (void)signal_send_locked(target, number, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
    spin_unlock_irq(&process_lock, irq);
}

void signal_send_self(int number)
{
    struct signal_record record = { .si_code = SI_USER };
    bool irq = spin_lock_irq(&process_lock);

    record.si_pid = current()->pid;
    record.si_uid = current()->credentials.user.real;
    (void)signal_send_locked(current(), number, &record, NULL);
    spin_unlock_irq(&process_lock, irq);
}

int signal_send_group(int pgid, int number)
{
    struct process *process;
    int result = -ESRCH;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        if (process->pgid != pgid || process->is_kernel)
            continue;
        (void)signal_send_locked(process, number, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
        result = 0;
    }
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* The oldest entry of this number goes out of the queue. Is another one left? */
static bool take_entry_locked(struct signals *signals, int number, struct signal_record *record)
{
    struct signal_entry *entry, *next;
    bool found = false;

    *record = (struct signal_record){ .si_code = SI_USER }; /* where there was no memory for an entry */
    for (entry = TAILQ_FIRST(&signals->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->record.si_signo != number)
            continue;
        if (found)
            return true;
        found = true;
        *record = entry->record;
        entry_remove_locked(signals, entry);
    }
    return false;
}

int signal_take_locked(struct process *process, signal_mask wanted, struct signal_record *record)
{
    struct signals *signals = process->signals;
    signal_mask ready = signals->pending & wanted;
    bool more = false;
    int number;

    ASSERT(spin_is_held(&process_lock));
    if (!ready)
        return 0;
    number = ready & signal_bit(SIGKILL) ? SIGKILL : __builtin_ctzl(ready) + 1;
    if (number < SIGNAL_REAL_TIME)
        *record = signals->records[number - 1];
    else
        more = take_entry_locked(signals, number, record);
    if (!more)
        signals->pending &= ~signal_bit(number);
    if (number == SIGALRM)
        timers_alarm_taken_locked(process);
    if (record->si_code == SI_TIMER)
        record->si_overrun = timers_take_overrun_locked(process, record->si_tid);
    return number;
}

siginfo_t signal_info_of(int number, const struct signal_record *record)
{
    siginfo_t info = { .si_signo = number };

    memcpy(&info, record, sizeof(*record));
    info.si_signo = number;
    return info;
}

void signal_set_blocked(signal_mask blocked)
{
    struct process *process = current();

    process->signals->blocked = blocked & ~SIGNAL_MASK_ABSOLUTE;
    if (signal_is_pending(process))
        this_cpu()->return_work |= RETURN_SIGNAL;
}

struct signal_actions *signal_actions_create(void)
{
    struct signal_actions *actions = slab_alloc_unset(&actions_cache);

    if (actions) {
        actions->refs = 1;
        actions->set = 0;
    }
    return actions;
}

struct signal_actions *signal_actions_clone(const struct signal_actions *actions)
{
    struct signal_actions *clone = signal_actions_create();

    if (!clone)
        return NULL;
    clone->set = actions->set;
    for (signal_mask left = clone->set; left; left &= left - 1)
        clone->of[__builtin_ctzl(left)] = actions->of[__builtin_ctzl(left)];
    return clone;
}

struct signal_actions *signal_actions_share(struct signal_actions *actions)
{
    actions->refs++;
    return actions;
}

bool signal_actions_are_shared(const struct signal_actions *actions) { return actions->refs > 1; }

void signal_actions_put(struct signal_actions *actions)
{
    if (!--actions->refs)
        slab_free(&actions_cache, actions);
}

void signal_init(struct signals *signals, struct signal_actions *actions)
{
    memset(signals, 0, offsetof(struct signals, records)); /* a record means something when its signal is pending */
    TAILQ_INIT(&signals->queue);
    signals->actions = actions;
}

void signal_release(struct signals *signals)
{
    while (!TAILQ_EMPTY(&signals->queue))
        entry_remove_locked(signals, TAILQ_FIRST(&signals->queue));
    signal_actions_put(signals->actions);
}

void signal_exchange_actions(struct signals *signals, struct signal_actions *actions)
{
    bool irq = spin_lock_irq(&process_lock);
    struct signal_actions *before = signals->actions;

    signals->actions = actions;
    spin_unlock_irq(&process_lock, irq);
    signal_actions_put(before);
}

void signal_reset_actions(struct signals *signals)
{
    struct signal_actions *actions = signals->actions;
    bool irq = spin_lock_irq(&process_lock);

    for (signal_mask left = actions->set; left; left &= left - 1) {
        int i = __builtin_ctzl(left);

        if (actions->of[i].handler == SIGNAL_IGNORE)
            actions->of[i] = (struct signal_action){ .handler = SIGNAL_IGNORE };
        else
            actions->set &= ~signal_bit(i + 1);
    }
    spin_unlock_irq(&process_lock, irq);
}

void signal_reset_for_exec(struct signals *signals)
{
    signal_reset_actions(signals);
    signals->alternate = (stack_t){ .ss_flags = 0 };
    signals->restore_saved = false;
}

void signal_inherit(struct signals *child, const struct signals *parent)
{
    child->blocked = parent->blocked;
    child->alternate = parent->alternate;
}
