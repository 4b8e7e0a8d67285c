// SPDX-License-Identifier: MIT
/*
 * poll.c: poll(2) and ppoll(2): waiting for any of many files.
 *
 * There is one queue for all who poll: whatever makes a file ready wakes it, and each sleeper looks at its
 * own files again. With a handful of processes that costs less than a queue entry for each file would.
 */
#include "kernel/fs/poll.h"

#include <linux/personality.h>
#include <linux/time_types.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

static struct wait_queue poll_queue = WAIT_QUEUE_INIT(poll_queue);

void poll_wake(void) { wake_all(&poll_queue); }

/* Look at every file once and note what is ready. The condition that poll sleeps on. */
static bool poll_look(void *arg)
{
    struct poll_set *set = arg;
    set->ready = 0;
    for (unsigned i = 0; i < set->count; i++) {
        struct pollfd *entry = &set->fds[i];
        struct file *file = files_peek(current()->files, (unsigned)entry->fd); /* nothing here sleeps */
        entry->revents = 0;
        if (file && !file_is_path(file))
            entry->revents = file_poll(file) & (entry->events | POLLERR | POLLHUP);
        else if (entry->fd >= 0)
            entry->revents = POLLNVAL;
        set->ready += entry->revents != 0;
    }
    return set->ready;
}

#define NANOSECONDS 1000000000l

struct poll_time poll_time_in(int64_t seconds, int64_t nanoseconds)
{
    const int64_t longest = INT64_MAX / NANOSECONDS / 2;
    uint64_t length = (uint64_t)(MIN(seconds, longest) * NANOSECONDS + nanoseconds);
    return (struct poll_time){ .deadline = length ? clock_nanoseconds() + length : 0 };
}

uint64_t poll_time_left(const struct poll_time *time)
{
    uint64_t now = clock_nanoseconds();
    return time->deadline > now ? time->deadline - now : 0;
}

static int64_t wait_plainly(struct poll_set *set, const struct poll_time *time)
{
    if (poll_look(set))
        return set->ready;
    if (!time->forever && !poll_time_left(time)) {
        if (!signal_is_pending(current()))
            return 0;
        signal_cut_call(); /* a signal that the mask has let in counts more than the time */
        return -ERESTARTNOHAND;
    }
    uint64_t deadline = time->forever ? 0 : time->deadline;
    int error = wait_until(&poll_queue, poll_look, set, WAIT_INTERRUPTIBLE, deadline);
    if (error == -ERESTARTSYS)
        return -ERESTARTNOHAND; /* whatever the handler says: signal(7) */
    return set->ready;
}

/*
 * A signal that ended the wait is delivered under the mask it was let in by; delivery puts the old one
 * back.
 */
int64_t poll_wait(struct poll_set *set, const struct poll_time *time, uint64_t user_mask, uint64_t mask_size)
{
    struct signals *signals = current()->signals;
    signal_mask mask;
    if (!user_mask)
        return wait_plainly(set, time);
    if (mask_size != sizeof mask)
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof mask))
        return -EFAULT;
    signals->saved_blocked = signals->blocked;
    signals->unfinished |= SIGNAL_MASK_SAVED;
    signal_set_blocked(mask);
    int64_t result = wait_plainly(set, time);
    if (result != -ERESTARTNOHAND) {
        signals->unfinished &= ~(unsigned)SIGNAL_MASK_SAVED;
        signal_set_blocked(signals->saved_blocked);
    }
    return result;
}

struct poll_call {
    vaddr_t user;
    uint64_t count;
    uint64_t mask, mask_size;
};

static int64_t poll_user(const struct poll_call *call, const struct poll_time *time)
{
    size_t size = call->count * sizeof(struct pollfd);
    if (call->count > current()->leader->limits[RLIMIT_NOFILE].rlim_cur || call->count > 65536)
        return -EINVAL;
    struct poll_set set = { .fds = kmalloc(size ? size : 1), .count = (unsigned)call->count };
    if (!set.fds)
        return -ENOMEM;
    int64_t result = copy_from_user(set.fds, call->user, size);
    if (!result)
        result = poll_wait(&set, time, call->mask, call->mask_size);
    if (result >= 0 && copy_to_user(call->user, set.fds, size))
        result = -EFAULT;
    kfree(set.fds);
    return result;
}

/* A time in milliseconds is not written back, so a stop and SIGCONT go on by what is in struct restart. */
static int64_t poll_resume(struct restart *restart)
{
    const struct poll_call call = { .user = restart->arg[0], .count = restart->arg[1] };
    const struct poll_time time = { .deadline = restart->deadline };
    int64_t result = poll_user(&call, &time);
    return result == -ERESTARTNOHAND ? -ERESTART_RESTARTBLOCK : result;
}

int64_t sys_poll(const struct syscall_args *args)
{
    const struct poll_call call = { .user = args->arg[0], .count = (unsigned)args->arg[1] };
    int timeout = (int)args->arg[2];
    if (timeout < 0)
        return poll_user(&call, &(struct poll_time){ .forever = true });
    current()->restart = (struct restart){
        .resume = poll_resume,
        .deadline = poll_time_in(timeout / 1000, timeout % 1000 * 1000000l).deadline,
        .arg = { call.user, call.count },
    };
    return poll_resume(&current()->restart);
}

int64_t poll_result(int64_t result, uint64_t user, const void *left, size_t size)
{
    bool is_told = !(current()->persona & STICKY_TIMEOUTS) && !copy_to_user(user, left, size);
    return !is_told && result == -ERESTARTNOHAND ? -EINTR : result;
}

/* What is left of the time is written back, as Linux does. */
int64_t sys_ppoll(const struct syscall_args *args)
{
    const struct poll_call call = {
        .user = args->arg[0],
        .count = (unsigned)args->arg[1],
        .mask = args->arg[3],
        .mask_size = args->arg[4],
    };
    struct __kernel_timespec given;
    struct poll_time time = { .forever = true };
    if (args->arg[2]) {
        if (copy_from_user(&given, args->arg[2], sizeof given))
            return -EFAULT;
        if (given.tv_sec < 0 || given.tv_nsec < 0 || given.tv_nsec >= NANOSECONDS)
            return -EINVAL;
        time = poll_time_in(given.tv_sec, given.tv_nsec);
    }
    int64_t result = poll_user(&call, &time);
    if (args->arg[2]) {
        uint64_t left = poll_time_left(&time);
        given = (struct __kernel_timespec){ (int64_t)left / NANOSECONDS, (int64_t)left % NANOSECONDS };
        result = poll_result(result, args->arg[2], &given, sizeof given);
    }
    return result;
}
