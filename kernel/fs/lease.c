// SPDX-License-Identifier: MIT
/*
 * lease.c: leases on files.
 *
 * An inode has a list of them, one an open file. A read lease is in the way of whoever opens the file for writing, a
 * write lease in everybody's, its holder included. Who is held up sends the holders their signal (async.h) and
 * sleeps until they have given up or weakened their leases, or their time is over: then they lose them.
 *
 * Kernel code is not preempted and no interrupt looks at leases, so they have no lock: who sleeps looks again.
 */
#include "kernel/fs/lease.h"

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/fs/async.h"
#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"

struct lease {
    struct file *file; /* that holds it */
    short type;
    /*
     * When it is to be a read lease, or none, at the latest; nanoseconds since boot. UINT64_MAX: whenever it likes; 0:
     * it was not asked.
     */
    uint64_t weaken_by, end_by;
    struct async_list holder; /* whom to tell: the file */
    LIST_ENTRY(lease) link;
};

int leases_enabled = 1, lease_break_seconds = 45;

static struct wait_queue lease_gone = WAIT_QUEUE_INIT(lease_gone);
static struct slab_cache lease_cache = SLAB_CACHE_INIT(lease_cache, "lease", struct lease);

static struct lease *lease_find(const struct file *file)
{
    struct lease *lease;
    LIST_FOREACH(lease, &file->inode->leases, link)
        if (lease->file == file)
            break;
    return lease;
}

/* It ends: the file signals nobody any more. */
static void lease_end(struct lease *lease)
{
    file_owner_clear(lease->file);
    async_remove(&lease->holder, lease->file);
    LIST_REMOVE(lease, link);
    slab_free(&lease_cache, lease);
    wake_all(&lease_gone);
}

static void lease_change(struct lease *lease, int type)
{
    lease->type = (short)type;
    if (type == F_RDLCK)
        lease->weaken_by = 0;
    wake_all(&lease_gone);
}

/* What was asked for long enough is done. */
static void leases_expire(struct inode *inode)
{
    uint64_t now = clock_nanoseconds();
    struct lease *lease, *next;
    for (lease = LIST_FIRST(&inode->leases); lease; lease = next) {
        next = LIST_NEXT(lease, link);
        if (lease->end_by && lease->end_by <= now)
            lease_end(lease);
        else if (lease->weaken_by && lease->weaken_by <= now)
            lease_change(lease, F_RDLCK);
    }
}

/* ---- holding ---- */

/* Do others have the file open in the way of such a lease? */
static bool opens_conflict(const struct file *file, int type)
{
    const struct inode *inode = file->inode;
    bool writes = file_is_writable(file), reads = file_is_readable(file) && !writes;
    if (type == F_RDLCK)
        return inode->writers > 0;
    return inode->writers != writes || inode->readers != reads;
}

/* Do the leases of others allow this one? */
static bool others_allow(const struct file *file, int type)
{
    const struct lease *lease;
    LIST_FOREACH(lease, &file->inode->leases, link)
        if (lease->file != file && (type == F_WRLCK || lease->end_by))
            return false;
    return true;
}

/* A new lease; a broken promise to tell (no memory) is none. */
static int lease_create(struct file *file, int fd, int type)
{
    if (!leases_enabled)
        return -EINVAL;
    struct lease *lease = slab_alloc(&lease_cache);
    if (!lease)
        return -ENOMEM;
    *lease = (struct lease){ .file = file, .type = (short)type };
    LIST_INIT(&lease->holder);
    int error = async_add(&lease->holder, file, fd);
    if (error) {
        slab_free(&lease_cache, lease);
        return error;
    }
    LIST_INSERT_HEAD(&file->inode->leases, lease, link);
    return 0;
}

static int lease_take(struct file *file, int fd, int type)
{
    struct lease *lease = lease_find(file);
    int error = 0;
    if (opens_conflict(file, type) || !others_allow(file, type))
        return -EAGAIN;
    if (lease)
        lease_change(lease, type);
    else
        error = lease_create(file, fd, type);
    if (!error)
        file_owner_set_default(file, F_OWNER_PID, current()->leader->pid);
    return error;
}

int lease_set(struct file *file, int fd, int type)
{
    if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
        return -EINVAL;
    if (!inode_is_mine(file->inode))
        return -EACCES;
    if (!S_ISREG(file->inode->mode))
        return -EINVAL;
    leases_expire(file->inode);
    if (type != F_UNLCK)
        return lease_take(file, fd, type);
    struct lease *lease = lease_find(file);
    if (!lease)
        return -EAGAIN;
    lease_end(lease);
    return 0;
}

int lease_get(const struct file *file)
{
    leases_expire(file->inode);
    const struct lease *lease = lease_find(file);
    if (!lease || lease->end_by)
        return F_UNLCK;
    return lease->weaken_by ? F_RDLCK : lease->type;
}

void lease_release(struct inode *inode, struct file *file)
{
    struct lease *lease = inode->leases.lh_first ? lease_find(file) : NULL;
    if (lease)
        lease_end(lease);
}

/* ---- breaking ---- */

/* Somebody who wants the file. */
struct breaker {
    struct inode *inode;
    bool writes;
};

static bool is_in_the_way(const struct lease *lease, const struct breaker *breaker)
{
    return breaker->writes || lease->type == F_WRLCK;
}

/* When the first of those in the way is over; 0: nobody is in the way; UINT64_MAX: whenever they like. */
static uint64_t way_free_by(const struct breaker *breaker)
{
    const struct lease *lease;
    uint64_t by = 0;
    LIST_FOREACH(lease, &breaker->inode->leases, link) {
        if (!is_in_the_way(lease, breaker))
            continue;
        uint64_t end = lease->end_by && (breaker->writes || !lease->weaken_by) ? lease->end_by : lease->weaken_by;
        by = by ? MIN(by, end) : end;
    }
    return by;
}

static bool way_is_free(void *arg) { return !way_free_by(arg); }

/* Ask all in the way who have not been asked. */
static void holders_ask(const struct breaker *breaker)
{
    uint64_t by = UINT64_MAX;
    struct lease *lease;
    if (lease_break_seconds > 0)
        by = clock_nanoseconds() + (uint64_t)lease_break_seconds * NANOSECONDS;
    LIST_FOREACH(lease, &breaker->inode->leases, link) {
        if (!is_in_the_way(lease, breaker) || lease->end_by || (!breaker->writes && lease->weaken_by))
            continue;
        *(breaker->writes ? &lease->end_by : &lease->weaken_by) = by;
        async_notify(&lease->holder, POLL_MSG);
    }
}

int lease_break_all(struct inode *inode, unsigned flags)
{
    struct breaker breaker = { .inode = inode, .writes = (flags & O_ACCMODE) != O_RDONLY };
    int error = 0;
    leases_expire(inode);
    holders_ask(&breaker);
    if (flags & O_NONBLOCK)
        return way_free_by(&breaker) ? -EWOULDBLOCK : 0;
    for (uint64_t by; !error && (by = way_free_by(&breaker));) {
        error = wait_until(&lease_gone, way_is_free, &breaker, WAIT_INTERRUPTIBLE, by == UINT64_MAX ? 0 : by);
        if (error == -ETIMEDOUT) {
            leases_expire(inode);
            error = 0;
        }
    }
    return error;
}
