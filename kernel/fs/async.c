// SPDX-License-Identifier: MIT
/*
 * async.c: who is told of an open file's readiness, and telling him.
 */
#include "kernel/fs/async.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"

static struct slab_cache async_cache = SLAB_CACHE_INIT(async_cache, "async", struct async);

/* ---- lists ---- */

static struct async *find_locked(struct async_list *list, const struct file *file)
{
    struct async *async;
    LIST_FOREACH(async, list, link)
        if (async->file == file)
            break;
    return async;
}

int async_add(struct async_list *list, struct file *file, int fd)
{
    struct async *new = slab_alloc(&async_cache);
    if (!new)
        return -ENOMEM;
    *new = (struct async){ .file = file, .fd = fd };
    bool irq = spin_lock_irq(&process_lock);
    struct async *there = find_locked(list, file);
    if (there)
        there->fd = fd;
    else
        LIST_INSERT_HEAD(list, new, link);
    spin_unlock_irq(&process_lock, irq);
    if (there)
        slab_free(&async_cache, new);
    return 0;
}

void async_remove(struct async_list *list, const struct file *file)
{
    bool irq = spin_lock_irq(&process_lock);
    struct async *async = find_locked(list, file);
    if (async)
        LIST_REMOVE(async, link);
    spin_unlock_irq(&process_lock, irq);
    if (async)
        slab_free(&async_cache, async);
}

int async_set(struct async_list *list, struct file *file, int fd)
{
    if (fd >= 0)
        return async_add(list, file, fd);
    async_remove(list, file);
    return 0;
}

/* ---- owners ---- */

/* Is this process what the owner means? process_lock is held. */
static bool owner_means_locked(const struct file_owner *owner, const struct process *process)
{
    if (process->is_kernel || !owner->number)
        return false;
    if (owner->kind == F_OWNER_PGRP)
        return process->pgid == owner->number;
    if (owner->kind == F_OWNER_PID && !process_is_leader(process))
        return false;
    return process->pid == owner->number && process->start_time == owner->since;
}

static bool owner_exists_locked(const struct file_owner *owner)
{
    const struct process *process;
    TAILQ_FOREACH(process, &process_table, all)
        if (owner_means_locked(owner, process))
            return true;
    return false;
}

/* The owner that a kind and a number name, set by the current process. Its signal is not set. */
static struct file_owner owner_make_locked(int kind, int number)
{
    const struct process *process = kind == F_OWNER_PGRP ? NULL : process_find_locked(number);
    return (struct file_owner){
        .kind = kind,
        .number = number,
        .since = process ? process->start_time : 0,
        .real = current()->credentials.user.real,
        .effective = current()->credentials.user.effective,
    };
}

int file_owner_set(struct file *file, int kind, int number)
{
    if (kind != F_OWNER_TID && kind != F_OWNER_PID && kind != F_OWNER_PGRP)
        return -EINVAL;
    bool irq = spin_lock_irq(&process_lock);
    struct file_owner owner = owner_make_locked(kind, number);
    int error = !number || owner_exists_locked(&owner) ? 0 : -ESRCH;
    owner.signal = file->owner.signal;
    if (!error)
        file->owner = owner;
    spin_unlock_irq(&process_lock, irq);
    return error;
}

int file_owner_get(const struct file *file)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct file_owner *owner = &file->owner;
    int number = owner_exists_locked(owner) ? owner->number : 0;
    spin_unlock_irq(&process_lock, irq);
    return owner->kind == F_OWNER_PGRP ? -number : number;
}

void file_owner_set_default(struct file *file, int kind, int number)
{
    if (!file->owner.number)
        (void)!file_owner_set(file, kind, number);
}

void file_owner_clear(struct file *file)
{
    bool irq = spin_lock_irq(&process_lock);
    file->owner.number = file->owner.signal = 0;
    spin_unlock_irq(&process_lock, irq);
}

/* ---- telling ---- */

/* Might the one who set the owner send this process a signal? */
static bool owner_may_signal(const struct file_owner *owner, const struct process *target)
{
    const struct credentials setter = { .user = { .real = owner->real, .effective = owner->effective } };
    return credentials_allow_signal(&setter, &target->credentials);
}

/* Signals whose si_code means something of their own (sigaction(2)); SIGIO's is what we are about. */
static bool signal_has_own_codes(int number)
{
    return number == SIGILL || number == SIGFPE || number == SIGSEGV || number == SIGBUS || number == SIGTRAP ||
           number == SIGCHLD || number == SIGSYS;
}

/* The particulars: which descriptor, and what poll(2) would say of it. */
static struct signal_record record_make(const struct async *async, int reason)
{
    static const long bands[] = {
        [POLL_IN] = POLLIN | POLLRDNORM,
        [POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
        [POLL_MSG] = POLLIN | POLLRDNORM | POLLMSG,
    };
    struct signal_record record = { .si_code = signal_has_own_codes(async->file->owner.signal) ? SI_SIGIO : reason };
    record.si_band = bands[reason];
    record.si_fd = async->fd;
    return record;
}

/* Room for one more queue entry of the target's user (RLIMIT_SIGPENDING)? */
static bool queue_has_room_locked(const struct process *target)
{
    uint64_t limit = target->leader->limits[RLIMIT_SIGPENDING].rlim_cur;
    return limit == RLIM64_INFINITY || signal_queued_of_user_locked(target->credentials.user.real) < limit;
}

/* To the thread that is the owner, or else to the process or group. Was the entry used? */
static bool owner_send_locked(const struct async *async, struct process *target, int number,
                              const struct signal_record *record, struct signal_entry *entry)
{
    if (async->file->owner.kind == F_OWNER_TID)
        return signal_send_thread_locked(target, number, record, entry);
    return signal_send_locked(target, number, record, entry);
}

/* Send the signal that F_SETSIG chose. False: it cannot be queued. */
static bool send_chosen_locked(const struct async *async, struct process *target, int reason, bool has_memory)
{
    int number = async->file->owner.signal;
    struct signal_record record = record_make(async, reason);
    struct signal_entry *entry = NULL;
    if (number >= SIGNAL_REAL_TIME && has_memory && queue_has_room_locked(target))
        entry = signal_entry_create();
    if (number >= SIGNAL_REAL_TIME && !entry)
        return false;
    if (!owner_send_locked(async, target, number, &record, entry))
        signal_entry_free(entry);
    return true;
}

static void tell_locked(const struct async *async, struct process *target, int reason, bool has_memory)
{
    const struct file_owner *owner = &async->file->owner;
    if (!owner_may_signal(owner, target))
        return;
    if (!owner->signal || !send_chosen_locked(async, target, reason, has_memory))
        (void)owner_send_locked(async, target, SIGIO, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
}

void async_notify_all(struct async_list *list, int reason)
{
    const struct async *async;
    struct process *process;
    bool irq = spin_lock_irq(&process_lock); /* interrupts were off: we are in one */
    LIST_FOREACH(async, list, link)
        TAILQ_FOREACH(process, &process_table, all)
            if (owner_means_locked(&async->file->owner, process))
                tell_locked(async, process, reason, irq);
    spin_unlock_irq(&process_lock, irq);
}
