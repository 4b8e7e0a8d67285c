// SPDX-License-Identifier: MIT
/*
 * exit.c: the end of a process. Waiting for it is sys_wait.c.
 *
 *      running --process_exit()--> ZOMBIE --wait4() by the parent--> freed
 *                            \---> DEAD (the parent ignores SIGCHLD) --> freed by who runs next
 *
 * A process gives back its memory and files itself, before it becomes a zombie; what stays is what wait4(2)
 * tells, and the kernel stack it still stands on. Orphans become children of the nearest subreaper above
 * (prctl(2)), or of init.
 */
#include "kernel/exec.h"
#include "kernel/fs/file.h"
#include "kernel/fs/standpoint.h"
#include "kernel/fs/tty.h"
#include "kernel/futex.h"
#include "kernel/job.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/segment.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/usage.h"
#include "mm/trace.h"

void process_release_vfork(struct process *process)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *parent = process->vfork_parent;

    if (parent) {
        process->vfork_parent = parent->vfork_child = NULL;
        wake_all(&parent->child_event);
    }
    spin_unlock_irq(&process_lock, irq);
}

static void give_back_memory(struct process *process)
{
    struct aspace *aspace = process->aspace;
    bool irq;

    if (aspace) {
        futex_leave_memory(process);
        usage_note_resident(process);
    }
    irq = spin_lock_irq(&process_lock);
    process->aspace = NULL;
    spin_unlock_irq(&process_lock, irq);
    aspace_switch(NULL);
    process_release_vfork(process);
    if (aspace)
        aspace_put(aspace);
}

static void give_back_files(struct process *process)
{
    bool irq = spin_lock_irq(&process_lock);
    struct files *files = process->files;
    struct standpoint *standpoint = process->standpoint;
    struct inode *exe = process->exe;

    process->files = NULL;
    process->standpoint = NULL;
    process->exe = NULL;
    spin_unlock_irq(&process_lock, irq);
    files_let_go();
    files_put(files);
    standpoint_put(standpoint);
    if (exe)
        executable_put(exe);
}

/* What the parent's SIGCHLD handler is told (sigaction(2)). */
static struct signal_record end_record(const struct process *child)
{
    int signal = child->wait_status & 0x7f;

    return signal ? job_child_record(child, job_killed_code(child->wait_status), signal)
                  : job_child_record(child, CLD_EXITED, child->wait_status >> 8);
}

/*
 * Tell the parent that a child has ended. True: the parent does not want to wait for it (wait(2), NOTES:
 * SIGCHLD ignored, or SA_NOCLDWAIT), so nobody will.
 */
static bool notify_parent_locked(struct process *child)
{
    struct process *parent = child->parent;
    const struct signal_action *action = signal_action_of(parent->signals->actions, SIGCHLD);
    struct signal_record record = end_record(child);

    if (signal_is_valid(child->exit_signal))
        (void)signal_send_locked(parent, child->exit_signal, &record, NULL);
    wake_all(&parent->child_event);
    if (!LIST_EMPTY(&child->pidfds))
        poll_wake();
    return child->exit_signal == SIGCHLD &&
           (action->handler == SIGNAL_IGNORE || (action->flags & SA_NOCLDWAIT));
}

/* Who takes the orphans of an ending process: the nearest subreaper above it that lives, else init. */
static struct process *find_reaper_locked(struct process *process)
{
    struct process *above;

    for (above = process->parent; above; above = above->parent)
        if (above->is_subreaper && !above->is_exiting)
            return above;
    return process_find_locked(INIT_PID);
}

/* `child` loses its parent and gets another. */
static void reparent_locked(struct process *child, struct process *reaper)
{
    struct signal_record record = { .si_code = SI_USER }; /* as if the parent had sent it */
    struct process *parent = child->parent;

    TAILQ_REMOVE(&parent->children, child, sibling);
    TAILQ_INSERT_TAIL(&reaper->children, child, sibling);
    child->parent = reaper;
    child->exit_signal = SIGCHLD;
    record.si_pid = parent->pid;
    record.si_uid = parent->credentials.user.real;
    if (child->death_signal)
        (void)signal_send_locked(child, child->death_signal, &record, NULL);
    if (child->state == PROCESS_ZOMBIE && notify_parent_locked(child)) {
        process_leave_locked(child);
        process_free(child);
        return;
    }
    job_check_orphaned_locked(child, parent, JOB_PARENT_ENDS);
}

/* Give the children of an ending process away, zombies included. */
static void reparent_children_locked(struct process *process)
{
    struct process *reaper = find_reaper_locked(process);

    while (!TAILQ_EMPTY(&process->children))
        reparent_locked(TAILQ_FIRST(&process->children), reaper);
}

void process_exit(int wait_status)
{
    struct process *process = current();
    bool irq;

    if (process->pid == INIT_PID)
        shutdown_power_off(wait_status);
    process->is_exiting = true;
    if (unlikely(trace_is_on))
        trace_record(TRACE_EXIT, process->aspace ? &process->aspace->tree : NULL)->process.status = wait_status;
    timers_release(process);
    give_back_memory(process);
    segments_forget(process);
    give_back_files(process);
    if (process->pid == process->sid)
        tty_leave_session(process->sid);

    irq = spin_lock_irq(&process_lock);
    job_check_orphaned_locked(process, process->parent, JOB_PROCESS_ENDS);
    reparent_children_locked(process);
    process->wait_status = wait_status;
    sched_set_state(PROCESS_ZOMBIE);
    if (notify_parent_locked(process)) {
        process_leave_locked(process);
        sched_set_state(PROCESS_DEAD);
    }
    spin_unlock_irq(&process_lock, irq);
    schedule();
    panic("a process that has ended runs again");
}

/* exit(2), exit_group(2): status. */
int64_t sys_exit(const struct syscall_args *args) { process_exit((args->arg[0] & 0xff) << 8); }

int64_t sys_exit_group(const struct syscall_args *args) { process_exit((args->arg[0] & 0xff) << 8); }
