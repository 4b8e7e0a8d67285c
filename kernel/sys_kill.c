// SPDX-License-Identifier: MIT
/*
 * sys_kill.c: the system calls that send signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2).
 *
 * A real-time signal wants a queue entry, which is made before process_lock is taken. One that goes to many
 * processes at once (kill with pid 0, -1, -pgid) has one entry for the first of them; the others only find
 * the signal pending, without a word of who sent it.
 */
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

struct sending {
    int number; /* 0: only look */
    struct signal_record record;
    struct signal_entry *entry; /* NULL: a standard signal, used up, or no memory */
};

/* May the caller send it to this process? 0 or -EPERM. SIGCONT may go anywhere in the session. */
static int check_permission_locked(const struct sending *sending, const struct process *target)
{
    const struct process *caller = current();

    if (credentials_allow_signal(&caller->credentials, &target->credentials))
        return 0;
    return sending->number == SIGCONT && caller->sid == target->sid ? 0 : -EPERM;
}

/*
 * Is the user's share of queue entries used up (RLIMIT_SIGPENDING of the target)? A kill(2) goes on without
 * an entry then; what carries data is refused.
 */
static int check_limit_locked(struct sending *sending, const struct process *target)
{
    uint64_t limit = target->limits[RLIMIT_SIGPENDING].rlim_cur;
    bool over = limit != RLIM64_INFINITY &&
                signal_queued_of_user_locked(target->credentials.user.real) >= limit;

    if (sending->number < SIGNAL_REAL_TIME || (sending->entry && !over))
        return 0;
    if (sending->record.si_code != SI_USER)
        return -EAGAIN;
    signal_entry_free(sending->entry);
    sending->entry = NULL;
    return 0;
}

static int send_locked(struct sending *sending, struct process *target)
{
    int error = check_permission_locked(sending, target);

    if (error || !sending->number)
        return error;
    error = check_limit_locked(sending, target);
    if (!error && signal_send_locked(target, sending->number, &sending->record, sending->entry))
        sending->entry = NULL;
    return error;
}

static int send_one(struct sending *sending, int pid)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = process_find_locked(pid);
    int result = process ? send_locked(sending, process) : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* Does kill(pid) mean this process? `pid` is not positive. */
static bool kill_means(int pid, const struct process *process)
{
    if (pid == -1)
        return process->pid != INIT_PID && process != current();
    return process->pgid == (pid == 0 ? current()->pgid : -pid);
}

/* It succeeds if it reached one of them. */
static int send_many(struct sending *sending, int pid)
{
    struct process *process;
    int result = -ESRCH;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        int error;

        if (!kill_means(pid, process))
            continue;
        error = send_locked(sending, process);
        if (!error || result == -ESRCH)
            result = error;
    }
    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* Send to one process, or (pid 0, -1, -pgid) to many. */
static int send(struct sending *sending, int pid)
{
    int result;

    if (sending->number && !signal_is_valid(sending->number))
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    if (sending->number >= SIGNAL_REAL_TIME)
        sending->entry = signal_entry_create();
    result = pid > 0 ? send_one(sending, pid) : send_many(sending, pid);
    signal_entry_free(sending->entry);
    return result;
}

static int send_from_user(int pid, int number, int code)
{
    struct sending sending = { .number = number, .record = { .si_code = code } };

    sending.record.si_pid = current()->pid;
    sending.record.si_uid = current()->credentials.user.real;
    return send(&sending, pid);
}

/* kill(2): pid, signal. */
int64_t sys_kill(const struct syscall_args *args)
{
    return send_from_user((int)args->arg[0], (int)args->arg[1], SI_USER);
}

/* tkill(2): tid, signal. */
int64_t sys_tkill(const struct syscall_args *args)
{
    int tid = (int)args->arg[0];

    return tid > 0 ? send_from_user(tid, (int)args->arg[1], SI_TKILL) : -EINVAL;
}

/* tgkill(2): tgid, tid, signal. With one thread a process they are the same number. */
int64_t sys_tgkill(const struct syscall_args *args)
{
    int tgid = (int)args->arg[0], tid = (int)args->arg[1];

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return tgid == tid ? send_from_user(tid, (int)args->arg[2], SI_TKILL) : -ESRCH;
}

/*
 * Send with a siginfo_t of the caller's making. To another process it may not pretend to come from the
 * kernel, from kill(2) or from tkill(2).
 */
static int64_t queue_info(int pid, int number, vaddr_t address)
{
    struct sending sending = { .number = number };

    if (copy_from_user(&sending.record, address, sizeof(sending.record)))
        return -EFAULT;
    if ((sending.record.si_code >= 0 || sending.record.si_code == SI_TKILL) && pid != current()->pid)
        return -EPERM;
    return send(&sending, pid);
}

/* rt_sigqueueinfo(2): pid, signal, const siginfo_t *. */
int64_t sys_rt_sigqueueinfo(const struct syscall_args *args)
{
    int pid = (int)args->arg[0];

    return pid > 0 ? queue_info(pid, (int)args->arg[1], args->arg[2]) : -ESRCH;
}

/* rt_tgsigqueueinfo(2): tgid, tid, signal, const siginfo_t *. */
int64_t sys_rt_tgsigqueueinfo(const struct syscall_args *args)
{
    int tgid = (int)args->arg[0], tid = (int)args->arg[1];

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return tgid == tid ? queue_info(tid, (int)args->arg[2], args->arg[3]) : -ESRCH;
}
