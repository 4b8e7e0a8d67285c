// SPDX-License-Identifier: MIT
/*
 * sys_kill.c: the system calls that send signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2),
 * pidfd_send_signal(2).
 *
 * A real-time signal wants a queue entry for each process it goes to, and entries are made before process_lock
 * is taken: so whoever sends to many counts them first, and once more when the entries are there.
 */
#include "kernel/lib/errno.h"
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

struct sending {
    int number; /* 0: only look */
    bool to_thread; /* to one thread, not its process */
    int tgid;       /* of the process that the thread has to be of; 0: any */
    struct signal_record record;
    struct signal_queue spare; /* entries for those it will go to; empty: a standard signal, or no memory */
    unsigned spares;
};

/* Make entries up to `wanted`. False: memory is out. */
static bool spares_make(struct sending *sending, unsigned wanted)
{
    while (sending->spares < wanted) {
        struct signal_entry *entry = signal_entry_create();

        if (!entry)
            return false;
        TAILQ_INSERT_HEAD(&sending->spare, entry, link);
        sending->spares++;
    }
    return true;
}

static struct signal_entry *spare_take(struct sending *sending)
{
    struct signal_entry *entry = TAILQ_FIRST(&sending->spare);

    if (entry) {
        TAILQ_REMOVE(&sending->spare, entry, link);
        sending->spares--;
    }
    return entry;
}

static void spares_free(struct sending *sending)
{
    struct signal_entry *entry;

    while ((entry = spare_take(sending)) != NULL)
        signal_entry_free(entry);
}

/* May the caller send it to this process? 0 or -EPERM. SIGCONT may go anywhere in the session. */
static int check_permission_locked(const struct sending *sending, const struct process *target)
{
    const struct process *caller = current();

    if (credentials_allow_signal(&caller->credentials, &target->credentials))
        return 0;
    return sending->number == SIGCONT && caller->leader->sid == target->leader->sid ? 0 : -EPERM;
}

/* Is the user's share of queue entries used up (RLIMIT_SIGPENDING of the target)? */
static bool is_over_limit_locked(const struct process *target)
{
    uint64_t limit = target->leader->limits[RLIMIT_SIGPENDING].rlim_cur;

    return limit != RLIM64_INFINITY && signal_queued_of_user_locked(target->credentials.user.real) >= limit;
}

/* Was the entry used? */
static bool pass_on_locked(const struct sending *sending, struct process *target, struct signal_entry *entry)
{
    if (sending->to_thread)
        return signal_send_thread_locked(target, sending->number, &sending->record, entry);
    return signal_send_locked(target, sending->number, &sending->record, entry);
}

/* Where there is no entry to be had, a kill(2) goes on without; what carries data is refused. */
static int send_real_time_locked(struct sending *sending, struct process *target)
{
    struct signal_entry *entry = is_over_limit_locked(target) ? NULL : spare_take(sending);

    if (!entry && sending->record.si_code != SI_USER)
        return -EAGAIN;
    if (!pass_on_locked(sending, target, entry) && entry) {
        TAILQ_INSERT_HEAD(&sending->spare, entry, link);
        sending->spares++;
    }
    return 0;
}

static int send_locked(struct sending *sending, struct process *target)
{
    int error;

    if (sending->number && !signal_is_valid(sending->number))
        return -EINVAL;
    error = check_permission_locked(sending, target);
    if (error || !sending->number)
        return error;
    if (sending->number >= SIGNAL_REAL_TIME)
        return send_real_time_locked(sending, target);
    (void)pass_on_locked(sending, target, NULL);
    return 0;
}

static int send_one(struct sending *sending, int pid)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = process_find_locked(pid);
    bool is_meant = process && (!sending->tgid || process->leader->pid == sending->tgid);
    int result = is_meant ? send_locked(sending, process) : -ESRCH;

    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* Does kill(pid) mean this process? `pid` is not positive. */
static bool kill_means(int pid, const struct process *process)
{
    if (pid == -1)
        return process->pid != INIT_PID && process_is_leader(process) && process != current()->leader;
    return process->pgid == (pid == 0 ? current()->leader->pgid : -pid);
}

static unsigned count_meant_locked(int pid)
{
    const struct process *process;
    unsigned count = 0;

    TAILQ_FOREACH(process, &process_table, all)
        count += kill_means(pid, process);
    return count;
}

/* Take process_lock with an entry for each that is meant, or with as many as memory gives. */
static bool lock_with_spares(struct sending *sending, int pid)
{
    bool irq = spin_lock_irq(&process_lock);
    unsigned count = sending->number < SIGNAL_REAL_TIME ? 0 : count_meant_locked(pid);

    while (sending->spares < count) {
        bool made;

        spin_unlock_irq(&process_lock, irq);
        made = spares_make(sending, count);
        irq = spin_lock_irq(&process_lock);
        if (!made)
            break;
        count = count_meant_locked(pid); /* there may be more of them by now */
    }
    return irq;
}

/* It succeeds if it reached one of them; to all there are (-1) also if it may reach none, as in Linux. */
static int send_many(struct sending *sending, int pid)
{
    struct process *process;
    int result = -ESRCH;
    bool irq = lock_with_spares(sending, pid);

    TAILQ_FOREACH(process, &process_table, all) {
        int error;

        if (!kill_means(pid, process))
            continue;
        error = send_locked(sending, process);
        if (pid == -1 && error == -EPERM)
            error = 0;
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

    if (pid == INT_MIN)
        return -ESRCH;
    TAILQ_INIT(&sending->spare);
    if (pid > 0 && sending->number >= SIGNAL_REAL_TIME)
        (void)spares_make(sending, 1);
    result = pid > 0 ? send_one(sending, pid) : send_many(sending, pid);
    spares_free(sending);
    return result;
}

static struct signal_record record_from_user(int code)
{
    struct signal_record record = { .si_code = code };

    record.si_pid = current()->leader->pid;
    record.si_uid = current()->credentials.user.real;
    return record;
}

/* kill(2): pid, signal. The number of any thread means its process. */
int64_t sys_kill(const struct syscall_args *args)
{
    struct sending sending = { .number = (int)args->arg[1], .record = record_from_user(SI_USER) };

    return send(&sending, (int)args->arg[0]);
}

static int64_t send_to_thread(int tgid, int tid, int number)
{
    struct sending sending = {
        .number = number,
        .to_thread = true,
        .tgid = tgid,
        .record = record_from_user(SI_TKILL),
    };

    return send(&sending, tid);
}

/* tkill(2): tid, signal. */
int64_t sys_tkill(const struct syscall_args *args)
{
    int tid = (int)args->arg[0];

    return tid > 0 ? send_to_thread(0, tid, (int)args->arg[1]) : -EINVAL;
}

/* tgkill(2): tgid, tid, signal. */
int64_t sys_tgkill(const struct syscall_args *args)
{
    int tgid = (int)args->arg[0], tid = (int)args->arg[1];

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return send_to_thread(tgid, tid, (int)args->arg[2]);
}

/*
 * Send with a siginfo_t of the caller's making, to one process or thread. To another than itself it may not pretend to
 * come from the kernel, from kill(2) or from tkill(2).
 */
static int64_t queue_info(struct sending *sending, int pid, vaddr_t address)
{
    if (copy_from_user(&sending->record, address, sizeof(sending->record)))
        return -EFAULT;
    if ((sending->record.si_code >= 0 || sending->record.si_code == SI_TKILL) && pid != current()->pid)
        return -EPERM;
    return pid > 0 ? send(sending, pid) : -ESRCH;
}

/* rt_sigqueueinfo(2): pid, signal, const siginfo_t *. */
int64_t sys_rt_sigqueueinfo(const struct syscall_args *args)
{
    struct sending sending = { .number = (int)args->arg[1] };

    return queue_info(&sending, (int)args->arg[0], args->arg[2]);
}

/* rt_tgsigqueueinfo(2): tgid, tid, signal, const siginfo_t *. */
int64_t sys_rt_tgsigqueueinfo(const struct syscall_args *args)
{
    int tgid = (int)args->arg[0], tid = (int)args->arg[1];
    struct sending sending = { .number = (int)args->arg[2], .to_thread = true, .tgid = tgid };

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return queue_info(&sending, tid, args->arg[3]);
}

/* A siginfo_t of the caller's making: about the signal that is sent, and forged only for himself. */
static int check_record(const struct sending *sending, const struct process *target)
{
    const struct signal_record *record = &sending->record;

    if (record->si_signo != sending->number)
        return -EINVAL;
    return target != current()->leader && (record->si_code >= 0 || record->si_code == SI_TKILL) ? -EPERM : 0;
}

static int send_to_pidfd_locked(struct sending *sending, int fd, int fetch_error, bool is_forged)
{
    struct process *target;
    bool ignored;
    int error = pidfd_resolve(fd, &target, &ignored);

    if (!error)
        error = fetch_error;
    if (!error && is_forged)
        error = check_record(sending, target);
    if (error)
        return error;
    return target ? send_locked(sending, target) : -ESRCH;
}

/* pidfd_send_signal(2): descriptor, signal, const siginfo_t * (NULL: as kill(2)), flags. */
int64_t sys_pidfd_send_signal(const struct syscall_args *args)
{
    struct sending sending = { .number = (int)args->arg[1], .record = record_from_user(SI_USER) };
    int error = 0;
    bool irq;

    if (args->arg[3])
        return -EINVAL;
    if (args->arg[2])
        error = copy_from_user(&sending.record, args->arg[2], sizeof(sending.record));
    TAILQ_INIT(&sending.spare);
    if (sending.number >= SIGNAL_REAL_TIME)
        (void)spares_make(&sending, 1);
    irq = spin_lock_irq(&process_lock);
    error = send_to_pidfd_locked(&sending, (int)args->arg[0], error, args->arg[2]);
    spin_unlock_irq(&process_lock, irq);
    spares_free(&sending);
    return error;
}
