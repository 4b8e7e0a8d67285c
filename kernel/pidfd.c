// SPDX-License-Identifier: MIT
/*
 * pidfd.c: descriptors that mean a process (pidfd_open(2)): it can be waited for with poll(2), signalled and, by
 * its parent, waited for; and they never mean another process that has its number later.
 *
 * Each open one hangs in its process's list until either goes: when the process leaves the table, those that are
 * left mean nobody (ESRCH). process_lock guards the lists and what they mean.
 */
#include "kernel/pidfd.h"

#include <asm/poll.h>
#include <linux/magic.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/slab.h"

struct pidfd {
    struct inode inode;
    struct process *process; /* NULL: it is gone */
    LIST_ENTRY(pidfd) link;
};

static const struct filesystem anonymous = { .type = "anon_inodefs", .magic = ANON_INODE_FS_MAGIC, .keeps_attributes = true };
static struct slab_cache pidfd_cache = SLAB_CACHE_INIT(pidfd_cache, "pidfd", struct pidfd);

static struct pidfd *pidfd_of(const struct inode *inode) { return container_of(inode, struct pidfd, inode); }

/* Readable once it has ended, waited for or not. */
static short pidfd_poll(struct file *file)
{
    const struct process *process;
    short ready;
    bool irq = spin_lock_irq(&process_lock);

    process = pidfd_of(file->inode)->process;
    ready = !process || process_has_ended(process) ? POLLIN | POLLRDNORM : 0;
    spin_unlock_irq(&process_lock, irq);
    return ready;
}

static void pidfd_destroy(struct inode *inode)
{
    struct pidfd *pidfd = pidfd_of(inode);
    bool irq = spin_lock_irq(&process_lock);

    if (pidfd->process)
        LIST_REMOVE(pidfd, link);
    spin_unlock_irq(&process_lock, irq);
    slab_free(&pidfd_cache, pidfd);
}

static const struct inode_ops pidfd_ops = { .poll = pidfd_poll, .destroy = pidfd_destroy, .is_stream = true };

void pidfd_forget_locked(struct process *process)
{
    struct pidfd *pidfd;

    while ((pidfd = LIST_FIRST(&process->pidfds)) != NULL) {
        LIST_REMOVE(pidfd, link);
        pidfd->process = NULL;
    }
}

/* One that means nobody yet, or NULL. */
static struct pidfd *pidfd_make(void)
{
    struct pidfd *pidfd = slab_alloc(&pidfd_cache);
    int64_t now = inode_time_now();

    if (!pidfd)
        return NULL;
    pidfd->inode = (struct inode){
        .refs = 1,
        .mode = 0600,
        .number = inode_number_new(),
        .links = 1,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .ops = &pidfd_ops,
        .filesystem = &anonymous,
        .name = "pidfd",
    };
    pidfd->process = NULL;
    return pidfd;
}

/* A descriptor for it, close-on-exec. The caller's reference goes. */
static int install(struct pidfd *pidfd, unsigned flags)
{
    struct file *file;
    int error = file_open(&pidfd->inode, O_RDWR | flags, &file);

    inode_put(&pidfd->inode);
    return error ? error : files_install(file, 0, true);
}

static void mean_locked(struct pidfd *pidfd, struct process *process)
{
    pidfd->process = process;
    LIST_INSERT_HEAD(&process->pidfds, pidfd, link);
}

int pidfd_for_child(struct process *child)
{
    struct pidfd *pidfd = pidfd_make();
    bool irq;

    if (!pidfd)
        return -ENOMEM;
    irq = spin_lock_irq(&process_lock);
    mean_locked(pidfd, child);
    spin_unlock_irq(&process_lock, irq);
    return install(pidfd, 0);
}

int pidfd_resolve(int fd, struct process **process, bool *is_nonblocking)
{
    struct file *file = files_get(fd);

    if (!file || file->ops != &pidfd_ops)
        return -EBADF;
    *process = pidfd_of(file->inode)->process;
    *is_nonblocking = file->flags & O_NONBLOCK;
    return 0;
}

/* pidfd_open(2): pid, flags (PIDFD_NONBLOCK, which is O_NONBLOCK). */
int64_t sys_pidfd_open(const struct syscall_args *args)
{
    int pid = (int)args->arg[0];
    unsigned flags = (unsigned)args->arg[1];
    struct process *process;
    struct pidfd *pidfd;
    bool irq;

    if ((flags & ~(unsigned)O_NONBLOCK) || pid <= 0)
        return -EINVAL;
    pidfd = pidfd_make();
    if (!pidfd)
        return -ENOMEM;
    irq = spin_lock_irq(&process_lock);
    process = process_find_locked(pid);
    if (process && process_is_leader(process))
        mean_locked(pidfd, process);
    spin_unlock_irq(&process_lock, irq);
    if (!pidfd->process) {
        inode_put(&pidfd->inode);
        return process ? -EINVAL : -ESRCH; /* a thread has none */
    }
    return install(pidfd, flags);
}
