// SPDX-License-Identifier: MIT
/*
 * job.c: see job.h. Everything here runs under process_lock.
 */
#include "kernel/job.h"

#include "kernel/core.h"
#include "kernel/lib/assert.h"
#include "kernel/sched.h"

int job_killed_code(int wait_status) { return wait_status & WAIT_STATUS_CORE ? CLD_DUMPED : CLD_KILLED; }

struct signal_record job_child_record(const struct process *child, int code, int status)
{
    struct signal_record record = { .si_code = code };

    record.si_pid = child->pid;
    record.si_uid = child->credentials.user.real;
    record.si_status = status;
    record.si_utime = (__kernel_clock_t)(child->usage.user_ticks + child->ended_usage.user_ticks);
    record.si_stime = (__kernel_clock_t)(child->usage.system_ticks + child->ended_usage.system_ticks);
    return record;
}

/* SA_NOCLDSTOP keeps the signal back, but wait4(2) tells all the same. */
static void tell_parent_locked(struct process *child, int code, int status)
{
    struct process *parent = child->parent;
    struct signal_record record = job_child_record(child, code, status);

    if (!parent)
        return;
    if (!(signal_action_of(parent->signals->actions, SIGCHLD)->flags & SA_NOCLDSTOP))
        (void)signal_send_locked(parent, SIGCHLD, &record, NULL);
    wake_all(&parent->child_event);
}

void job_stop_thread_locked(struct process *thread)
{
    (void)signal_send_thread_locked(thread, SIGSTOP, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
}

void job_check_stopped_locked(struct process *leader)
{
    ASSERT(spin_is_held(&process_lock));
    if (!leader->is_stopping)
        return;
    for (const struct process *thread = leader; thread; thread = thread_next(thread))
        if (!thread->is_exiting && thread->state != PROCESS_STOPPED)
            return;
    leader->is_stopping = false;
    leader->stop_unreported = true;
    leader->continue_unreported = false;
    tell_parent_locked(leader, CLD_STOPPED, leader->stop_signal);
}

/* The current thread is the first to stop. */
static void begin_stop_locked(struct process *leader, int number)
{
    leader->stop_signal = number;
    leader->is_stopping = true;
    for (struct process *thread = leader; thread; thread = thread_next(thread))
        if (thread != current())
            job_stop_thread_locked(thread);
}

bool job_stop_locked(int number)
{
    struct process *leader = current()->leader;

    ASSERT(spin_is_held(&process_lock));
    if (number != SIGSTOP && process_group_is_orphaned_locked(leader->pgid, NULL))
        return false;
    if (!leader->stop_signal)
        begin_stop_locked(leader, number);
    sched_set_state(PROCESS_STOPPED);
    job_check_stopped_locked(leader);
    return true;
}

void job_continue_locked(struct process *leader)
{
    ASSERT(spin_is_held(&process_lock));
    if (!leader->stop_signal)
        return;
    for (struct process *thread = leader; thread; thread = thread_next(thread))
        sched_continue(thread);
    leader->stop_signal = 0;
    leader->stop_unreported = false; /* too late to be told */
    if (leader->is_stopping) {       /* nor has it begun to stop, for all that the parent knows */
        leader->is_stopping = false;
        return;
    }
    leader->continue_unreported = true;
    tell_parent_locked(leader, CLD_CONTINUED, SIGCONT);
}

static bool group_has_stopped_locked(int pgid)
{
    struct process *process;

    TAILQ_FOREACH(process, &process_table, all)
        if (process->pgid == pgid && process->stop_signal && !process->is_stopping)
            return true;
    return false;
}

static void send_group_locked(int pgid, int number)
{
    struct process *process;

    TAILQ_FOREACH(process, &process_table, all)
        if (process->pgid == pgid)
            (void)signal_send_locked(process, number, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
}

void job_check_orphaned_locked(struct process *process, struct process *parent, enum job_loss loss)
{
    if (!parent || parent->pgid == process->pgid || parent->sid != process->sid)
        return; /* this link never kept the group from being orphaned */
    if (!process_group_is_orphaned_locked(process->pgid, loss == JOB_PROCESS_ENDS ? process : NULL) ||
        !group_has_stopped_locked(process->pgid))
        return;
    send_group_locked(process->pgid, SIGHUP);
    send_group_locked(process->pgid, SIGCONT);
}
