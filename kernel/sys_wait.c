// SPDX-License-Identifier: MIT
/*
 * sys_wait.c: waiting for children: their end, their stops and continuations (wait(2), waitid(2), wait4(2)).
 *
 * A child that has ended is freed by the wait that tells of it, unless WNOWAIT leaves it for another. A stop
 * and a continuation are told once each.
 */
#include <linux/wait.h>

#include "kernel/job.h"
#include "kernel/lib/errno.h"
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "kernel/usage.h"
#include "mm/usercopy.h"

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE)
#define WAITID_OPTIONS (WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE)

#define STATUS_STOPPED 0x7f /* with the signal above */
#define STATUS_CONTINUED 0xffff

struct wait_request {
    struct process *parent; /* a leader */
    enum { WANT_ANY, WANT_PID, WANT_GROUP } which;
    int number;  /* the pid or group */
    bool is_nonblocking; /* by its descriptor: -EAGAIN rather than nothing */
    int options; /* WEXITED, WSTOPPED, WCONTINUED say what is waited for */

    /* out */
    bool is_hopeless; /* there is no child to wait for */
    int pid;          /* 0: none so far */
    int status;       /* as wait4(2) gives it */
    struct signal_record record; /* as waitid(2) gives it */
    struct process_usage usage;
    struct process *ended; /* a zombie taken out of the table, to be freed */
};

/* Is this child one that the request asks for? */
static bool request_wants(const struct wait_request *request, const struct process *child)
{
    bool is_clone = child->exit_signal != SIGCHLD;

    if ((request->options & __WNOTHREAD) && child->parent_thread != current())
        return false;
    if (!(request->options & __WALL) && is_clone != !!(request->options & __WCLONE))
        return false;
    switch (request->which) {
    case WANT_PID:
        return child->pid == request->number;
    case WANT_GROUP:
        return child->pgid == request->number;
    default:
        return true;
    }
}

static void take_locked(struct wait_request *request, const struct process *child, int status, int code,
                        int what)
{
    request->pid = child->pid;
    request->status = status;
    request->record = job_child_record(child, code, what);
    usage_total_locked(child, &request->usage);
    usage_add(&request->usage, &child->child_usage);
}

static void take_end_locked(struct wait_request *request, struct process *child)
{
    int signal = child->wait_status & 0x7f;

    take_locked(request, child, child->wait_status, signal ? job_killed_code(child->wait_status) : CLD_EXITED,
                signal ? signal : child->wait_status >> 8);
    if (request->options & WNOWAIT)
        return;
    process_leave_locked(child);
    usage_add(&request->parent->child_usage, &request->usage);
    request->ended = child;
}

/* Has this child something to tell that the request asks for? Then it is told. */
static bool take_news_locked(struct wait_request *request, struct process *child)
{
    bool keep = request->options & WNOWAIT;

    if (process_has_ended(child)) {
        if (!(request->options & WEXITED))
            return false;
        take_end_locked(request, child);
    } else if ((request->options & WSTOPPED) && child->stop_unreported) {
        child->stop_unreported = keep;
        take_locked(request, child, child->stop_signal << 8 | STATUS_STOPPED, CLD_STOPPED,
                    child->stop_signal);
    } else if ((request->options & WCONTINUED) && child->continue_unreported) {
        child->continue_unreported = keep;
        take_locked(request, child, STATUS_CONTINUED, CLD_CONTINUED, SIGCONT);
    } else {
        return false;
    }
    return true;
}

/* Condition of the wait: a child has news, or none will ever have. */
static bool take_news(void *arg)
{
    struct wait_request *request = arg;
    struct process *child;
    bool irq = spin_lock_irq(&process_lock);

    request->is_hopeless = true;
    TAILQ_FOREACH(child, &request->parent->children, sibling) {
        if (!request_wants(request, child))
            continue;
        if (!process_has_ended(child) || (request->options & WEXITED))
            request->is_hopeless = false;
        if (take_news_locked(request, child))
            break;
    }
    spin_unlock_irq(&process_lock, irq);
    return request->is_hopeless || request->pid;
}

/* 0: see request->pid, which is 0 if WNOHANG found nothing. Else -ECHILD or -ERESTARTSYS. */
static int wait_for_news(struct wait_request *request)
{
    int error = 0;

    if (request->options & WNOHANG)
        (void)take_news(request);
    else
        error = wait_until(&request->parent->child_event, take_news, request, WAIT_INTERRUPTIBLE, 0);
    if (!error && !request->pid && request->is_hopeless)
        error = -ECHILD;
    if (request->ended)
        process_free(request->ended);
    return error;
}

static int put_rusage(const struct process_usage *usage, vaddr_t address)
{
    struct rusage rusage;

    if (!address)
        return 0;
    usage_to_rusage(usage, &rusage);
    return copy_to_user(address, &rusage, sizeof(rusage));
}

/*
 * wait4(2): pid, int *status, options, struct rusage *. As in Linux, a child is gone even where telling
 * fails.
 */
int64_t sys_wait4(const struct syscall_args *args)
{
    int pid = (int)args->arg[0], options = (int)args->arg[2], error;
    struct wait_request request = {
        .parent = current()->leader,
        .which = pid == -1 ? WANT_ANY : pid > 0 ? WANT_PID : WANT_GROUP,
        .options = options | WEXITED,
    };

    if (options & ~WAIT4_OPTIONS)
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    request.number = pid > 0 ? pid : pid == 0 ? request.parent->pgid : -pid;
    error = wait_for_news(&request);
    if (error || !request.pid)
        return error;
    if (args->arg[1] && copy_to_user(args->arg[1], &request.status, sizeof(request.status)))
        return -EFAULT;
    error = put_rusage(&request.usage, args->arg[3]);
    return error ? error : request.pid;
}

/* A descriptor that was opened not to wait makes the call one with WNOHANG. */
static int resolve_pidfd(struct wait_request *request, int fd)
{
    struct process *process;
    bool irq = spin_lock_irq(&process_lock);
    int error = pidfd_resolve(fd, &process, &request->is_nonblocking);

    if (!error)
        request->number = process ? process->pid : 0; /* 0: nobody's */
    spin_unlock_irq(&process_lock, irq);
    if (request->is_nonblocking)
        request->options |= WNOHANG;
    return error;
}

/* Which children waitid(2) means: 0, -EINVAL, -EBADF. */
static int waitid_which(struct wait_request *request, int type, int id)
{
    request->number = id;
    switch (type) {
    case P_ALL:
        request->which = WANT_ANY;
        return 0;
    case P_PID:
        request->which = WANT_PID;
        return id > 0 ? 0 : -EINVAL;
    case P_PGID:
        request->which = WANT_GROUP;
        request->number = id ? id : request->parent->pgid;
        return id >= 0 ? 0 : -EINVAL;
    case P_PIDFD:
        request->which = WANT_PID;
        return id >= 0 ? resolve_pidfd(request, id) : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* Linux writes these fields of a siginfo_t alone, all 0 if there is no news. */
static int put_info(const struct wait_request *request, vaddr_t address)
{
    siginfo_t info;

    if (!address)
        return 0;
    if (copy_from_user(&info, address, sizeof(info)))
        return -EFAULT;
    info.si_signo = request->pid ? SIGCHLD : 0;
    info.si_errno = 0;
    info.si_code = request->record.si_code;
    info.si_pid = request->record.si_pid;
    info.si_uid = request->record.si_uid;
    info.si_status = request->record.si_status;
    return copy_to_user(address, &info, sizeof(info));
}

/* waitid(2): type, id, siginfo_t *, options, struct rusage *. */
int64_t sys_waitid(const struct syscall_args *args)
{
    struct wait_request request = { .parent = current()->leader, .options = (int)args->arg[3] };
    int error;

    if ((request.options & ~WAITID_OPTIONS) || !(request.options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    error = waitid_which(&request, (int)args->arg[0], (int)args->arg[1]);
    if (!error)
        error = wait_for_news(&request);
    if (error)
        return error;
    if (!request.pid && request.is_nonblocking && !(args->arg[3] & WNOHANG))
        return -EAGAIN;
    if (request.pid && put_rusage(&request.usage, args->arg[4]))
        return -EFAULT;
    return put_info(&request, args->arg[2]);
}
