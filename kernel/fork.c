// SPDX-License-Identifier: MIT
/*
 * fork.c: fork, vfork, and clone as far as it makes processes.
 *
 * The child gets its own copy of everything by the call that its owner offers for it (files_clone,
 * aspace_fork, signal_inherit); none of the parent's memory is copied here. With CLONE_VM it shares the
 * parent's address space; with CLONE_VFORK the parent sleeps until the child has exec'ed or ended. Threads
 * are not built: the flags that would make one are refused with EINVAL.
 *
 * Until process_enter() nobody knows the child, so a failure only has to give back, in reverse, what was
 * taken.
 */
#include <linux/sched.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define CLONE_BUILT                                                                                    \
    (CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

struct fork_request {
    uint64_t flags; /* CLONE_*, and the exit signal in CSIGNAL */
    vaddr_t stack;  /* the child's stack pointer; 0: the parent's */
    vaddr_t parent_tid, child_tid;
};

/*
 * The child's first steps on its own kernel stack; user mode comes next. As in Linux, a bad address is the
 * caller's loss.
 */
static void fork_first(void)
{
    struct process *child = current();

    sched_start();
    if (child->set_child_tid)
        (void)!copy_to_user(child->set_child_tid, &child->pid, sizeof(child->pid));
}

/* What is copied as it is, and cannot fail. References on inodes are the child's. */
static void inherit(struct process *child, const struct process *parent, const struct fork_request *request)
{
    memcpy(child->name, parent->name, sizeof(child->name));
    memcpy(child->limits, parent->limits, sizeof(child->limits));
    child->umask = parent->umask;
    child->fs_base = parent->fs_base;
    child->cwd = inode_get(parent->cwd);
    child->exe = inode_get(parent->exe);
    child->exit_signal = request->flags & CSIGNAL;
    child->set_child_tid = request->flags & CLONE_CHILD_SETTID ? request->child_tid : 0;
    child->clear_child_tid = request->flags & CLONE_CHILD_CLEARTID ? request->child_tid : 0;
    child->start_time = clock_nanoseconds();
    signal_inherit(child->signals, parent->signals);
    if ((request->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        child->signals->alternate = (stack_t){ .ss_size = 0 }; /* two on one stack would be none */
    fpu_save(child->fpu);
    *child->user = *parent->user;
    child->user->rax = 0;
    if (request->stack)
        child->user->rsp = request->stack;
}

static int share_or_copy_aspace(struct process *child, struct process *parent, uint64_t flags)
{
    if (!(flags & CLONE_VM))
        return aspace_fork(parent->aspace, &child->aspace);
    child->aspace = aspace_get(parent->aspace);
    return 0;
}

/* The child, entered into the table but not yet in the run queue. 0, -ENOMEM or -EAGAIN, leaving no trace. */
static int make_child(struct process *parent, const struct fork_request *request, struct process **made)
{
    struct process *child = process_create(fork_first);
    int error = -ENOMEM;

    if (!child)
        return error;
    inherit(child, parent, request);
    child->files = files_clone(parent->files);
    if (!child->files)
        goto out_inherit;
    error = share_or_copy_aspace(child, parent, request->flags);
    if (error)
        goto out_files;
    error = process_enter(child, parent);
    if (error)
        goto out_aspace;
    *made = child;
    return 0;

out_aspace:
    aspace_put(child->aspace);
    child->aspace = NULL;
out_files:
    files_put(child->files);
    child->files = NULL;
out_inherit:
    inode_put(child->cwd);
    inode_put(child->exe);
    child->cwd = child->exe = NULL;
    process_free(child);
    return error;
}

static bool vfork_is_over(void *arg)
{
    struct process *parent = arg;

    return !READ_ONCE(parent->vfork_child);
}

static int64_t fork_process(const struct fork_request *request)
{
    struct process *parent = current(), *child;
    int pid, error = make_child(parent, request, &child);

    if (error)
        return error;
    process_figures.forks++;
    pid = child->pid;
    if (request->flags & CLONE_PARENT_SETTID) /* as above */
        (void)!copy_to_user(request->parent_tid, &pid, sizeof(pid));
    if (request->flags & CLONE_VFORK)
        parent->vfork_child = child;
    sched_enqueue(child); /* from here on the child may be gone at any moment */
    if (request->flags & CLONE_VFORK)
        error = wait_until(&parent->child_event, vfork_is_over, parent, WAIT_UNINTERRUPTIBLE, 0);
    return error ? error : pid;
}

int64_t sys_fork(const struct syscall_args *args)
{
    (void)args;
    return fork_process(&(struct fork_request){ .flags = SIGCHLD });
}

int64_t sys_vfork(const struct syscall_args *args)
{
    (void)args;
    return fork_process(&(struct fork_request){ .flags = CLONE_VM | CLONE_VFORK | SIGCHLD });
}

/* clone(2): flags, stack, parent_tid, child_tid, tls. */
int64_t sys_clone(const struct syscall_args *args)
{
    struct fork_request request = {
        .flags = args->arg[0],
        .stack = args->arg[1],
        .parent_tid = args->arg[2],
        .child_tid = args->arg[3],
    };

    if ((request.flags & ~(uint64_t)CLONE_BUILT) || (request.flags & CSIGNAL) > SIGNAL_COUNT)
        return -EINVAL;
    return fork_process(&request);
}
