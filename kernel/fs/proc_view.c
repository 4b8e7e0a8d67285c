// SPDX-License-Identifier: MIT
/*
 * proc_view.c: taking the view of a process.
 */
#include "kernel/fs/proc_view.h"

#include "kernel/fs/descriptor.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

static void view_signals(struct proc_view *view, const struct signals *signals)
{
    if (!signals)
        return;
    view->pending = signals->pending;
    view->blocked = signals->blocked;
    for (int number = 1; number <= SIGNAL_COUNT; number++) {
        uint64_t handler = signal_action_of(signals->actions, number)->handler;
        if (handler == SIGNAL_IGNORE)
            view->ignored |= signal_bit(number);
        else if (handler != SIGNAL_DEFAULT)
            view->caught |= signal_bit(number);
    }
}

static void view_copy(struct proc_view *view, const struct process *process)
{
    *view = (struct proc_view){
        .pid = process->pid,
        .ppid = process->parent ? process->parent->pid : 0,
        .pgid = process->pgid,
        .sid = process->sid,
        .exit_signal = process->exit_signal,
        .wait_status = process->wait_status,
        .letter = process_state_letter(process),
        .is_zombie = process->state == PROCESS_ZOMBIE,
        .umask = process->standpoint ? process->standpoint->umask : 0,
        .oom_score_adj = process->oom_score_adj,
        .nice = process->nice,
        .policy = process->policy,
        .priority = process->priority,
        .has_no_new_privileges = process->has_no_new_privileges,
        .persona = process->persona,
        .timer_slack = process_timer_slack(process),
        .credentials = process->credentials,
        .queued = signal_queued_of_user_locked(process->credentials.user.real),
        .queue_limit = process->limits[RLIMIT_SIGPENDING].rlim_cur,
        .descriptors = process->files ? files_capacity(process->files) : 0,
        .start_time = process->start_time,
        .resident_limit = process->limits[RLIMIT_RSS].rlim_cur,
        .own = process->usage,
        .children = process->child_usage,
        .aspace = process->aspace ? aspace_get(process->aspace) : NULL,
    };
    (void)group_list_get(view->credentials.groups);
    string_copy(view->name, process->name, sizeof view->name);
    view_signals(view, process->signals);
}

int proc_view_take(struct proc_view *view, const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    if (process)
        view_copy(view, process);
    spin_unlock_irq(&process_lock, irq);
    if (!process)
        return -ESRCH;
    if (view->aspace)
        aspace_usage(view->aspace, &view->usage);
    return 0;
}

void proc_view_release(struct proc_view *view)
{
    group_list_put(view->credentials.groups);
    if (view->aspace)
        aspace_put(view->aspace);
}

uint64_t proc_view_resident(const struct proc_view *view)
{
    uint64_t pages = 0;
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        pages += view->usage.resident[kind];
    return pages;
}
