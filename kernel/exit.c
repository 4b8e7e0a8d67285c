// SPDX-License-Identifier: MIT
/*
 * exit.c: the end of a thread, and with the last one that of its process. Waiting for it is sys_wait.c.
 *
 *      leader --thread_exit()--> ZOMBIE --once all threads have ended: wait4() by the parent--> freed
 *                          \---> DEAD (the parent ignores SIGCHLD) --> freed by who runs next
 *      another thread ----------> DEAD --> freed by who runs next
 *
 * process_exit() ends all threads: the caller's itself, the others' by a SIGKILL for each. A thread gives back its
 * memory and files itself, before it becomes a zombie; what stays is what wait4(2) tells, and the kernel stack it
 * still stands on. Orphans become children of the nearest subreaper above (prctl(2)), or of init.
 */
#include "kernel/core.h"
#include "kernel/exec.h"
#include "kernel/fs/file.h"
#include "kernel/fs/standpoint.h"
#include "kernel/fs/tty.h"
#include "kernel/futex.h"
#include "kernel/job.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/posix_timer.h"
#include "kernel/sched.h"
#include "kernel/segment.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/thread.h"
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
        if (above->is_subreaper && thread_living(above))
            return above;
    return process_find_locked(INIT_PID);
}

/* `child` loses its parent and gets another. */
static void reparent_locked(struct process *child, struct process *reaper)
{
    struct process *parent = child->parent;

    TAILQ_REMOVE(&parent->children, child, sibling);
    TAILQ_INSERT_TAIL(&reaper->children, child, sibling);
    thread_tell_child_locked(child);
    child->parent = child->parent_thread = reaper;
    child->exit_signal = SIGCHLD;
    if (process_has_ended(child) && notify_parent_locked(child)) {
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

/* The current thread is about to end. Is it the last one? Then its status is the process's, unless that has one. */
static bool begin_exit(struct process *thread, int wait_status)
{
    struct process *leader = thread->leader;
    bool is_last, irq;

    thread->is_exiting = true;
    if (!leader->had_threads) {
        leader->wait_status = wait_status;
        return true;
    }
    irq = spin_lock_irq(&process_lock);
    is_last = !thread_living(leader);
    if (is_last && !leader->is_ending)
        leader->wait_status = wait_status;
    if (!is_last) {
        posix_timers_forget_thread_locked(thread);
        signal_retarget_locked(thread, ~0ul);
        job_check_stopped_locked(leader);
    }
    spin_unlock_irq(&process_lock, irq);
    return is_last;
}

/* All threads have ended: the process has. */
static void end_process_locked(struct process *leader)
{
    job_check_orphaned_locked(leader, leader->parent, JOB_PROCESS_ENDS);
    reparent_children_locked(leader);
    if (!notify_parent_locked(leader))
        return;
    process_leave_locked(leader);
    if (leader == current()) {
        sched_set_state(PROCESS_DEAD);
    } else {
        current()->leader = current(); /* as far as it still needs one */
        process_free(leader);
    }
}

/* The current thread, which is not the leader, is no part of its process any more. */
static void leave_process_locked(struct process *thread)
{
    struct process *leader = thread->leader;

    usage_add(&leader->ended_usage, &thread->usage);
    leader->ended_usage.run_time += sched_run_time(thread) - thread->usage.run_time; /* since the last switch */
    process_leave_locked(thread);
    sched_set_state(PROCESS_DEAD);
}

/* End the current thread. May sleep. */
static void thread_exit(int wait_status) __noreturn_fn;
static void thread_exit(int wait_status)
{
    struct process *thread = current(), *leader = thread->leader;
    bool is_last = begin_exit(thread, wait_status), irq;

    if (is_last && leader->pid == INIT_PID)
        shutdown_power_off(leader->wait_status);
    if (unlikely(trace_is_on))
        trace_record(TRACE_EXIT, thread->aspace ? &thread->aspace->tree : NULL)->process.status = wait_status;
    if (is_last)
        timers_release(leader);
    give_back_memory(thread);
    if (is_last)
        segments_forget(leader);
    give_back_files(thread);
    if (is_last && leader->pid == leader->sid)
        tty_leave_session(leader->sid);

    irq = spin_lock_irq(&process_lock);
    if (leader->had_threads)
        thread_leave_children_locked(thread);
    if (process_is_leader(thread))
        sched_set_state(PROCESS_ZOMBIE);
    else
        leave_process_locked(thread);
    if (leader->exec_thread)
        sched_wake(leader->exec_thread);
    if (process_has_ended(leader))
        end_process_locked(leader);
    spin_unlock_irq(&process_lock, irq);
    schedule();
    panic("a thread that has ended runs again");
}

/* The other threads shall end, too. False: they do already, and the first one's status counts. */
static bool end_others(struct process *leader, int wait_status)
{
    bool irq = spin_lock_irq(&process_lock);
    bool is_first = !leader->is_ending && (!leader->exec_thread || leader->exec_thread == current());

    if (is_first) {
        leader->is_ending = true;
        leader->wait_status = wait_status;
        thread_kill_others_locked(leader);
    }
    spin_unlock_irq(&process_lock, irq);
    return is_first;
}

void process_exit(int wait_status)
{
    struct process *leader = current()->leader;

    if (leader->had_threads)
        (void)end_others(leader, wait_status);
    thread_exit(wait_status);
}

/* The others end before memory is written out: what is in it is what it was at the signal. */
void process_exit_by_signal(int signal)
{
    struct process *leader = current()->leader;
    int wait_status;

    if (!leader->had_threads)
        thread_exit(core_wait_status(signal));
    if (!end_others(leader, signal))
        thread_exit(signal);
    wait_status = core_wait_status(signal);
    leader->wait_status = wait_status;
    thread_exit(wait_status);
}

/* exit(2): status. */
int64_t sys_exit(const struct syscall_args *args) { thread_exit((args->arg[0] & 0xff) << 8); }

/* exit_group(2): status. */
int64_t sys_exit_group(const struct syscall_args *args) { process_exit((args->arg[0] & 0xff) << 8); }
