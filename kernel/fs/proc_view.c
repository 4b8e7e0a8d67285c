// SPDX-License-Identifier: MIT
/*
 * proc_view.c: taking the view of a process.
 */
#include "kernel/fs/proc_view.h"

#include "kernel/fs/descriptor.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/usage.h"

static void view_signals(struct proc_view *view, const struct process *process)
{
    const struct signals *signals = process->signals;
    if (!signals)
        return;
    view->pending = signals->own.mask;
    view->shared = process->leader->signals->shared.mask;
    view->blocked = signals->blocked;
    for (int number = 1; number <= SIGNAL_COUNT; number++) {
        uint64_t handler = signal_action_of(signals->actions, number)->handler;
        if (handler == SIGNAL_IGNORE)
            view->ignored |= signal_bit(number);
        else if (handler != SIGNAL_DEFAULT)
            view->caught |= signal_bit(number);
    }
}

/* What all its threads have in common. */
static void view_process(struct proc_view *view, const struct process *leader)
{
    view->tgid = leader->pid;
    view->ppid = leader->parent ? leader->parent->pid : 0;
    view->pgid = leader->pgid;
    view->sid = leader->sid;
    view->exit_signal = leader->exit_signal;
    view->wait_status = leader->wait_status;
    view->oom_score_adj = leader->oom_score_adj;
    view->queue_limit = leader->limits[RLIMIT_SIGPENDING].rlim_cur;
    view->resident_limit = leader->limits[RLIMIT_RSS].rlim_cur;
    for (const struct process *thread = leader; thread; thread = thread_next(thread))
        view->threads++;
}

static void view_usage(struct proc_view *view, const struct process *process, bool is_thread)
{
    view->thread = view->own = process->usage;
    if (!is_thread)
        usage_total_locked(process->leader, &view->own);
    view->children = process->leader->child_usage;
}

static void view_copy(struct proc_view *view, struct process *process, bool is_thread)
{
    const struct process *with_memory = is_thread ? process : process_with_memory_locked(process);
    struct aspace *aspace = with_memory ? with_memory->aspace : NULL;
    *view = (struct proc_view){
        .pid = process->pid,
        .letter = process_state_letter(process),
        .is_zombie = process->state == PROCESS_ZOMBIE,
        .umask = process->standpoint ? process->standpoint->umask : 0,
        .nice = process->nice,
        .policy = process->policy,
        .priority = process->priority,
        .has_no_new_privileges = process->has_no_new_privileges,
        .persona = process->persona,
        .timer_slack = process_timer_slack(process),
        .credentials = process->credentials,
        .queued = signal_queued_of_user_locked(process->credentials.user.real),
        .descriptors = process->files ? files_capacity(process->files) : 0,
        .start_time = process->start_time,
        .aspace = aspace ? aspace_get(aspace) : NULL,
    };
    (void)group_list_get(view->credentials.groups);
    string_copy(view->name, process->name, sizeof view->name);
    view_process(view, process->leader);
    view_usage(view, process, is_thread);
    view_signals(view, process);
}

int proc_view_take(struct proc_view *view, const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = proc_find_locked(id);
    if (process)
        view_copy(view, process, id->is_thread);
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
