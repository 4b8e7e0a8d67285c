// SPDX-License-Identifier: MIT
/*
 * exit.c: the end of a process, and waiting for it.
 *
 *      running --process_exit()--> ZOMBIE --wait4() by the parent--> freed
 *                            \---> DEAD (the parent ignores SIGCHLD) --> freed by who runs next
 *
 * A process gives back its memory and files itself, before it becomes a zombie; what stays is what wait4(2)
 * tells, and the kernel stack it still stands on. Orphans become children of init.
 */
#include <linux/wait.h>

#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/usage.h"
#include "mm/usercopy.h"

#define WAIT_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE)

void process_release_vfork(struct process *process)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *parent = process->parent;

    if (parent && parent->vfork_child == process) {
        parent->vfork_child = NULL;
        wake_all(&parent->child_event);
    }
    spin_unlock_irq(&process_lock, irq);
}

/* set_tid_address(2): who shares this memory learns that the process is gone. */
static void clear_tid(struct process *process)
{
    static const int nobody;

    if (process->clear_child_tid && process->aspace->refs > 1)
        (void)!copy_to_user(process->clear_child_tid, &nobody, sizeof(nobody));
}

static void give_back_memory(struct process *process)
{
    struct aspace *aspace = process->aspace;
    bool irq;

    if (aspace) {
        clear_tid(process);
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
    struct inode *cwd = process->cwd, *exe = process->exe;

    process->files = NULL;
    process->cwd = process->exe = NULL;
    spin_unlock_irq(&process_lock, irq);
    files_put(files);
    inode_put(cwd);
    if (exe)
        inode_put(exe);
}

/* What the parent's SIGCHLD handler is told (sigaction(2)). */
static struct signal_record child_record(const struct process *child)
{
    bool killed = child->wait_status & 0x7f;

    return (struct signal_record){
        .code = killed ? CLD_KILLED : CLD_EXITED,
        .pid = child->pid,
        .status = killed ? child->wait_status & 0x7f : child->wait_status >> 8,
        .user_ticks = (uint32_t)child->usage.user_ticks,
        .system_ticks = (uint32_t)child->usage.system_ticks,
    };
}

/*
 * Tell the parent that a child has ended. True: the parent does not want to wait for it (wait(2), NOTES:
 * SIGCHLD ignored, or SA_NOCLDWAIT), so nobody will.
 */
static bool notify_parent_locked(struct process *child)
{
    struct process *parent = child->parent;
    const struct signal_action *action = &parent->signals->actions[SIGCHLD - 1];
    struct signal_record record = child_record(child);

    if (child->exit_signal)
        signal_send_locked(parent, child->exit_signal, &record);
    wake_all(&parent->child_event);
    return child->exit_signal == SIGCHLD &&
           (action->handler == SIGNAL_IGNORE || (action->flags & SA_NOCLDWAIT));
}

/* Give the children of an ending process to init, zombies included. */
static void reparent_children_locked(struct process *process)
{
    struct process *init = process_find_locked(INIT_PID), *child;

    while ((child = TAILQ_FIRST(&process->children)) != NULL) {
        TAILQ_REMOVE(&process->children, child, sibling);
        TAILQ_INSERT_TAIL(&init->children, child, sibling);
        child->parent = init;
        child->exit_signal = SIGCHLD;
        if (child->state == PROCESS_ZOMBIE && notify_parent_locked(child)) {
            process_leave_locked(child);
            process_free(child);
        }
    }
}

void process_exit(int wait_status)
{
    struct process *process = current();
    bool irq;

    if (process->pid == INIT_PID)
        shutdown_power_off(wait_status);
    give_back_memory(process);
    give_back_files(process);

    irq = spin_lock_irq(&process_lock);
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

struct wait_request {
    struct process *parent;
    int pid; /* as wait4(2) has it */
    int options;
    struct process *ended; /* out: a zombie, taken out of the table; NULL: none so far */
    bool hopeless;         /* out: there is no child to wait for */
};

/* Is this child one that the request asks for? */
static bool request_wants(const struct wait_request *request, const struct process *child)
{
    bool is_clone = child->exit_signal != SIGCHLD;

    if (!(request->options & __WALL) && is_clone != !!(request->options & __WCLONE))
        return false;
    if (request->pid > 0)
        return child->pid == request->pid;
    if (request->pid == -1)
        return true;
    return child->pgid == (request->pid == 0 ? request->parent->pgid : -request->pid);
}

/* Condition of the wait: a child has ended, and is taken; or there is none to wait for. */
static bool take_ended_child(void *arg)
{
    struct wait_request *request = arg;
    struct process *child;
    bool irq = spin_lock_irq(&process_lock);

    request->hopeless = true;
    TAILQ_FOREACH(child, &request->parent->children, sibling) {
        if (!request_wants(request, child))
            continue;
        request->hopeless = false;
        if (child->state == PROCESS_ZOMBIE) {
            process_leave_locked(child);
            usage_collect_locked(&request->parent->child_usage, child);
            request->ended = child;
            break;
        }
    }
    spin_unlock_irq(&process_lock, irq);
    return request->hopeless || request->ended;
}

/* Tell the caller of wait4 about its child. As in Linux, the child is gone even where that fails. */
static int report_child(const struct process *child, vaddr_t status, vaddr_t rusage_address)
{
    struct process_usage both = { 0 };
    struct rusage rusage;

    if (status && copy_to_user(status, &child->wait_status, sizeof(child->wait_status)))
        return -EFAULT;
    if (!rusage_address)
        return 0;
    usage_collect_locked(&both, child);
    usage_to_rusage(&both, &rusage);
    return copy_to_user(rusage_address, &rusage, sizeof(rusage));
}

/* wait4(2): pid, int *status, options, struct rusage *. */
int64_t sys_wait4(const struct syscall_args *args)
{
    struct wait_request request = {
        .parent = current(),
        .pid = (int)args->arg[0],
        .options = (int)args->arg[2],
    };
    int64_t result;
    int error;

    if (request.options & ~WAIT_OPTIONS)
        return -EINVAL;
    if (request.pid == INT_MIN)
        return -ESRCH;
    if (request.options & WNOHANG) {
        if (!take_ended_child(&request))
            return 0;
    } else {
        error = wait_until(&request.parent->child_event, take_ended_child, &request, WAIT_INTERRUPTIBLE, 0);
        if (error)
            return error;
    }
    if (!request.ended)
        return -ECHILD;
    error = report_child(request.ended, args->arg[1], args->arg[3]);
    result = error ? error : request.ended->pid;
    process_free(request.ended);
    return result;
}
