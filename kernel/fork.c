// SPDX-License-Identifier: MIT
/*
 * fork.c: fork, vfork, clone and clone3: new processes, and new threads of the caller's.
 *
 * The child gets its own copy of everything by the call that its owner offers for it (files_clone,
 * standpoint_clone, aspace_fork, signal_actions_clone); none of the parent's memory is copied here. Instead of each
 * copy it can have what the parent has (CLONE_FILES, CLONE_FS, CLONE_VM, CLONE_SIGHAND); with CLONE_VFORK the parent sleeps until the child has exec'ed or ended. With
 * CLONE_THREAD the child is a thread of the caller's process and shares memory and signal actions with it; all that the
 * leader keeps for the process stays there.
 *
 * Until process_enter() nobody knows the child, so a failure only has to give back, in reverse, what was
 * taken.
 */
#include <linux/sched.h>

#include "kernel/exec.h"
#include "kernel/fs/file.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/pidfd.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/trace.h"
#include "mm/usercopy.h"

/*
 * The last four share or hide what no process has here: nobody traces, there are no System V semaphores and no
 * queues of input and output.
 */
#define CLONE_BUILT                                                                                    \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_VFORK | CLONE_PARENT |    \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |                   \
     CLONE_CLEAR_SIGHAND | CLONE_PIDFD | CLONE_PTRACE | CLONE_UNTRACED | CLONE_SYSVSEM | CLONE_IO)

struct fork_request {
    uint64_t flags; /* CLONE_* */
    int exit_signal;
    vaddr_t stack;  /* the child's stack pointer; 0: the parent's */
    vaddr_t parent_tid, child_tid, tls;
    vaddr_t pidfd; /* where to put the descriptor for CLONE_PIDFD */
    int pid;       /* the pid it shall have; 0: any */
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

/* SCHED_RESET_ON_FORK: the child is an ordinary process (sched(7)). */
static void inherit_policy(struct process *child, const struct process *parent)
{
    bool is_real_time = parent->policy == SCHED_FIFO || parent->policy == SCHED_RR;

    child->nice = parent->resets_on_fork ? MAX(parent->nice, 0) : parent->nice;
    child->policy = parent->resets_on_fork && is_real_time ? SCHED_NORMAL : parent->policy;
    child->priority = parent->resets_on_fork ? 0 : parent->priority;
}

/* What is copied as it is, and cannot fail. References on inodes are the child's. */
static void inherit(struct process *child, const struct process *parent, const struct fork_request *request)
{
    memcpy(child->name, parent->name, sizeof(child->name));
    child->credentials = parent->credentials;
    (void)group_list_get(child->credentials.groups);
    inherit_policy(child, parent);
    child->has_no_tsc = parent->has_no_tsc;
    child->has_no_new_privileges = parent->has_no_new_privileges;
    child->persona = parent->persona;
    child->timer_slack = parent->timer_slack;
    child->fs_base = request->flags & CLONE_SETTLS ? request->tls : parent->fs_base;
    child->gs_base = parent->gs_base;
    child->exe = executable_get_again(parent->exe);
    child->rseq = request->flags & CLONE_VM ? 0 : parent->rseq; /* two in one place would be none */
    child->rseq_signature = parent->rseq_signature;
    child->set_child_tid = request->flags & CLONE_CHILD_SETTID ? request->child_tid : 0;
    child->clear_child_tid = request->flags & CLONE_CHILD_CLEARTID ? request->child_tid : 0;
    signal_inherit(child->signals, parent->signals);
    if (request->flags & CLONE_CLEAR_SIGHAND)
        signal_reset_actions(child->signals);
    if ((request->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        child->signals->alternate = (stack_t){ .ss_size = 0 }; /* two on one stack would be none */
    fpu_save(child->fpu);
    *child->user = *parent->user;
    child->user->rax = 0;
    if (request->stack)
        child->user->rsp = request->stack;
}

/* What a new process has of that of `leader`; a thread has no part in it. */
static void inherit_process(struct process *child, const struct process *leader, const struct fork_request *request)
{
    memcpy(child->limits, leader->limits, sizeof(child->limits));
    child->is_dumpable = leader->is_dumpable;
    child->has_no_huge_pages = leader->has_no_huge_pages;
    child->barriers = leader->barriers;
    child->oom_score_adj = leader->oom_score_adj;
    child->oom_score_adj_min = leader->oom_score_adj_min;
    child->exit_signal = request->exit_signal;
}

static int share_or_copy_aspace(struct process *child, struct process *parent, uint64_t flags)
{
    if (!(flags & CLONE_VM))
        return aspace_fork(parent->aspace, &child->aspace);
    child->aspace = aspace_get(parent->aspace);
    return 0;
}

/* Descriptors, directories and memory. 0 or a negative errno, leaving what give_back() puts. */
static int share_or_copy(struct process *child, struct process *parent, uint64_t flags)
{
    child->files = flags & CLONE_FILES ? files_share(parent->files) : files_clone(parent->files);
    child->standpoint = flags & CLONE_FS ? standpoint_share(parent->standpoint)
                                         : standpoint_clone(parent->standpoint);
    if (!child->files || !child->standpoint)
        return -ENOMEM;
    return share_or_copy_aspace(child, parent, flags);
}

/* A child that nobody knows goes, with all that it has so far. */
static void give_back(struct process *child)
{
    if (child->aspace)
        aspace_put(child->aspace);
    if (child->files)
        files_put(child->files);
    if (child->standpoint)
        standpoint_put(child->standpoint);
    executable_put(child->exe);
    child->aspace = NULL;
    child->files = NULL;
    child->standpoint = NULL;
    child->exe = NULL;
    process_free(child);
}

/*
 * Whose child it becomes: with CLONE_PARENT, the caller's parent's, and its exit signal is the caller's. Init
 * has no parent to share.
 */
static struct process *parent_of_child(struct process *child, struct process *caller, uint64_t flags)
{
    if (!(flags & CLONE_PARENT))
        return caller;
    child->exit_signal = caller->exit_signal;
    return caller->parent;
}

/* The complete child, into the table. 0, -EAGAIN or -EEXIST. */
static int enter_child(struct process *child, const struct process *parent, const struct fork_request *request)
{
    struct process *leader = parent->leader;

    if (request->flags & CLONE_THREAD)
        return process_enter_thread(child, leader);
    inherit_process(child, leader, request);
    return process_enter(child, parent_of_child(child, leader, request->flags));
}

/* RLIMIT_NPROC: the privileged and those whose real user is 0 are free of it (getrlimit(2)). */
static bool has_too_many_processes(const struct process *process)
{
    uint64_t limit = process->leader->limits[RLIMIT_NPROC].rlim_cur;
    uint32_t user = process->credentials.user.real;

    return limit != RLIM64_INFINITY && user != 0 && !credentials_are_privileged(&process->credentials) &&
           process_count_of_user(user) >= limit;
}

/* It goes again. Who shares the descriptors may have moved it meanwhile: then it means nobody. */
static void take_pidfd(struct process *child, int fd)
{
    struct process *meant = NULL;
    bool is_nonblocking, irq = spin_lock_irq(&process_lock);
    bool is_there = !pidfd_resolve(fd, &meant, &is_nonblocking) && meant == child;

    pidfd_forget_locked(child);
    spin_unlock_irq(&process_lock, irq);
    if (is_there)
        (void)!files_close(fd);
}

/* CLONE_PIDFD: a descriptor for the child, told to the caller. The descriptor, or a negative errno. */
static int give_pidfd(struct process *child, vaddr_t address)
{
    int fd = pidfd_for_child(child);

    if (fd >= 0 && copy_to_user(address, &fd, sizeof(fd))) {
        take_pidfd(child, fd);
        return -EFAULT;
    }
    return fd;
}

/* The child, entered into the table but not yet in the run queue. 0, or a negative errno, leaving no trace. */
static int make_child(struct process *parent, const struct fork_request *request, struct process **made)
{
    struct signal_actions *actions = parent->signals->actions;
    struct process *child = process_create(fork_first, request->flags & CLONE_SIGHAND ? signal_actions_share(actions)
                                                                                      : signal_actions_clone(actions));
    int error = -ENOMEM, fd = -1;

    if (!child)
        return error;
    child->pid = request->pid;
    inherit(child, parent, request);
    error = share_or_copy(child, parent, request->flags);
    if (!error && request->flags & CLONE_PIDFD)
        error = fd = give_pidfd(child, request->pidfd);
    if (error >= 0)
        error = enter_child(child, parent, request);
    if (error) {
        if (fd >= 0)
            take_pidfd(child, fd);
        give_back(child);
        return error;
    }
    *made = child;
    return 0;
}

static bool vfork_is_over(void *arg)
{
    struct process *parent = arg;

    return !READ_ONCE(parent->vfork_child);
}

/* Only a signal that ends the parent cuts this short, as in Linux. */
static void wait_for_vfork(struct process *parent)
{
    bool irq;

    if (!wait_until(&parent->child_event, vfork_is_over, parent, WAIT_KILLABLE, 0))
        return;
    irq = spin_lock_irq(&process_lock);
    if (parent->vfork_child)
        parent->vfork_child->vfork_parent = NULL;
    parent->vfork_child = NULL;
    spin_unlock_irq(&process_lock, irq);
}

static int64_t fork_process(const struct fork_request *request)
{
    struct process *parent = current(), *child;
    int pid, error;

    if (has_too_many_processes(parent) || process_figures.count >= (unsigned)process_limit)
        return -EAGAIN;
    error = make_child(parent, request, &child);
    if (error)
        return error;
    process_figures.forks++;
    pid = child->pid;
    if (unlikely(trace_is_on))
        trace_record(TRACE_CHILD, &child->aspace->tree)->process.pid = (uint32_t)pid;
    if (request->flags & CLONE_PARENT_SETTID) /* as above */
        (void)!copy_to_user(request->parent_tid, &pid, sizeof(pid));
    if (request->flags & CLONE_VFORK) {
        parent->vfork_child = child;
        child->vfork_parent = parent;
    }
    sched_enqueue(child); /* from here on the child may be gone at any moment */
    if (request->flags & CLONE_VFORK)
        wait_for_vfork(parent);
    return pid;
}

int64_t sys_fork(const struct syscall_args *args)
{
    (void)args;
    return fork_process(&(struct fork_request){ .exit_signal = SIGCHLD });
}

int64_t sys_vfork(const struct syscall_args *args)
{
    (void)args;
    return fork_process(&(struct fork_request){ .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD });
}

/* What can be made of these flags? 0 or -EINVAL. */
static int check_request(const struct fork_request *request)
{
    if (request->flags & ~(uint64_t)CLONE_BUILT)
        return -EINVAL;
    if ((request->flags & CLONE_SIGHAND) && !(request->flags & CLONE_VM))
        return -EINVAL;
    if ((request->flags & CLONE_SIGHAND) && (request->flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((request->flags & CLONE_THREAD) && (!(request->flags & CLONE_SIGHAND) || request->flags & CLONE_PIDFD))
        return -EINVAL;
    if ((request->flags & CLONE_PARENT) && !current()->leader->parent)
        return -EINVAL;
    return (request->flags & CLONE_SETTLS) && request->tls >= USER_END ? -EPERM : 0;
}

/*
 * clone(2): flags, stack, parent_tid (where CLONE_PIDFD puts its descriptor, too), child_tid, tls. CLONE_DETACHED has
 * no meaning any more.
 */
int64_t sys_clone(const struct syscall_args *args)
{
    struct fork_request request = {
        .flags = (uint32_t)args->arg[0] & ~(uint64_t)(CSIGNAL | CLONE_DETACHED),
        .exit_signal = args->arg[0] & CSIGNAL,
        .stack = args->arg[1],
        .parent_tid = args->arg[2],
        .child_tid = args->arg[3],
        .tls = args->arg[4],
    };
    int error = check_request(&request);

    if (request.flags & CLONE_PIDFD) {
        if (args->arg[0] & (CLONE_PARENT_SETTID | CLONE_DETACHED))
            return -EINVAL;
        request.pidfd = request.parent_tid;
    }
    return error ? error : fork_process(&request);
}

/* Fetch clone3(2)'s structure, which may be of an older or a newer make: 0, -EINVAL, -E2BIG, -EFAULT. */
static int fetch_clone_args(vaddr_t address, uint64_t size, struct clone_args *fetched)
{
    uint8_t byte;

    *fetched = (struct clone_args){ 0 };
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    for (uint64_t at = sizeof(*fetched); at < size; at++) {
        if (copy_from_user(&byte, address + at, 1))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return copy_from_user(fetched, address, MIN(size, sizeof(*fetched)));
}

#define SET_TID_MAX 32 /* pid namespaces in one another, of which there is one */

/* May the caller choose the child's pid (clone3(2), set_tid)? Then it is fetched. */
static int fetch_pid(const struct clone_args *wanted, int *pid)
{
    *pid = 0;
    if (wanted->set_tid_size > SET_TID_MAX || !wanted->set_tid != !wanted->set_tid_size)
        return -EINVAL;
    if (!wanted->set_tid)
        return 0;
    if (copy_from_user(pid, wanted->set_tid, sizeof(*pid)))
        return -EFAULT;
    if (wanted->set_tid_size > 1 || *pid < 1 || *pid >= PID_MAX)
        return -EINVAL;
    return credentials_are_privileged(&current()->credentials) ? 0 : -EPERM;
}

/* Do its parts fit together? */
static bool clone_args_are_valid(const struct clone_args *wanted)
{
    if (wanted->exit_signal > SIGNAL_COUNT || (wanted->flags & (CLONE_DETACHED | CSIGNAL)))
        return false;
    if ((wanted->flags & (CLONE_PARENT | CLONE_THREAD)) && wanted->exit_signal)
        return false;
    if ((wanted->flags & CLONE_PIDFD) && (wanted->flags & CLONE_PARENT_SETTID) &&
        wanted->pidfd == wanted->parent_tid)
        return false;
    return !wanted->stack == !wanted->stack_size && wanted->stack <= USER_END &&
           wanted->stack_size <= USER_END - wanted->stack;
}

/* clone3(2): struct clone_args *, size. */
int64_t sys_clone3(const struct syscall_args *args)
{
    struct clone_args wanted;
    struct fork_request request;
    int error = fetch_clone_args(args->arg[0], args->arg[1], &wanted), pid;

    if (!error)
        error = fetch_pid(&wanted, &pid);
    if (error)
        return error;
    if (!clone_args_are_valid(&wanted))
        return -EINVAL;
    request = (struct fork_request){
        .flags = wanted.flags,
        .exit_signal = (int)wanted.exit_signal,
        .stack = wanted.stack + wanted.stack_size,
        .parent_tid = wanted.parent_tid,
        .child_tid = wanted.child_tid,
        .tls = wanted.tls,
        .pidfd = wanted.pidfd,
        .pid = pid,
    };
    error = check_request(&request);
    return error ? error : fork_process(&request);
}
