// SPDX-License-Identifier: MIT
/*
 * thread.c: what the threads of a process do to each other when one ends, or calls execve(2).
 */
#include "kernel/thread.h"

#include "kernel/lib/errno.h"
#include "kernel/posix_timer.h"
#include "kernel/sched.h"
#include "kernel/usage.h"

void thread_kill_others_locked(struct process *leader)
{
    for (struct process *thread = leader; thread; thread = thread_next(thread))
        if (thread != current())
            signal_kill_thread_locked(thread);
}

void thread_tell_child_locked(struct process *child)
{
    struct signal_record record = { .si_code = SI_USER };

    record.si_pid = child->parent->pid;
    record.si_uid = child->parent->credentials.user.real;
    for (struct process *thread = child; thread; thread = thread_next(thread))
        if (thread->death_signal)
            (void)signal_send_locked(child, thread->death_signal, &record, NULL);
}

void thread_leave_children_locked(const struct process *thread)
{
    struct process *child, *heir = thread_living(thread->leader);

    TAILQ_FOREACH(child, &thread->leader->children, sibling) {
        if (child->parent_thread != thread)
            continue;
        if (heir)
            thread_tell_child_locked(child);
        child->parent_thread = heir ? heir : thread->leader;
    }
}

/* ---- execve(2) by one of several threads ---- */

/* Condition of the wait: all threads but this one have ended. */
static bool is_alone(void *arg)
{
    const struct process *thread = arg, *leader = thread->leader;

    if (process_is_leader(thread))
        return LIST_EMPTY(&leader->threads);
    return leader->state == PROCESS_ZOMBIE && LIST_FIRST(&leader->threads) == thread &&
           !LIST_NEXT(thread, thread_link);
}

/* The others of its process are told to end. False: it is itself. */
static bool end_others(struct process *thread)
{
    struct process *leader = thread->leader;
    bool irq = spin_lock_irq(&process_lock), may = !leader->is_ending && !leader->exec_thread;

    if (may) {
        leader->exec_thread = thread;
        thread_kill_others_locked(leader);
    }
    spin_unlock_irq(&process_lock, irq);
    return may;
}

/*
 * What makes a thread run, and what is its own, moves into the leader, which has ended. Its number, its place in
 * the table and what the process has in common stay there.
 */
static void move_into_leader_locked(struct process *leader, struct process *thread)
{
    const struct credentials before = leader->credentials;

    leader->credentials = thread->credentials;
    thread->credentials = before; /* its reference on groups goes with the thread's struct */
    leader->nice = thread->nice;
    leader->policy = thread->policy;
    leader->priority = thread->priority;
    leader->resets_on_fork = thread->resets_on_fork;
    leader->has_no_new_privileges = thread->has_no_new_privileges;
    leader->persona = thread->persona;
    leader->has_no_tsc = thread->has_no_tsc;
    leader->timer_slack = thread->timer_slack;
    leader->death_signal = thread->death_signal;
    leader->robust_list = thread->robust_list;
    leader->clear_child_tid = thread->clear_child_tid;
    signal_move(leader->signals, thread->signals);
    usage_add(&leader->ended_usage, &leader->usage);
    leader->usage = thread->usage;
    leader->is_exiting = false;
    leader->oom_victim |= thread->oom_victim;
}

#define MOVE(to, from, field) ((to)->field = (from)->field, (from)->field = 0)

/* The same with what can be only one's: references, the stack, who waits for the thread. */
static void hand_to_leader_locked(struct process *leader, struct process *thread)
{
    MOVE(leader, thread, kernel_stack);
    MOVE(leader, thread, user);
    MOVE(leader, thread, fpu);
    MOVE(leader, thread, aspace);
    MOVE(leader, thread, files);
    MOVE(leader, thread, standpoint);
    MOVE(leader, thread, exe);
    MOVE(leader, thread, vfork_parent);
    if (leader->vfork_parent)
        leader->vfork_parent->vfork_child = leader;
    leader->held = thread->held;
    thread->held.count = 0;
}

/* The current thread, whose process has no other one any more, becomes its leader. */
static void become_leader(struct process *thread)
{
    struct process *leader = thread->leader, *child;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(child, &leader->children, sibling)
        child->parent_thread = leader;
    posix_timers_forget_thread_locked(thread);
    move_into_leader_locked(leader, thread);
    hand_to_leader_locked(leader, thread);
    process_leave_locked(thread);
    sched_become(leader);
    spin_unlock_irq(&process_lock, irq);
    process_free(thread);
}

int process_take_lead(void)
{
    struct wait_queue nobody = WAIT_QUEUE_INIT(nobody); /* thread_exit() knows whom to wake */
    struct process *thread = current(), *leader = thread->leader;
    int error;

    if (process_is_leader(thread) && LIST_EMPTY(&leader->threads))
        return 0;
    if (!end_others(thread))
        return -EINTR;
    error = wait_until(&nobody, is_alone, thread, WAIT_KILLABLE, 0);
    leader->exec_thread = NULL;
    if (error)
        return -EINTR;
    if (!process_is_leader(thread))
        become_leader(thread);
    return 0;
}
