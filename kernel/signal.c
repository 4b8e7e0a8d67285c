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
        return process->leader->pid == INIT_PID || (ignored_by_default & signal_bit(number));
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

/* What a thread could take. */
static signal_mask pending_mask(const struct process *thread)
{
    return READ_ONCE(thread->signals->own.mask) | READ_ONCE(thread->leader->signals->shared.mask);
}

bool signal_is_pending(const struct process *process)
{
    return pending_mask(process) & ~process->signals->blocked;
}

void signal_cut_call(void)
{
    current()->signals->unfinished |= SIGNAL_CALL_CUT;
    __atomic_or_fetch(&this_cpu()->return_work, RETURN_SIGNAL, __ATOMIC_RELAXED);
}

bool signal_waits(const struct process *thread, int number) { return pending_mask(thread) & signal_bit(number); }

/* Would this signal, delivered now, end the process? */
static bool is_fatal(const struct process *process, int number)
{
    return action_of(process, number)->handler == SIGNAL_DEFAULT && !signal_is_ignored(process, number) &&
           !(SIGNAL_MASK_STOP & signal_bit(number));
}

bool signal_is_fatal_pending(const struct process *process)
{
    signal_mask ready = pending_mask(process) & ~process->signals->blocked;

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
static void entry_remove_locked(struct pending *pending, struct signal_entry *entry)
{
    TAILQ_REMOVE(&pending->queue, entry, link);
    pending->queued--;
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
            count += process->signals->own.queued + process->signals->shared.queued;
    return count;
}

static void discard_locked(struct pending *pending, signal_mask numbers)
{
    struct signal_entry *entry, *next;

    pending->mask &= ~numbers;
    for (entry = TAILQ_FIRST(&pending->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (numbers & signal_bit(entry->record.si_signo))
            entry_remove_locked(pending, entry);
    }
}

void signal_discard_locked(struct process *process, signal_mask numbers)
{
    struct process *thread;

    ASSERT(spin_is_held(&process_lock));
    discard_locked(&process->leader->signals->shared, numbers);
    for (thread = process->leader; thread; thread = thread_next(thread))
        discard_locked(&thread->signals->own, numbers);
}

/* Mark it as pending. Was `entry` used? */
static bool pend_locked(struct pending *pending, int number, const struct signal_record *record,
                        struct signal_entry *entry)
{
    bool was_pending = pending->mask & signal_bit(number);

    pending->mask |= signal_bit(number);
    if (number < SIGNAL_REAL_TIME) {
        if (!was_pending)
            pending->records[number - 1] = *record;
        return false;
    }
    if (!entry || entry->is_queued)
        return false;
    entry->record = *record;
    entry->record.si_signo = number;
    entry->is_queued = true;
    TAILQ_INSERT_TAIL(&pending->queue, entry, link);
    pending->queued++;
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

/* Would the thread take it, were it pending for its process? */
static bool wants(const struct process *thread, int number)
{
    return !thread->is_exiting && !(thread->signals->blocked & ~thread->signals->awaited & signal_bit(number));
}

/* A thread of the process that would take it, the leader first; NULL: none for now. */
static struct process *choose_locked(struct process *leader, int number)
{
    struct process *thread = leader;

    while (thread && !wants(thread, number))
        thread = thread_next(thread);
    return thread;
}

void signal_retarget_locked(const struct process *thread, signal_mask numbers)
{
    struct process *other;

    ASSERT(spin_is_held(&process_lock));
    for (numbers &= thread->leader->signals->shared.mask; numbers; numbers &= numbers - 1) {
        other = choose_locked(thread->leader, __builtin_ctzl(numbers) + 1);
        if (other)
            wake_locked(other, __builtin_ctzl(numbers) + 1);
    }
}

/* What a signal does before it is pending. Is it to be, or does the target ignore it? process_lock is held. */
static bool prepare_locked(struct process *target, int number)
{
    if (signal_bit(number) & SIGNAL_MASK_STOP)
        signal_discard_locked(target, signal_bit(SIGCONT));
    if (number == SIGCONT) {
        signal_discard_locked(target, SIGNAL_MASK_STOP);
        job_continue_locked(target->leader);
    }
    return (target->signals->blocked & signal_bit(number)) || !signal_is_ignored(target, number);
}

void signal_kill_thread_locked(struct process *thread)
{
    if (thread->is_exiting)
        return;
    (void)pend_locked(&thread->signals->own, SIGKILL, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
    wake_locked(thread, SIGKILL);
}

/* SIGKILL, to whichever thread it was sent. */
static void kill_locked(struct process *leader)
{
    for (struct process *thread = leader; thread; thread = thread_next(thread))
        signal_kill_thread_locked(thread);
}

bool signal_send_locked(struct process *target, int number, const struct signal_record *record,
                        struct signal_entry *entry)
{
    struct process *leader = target->leader, *thread;
    bool used;

    ASSERT(spin_is_held(&process_lock));
    if (!thread_living(leader) || leader->is_kernel || !prepare_locked(leader, number))
        return false;
    if (number == SIGKILL) {
        kill_locked(leader);
        return false;
    }
    used = pend_locked(&leader->signals->shared, number, record, entry);
    thread = choose_locked(leader, number);
    if (thread)
        wake_locked(thread, number);
    return used;
}

bool signal_send_thread_locked(struct process *thread, int number, const struct signal_record *record,
                               struct signal_entry *entry)
{
    bool used;

    ASSERT(spin_is_held(&process_lock));
    if (thread->is_exiting || thread->is_kernel || !prepare_locked(thread, number))
        return false;
    if (number == SIGKILL) {
        kill_locked(thread->leader);
        return false;
    }
    used = pend_locked(&thread->signals->own, number, record, entry);
    wake_locked(thread, number);
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

    record.si_pid = current()->leader->pid;
    record.si_uid = current()->credentials.user.real;
    (void)signal_send_thread_locked(current(), number, &record, NULL);
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
static bool take_entry_locked(struct pending *pending, int number, struct signal_record *record)
{
    struct signal_entry *entry, *next;
    bool found = false;

    *record = (struct signal_record){ .si_code = SI_USER }; /* where there was no memory for an entry */
    for (entry = TAILQ_FIRST(&pending->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->record.si_signo != number)
            continue;
        if (found)
            return true;
        found = true;
        *record = entry->record;
        entry_remove_locked(pending, entry);
    }
    return false;
}

static int take_from_locked(struct pending *pending, signal_mask wanted, struct signal_record *record)
{
    signal_mask ready = pending->mask & wanted;
    bool more = false;
    int number;

    if (!ready)
        return 0;
    number = ready & signal_bit(SIGKILL) ? SIGKILL : __builtin_ctzl(ready) + 1;
    if (number < SIGNAL_REAL_TIME)
        *record = pending->records[number - 1];
    else
        more = take_entry_locked(pending, number, record);
    if (!more)
        pending->mask &= ~signal_bit(number);
    return number;
}

int signal_take_locked(struct process *process, signal_mask wanted, struct signal_record *record)
{
    struct process *leader = process->leader;
    int number = take_from_locked(&process->signals->own, wanted, record);

    ASSERT(spin_is_held(&process_lock));
    if (!number)
        number = take_from_locked(&leader->signals->shared, wanted, record);
    if (!number)
        return 0;
    if (number == SIGALRM)
        timers_alarm_taken_locked(leader);
    if (record->si_code == SI_TIMER)
        record->si_overrun = timers_take_overrun_locked(leader, record->si_tid);
    return number;
}

siginfo_t signal_info_of(int number, const struct signal_record *record)
{
    siginfo_t info = { .si_signo = number };

    memcpy(&info, record, sizeof(*record));
    info.si_signo = number;
    return info;
}

/* A thread blocks what it may have been woken for. */
static void leave_to_others(const struct process *thread, signal_mask numbers)
{
    bool irq = spin_lock_irq(&process_lock);

    signal_retarget_locked(thread, numbers);
    spin_unlock_irq(&process_lock, irq);
}

void signal_set_blocked(signal_mask blocked)
{
    struct process *process = current();
    signal_mask before = process->signals->blocked;

    process->signals->blocked = blocked & ~SIGNAL_MASK_ABSOLUTE;
    if (signal_is_pending(process))
        this_cpu()->return_work |= RETURN_SIGNAL;
    if (unlikely(process->leader->had_threads) && (blocked & ~before & pending_mask(process)))
        leave_to_others(process, blocked & ~before);
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

/* Its records stay unset: one means something when its signal is pending. */
static void pending_init(struct pending *pending)
{
    pending->mask = 0;
    pending->queued = 0;
    TAILQ_INIT(&pending->queue);
}

static void pending_release(struct pending *pending)
{
    while (!TAILQ_EMPTY(&pending->queue))
        entry_remove_locked(pending, TAILQ_FIRST(&pending->queue));
}

void signal_init(struct signals *signals, struct signal_actions *actions)
{
    memset(signals, 0, offsetof(struct signals, own));
    pending_init(&signals->own);
    pending_init(&signals->shared);
    signals->actions = actions;
}

void signal_release(struct signals *signals)
{
    pending_release(&signals->own);
    pending_release(&signals->shared);
    signal_actions_put(signals->actions);
}

void signal_move(struct signals *to, struct signals *from)
{
    to->blocked = from->blocked;
    to->saved_blocked = from->saved_blocked;
    to->unfinished = from->unfinished;
    pending_release(&to->own);
    to->own.mask = from->own.mask;
    to->own.queued = from->own.queued;
    memcpy(to->own.records, from->own.records, sizeof(to->own.records));
    TAILQ_CONCAT(&to->own.queue, &from->own.queue, link);
    from->own.queued = 0;
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
    signals->unfinished = 0;
}

void signal_inherit(struct signals *child, const struct signals *parent)
{
    child->blocked = parent->blocked;
    child->alternate = parent->alternate;
}
