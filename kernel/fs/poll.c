// SPDX-License-Identifier: MIT
/*
 * poll.c: poll(2): waiting for any of many files.
 *
 * There is one queue for all who poll: whatever makes a file ready wakes it, and each sleeper looks at its
 * own files again. With a handful of processes that costs less than a queue entry for each file would.
 */
#include <asm/poll.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

static struct wait_queue poll_queue = WAIT_QUEUE_INIT(poll_queue);

void poll_wake(void) { wake_all(&poll_queue); }

struct poll_set {
    struct pollfd *fds;
    unsigned count;
    unsigned ready; /* of them with something to report */
};

/* Look at every file once and note what is ready. The condition that poll sleeps on. */
static bool poll_look(void *arg)
{
    struct poll_set *set = arg;
    set->ready = 0;
    for (unsigned i = 0; i < set->count; i++) {
        struct pollfd *entry = &set->fds[i];
        struct file *file = files_get(entry->fd);
        entry->revents = 0;
        if (file)
            entry->revents = file_poll(file) & (entry->events | POLLERR | POLLHUP);
        else if (entry->fd >= 0)
            entry->revents = POLLNVAL;
        set->ready += entry->revents != 0;
    }
    return set->ready;
}

/* `timeout` in milliseconds, negative: for ever. The number ready, 0 for a time-out, -EINTR. */
static int64_t poll_wait(struct poll_set *set, int timeout)
{
    if (poll_look(set) || timeout == 0)
        return set->ready;
    uint64_t deadline = timeout < 0 ? 0 : clock_nanoseconds() + (uint64_t)timeout * 1000000;
    int error = wait_until(&poll_queue, poll_look, set, WAIT_INTERRUPTIBLE, deadline);
    if (error == -ERESTARTSYS)
        return -EINTR; /* never restarted: signal(7) */
    return set->ready;
}

int64_t sys_poll(const struct syscall_args *args)
{
    vaddr_t user = args->arg[0];
    uint64_t count = (unsigned)args->arg[1];
    size_t size = count * sizeof(struct pollfd);
    if (count > current()->limits[RLIMIT_NOFILE].rlim_cur || count > 65536)
        return -EINVAL;
    struct poll_set set = { .fds = kmalloc(size ? size : 1), .count = (unsigned)count };
    if (!set.fds)
        return -ENOMEM;
    int64_t result = copy_from_user(set.fds, user, size);
    if (!result)
        result = poll_wait(&set, (int)args->arg[2]);
    if (result >= 0 && copy_to_user(user, set.fds, size))
        result = -EFAULT;
    kfree(set.fds);
    return result;
}
