// SPDX-License-Identifier: MIT
/*
 * lock.c: advisory locks on files.
 *
 * An inode has a list of the locks that are held, ascending by their first byte. What an owner holds never
 * overlaps, and neighbours of one type are one lock: a new lock swallows its like and cuts off what is in its
 * range. Who has to wait looks again whenever any lock goes; so nobody keeps a list of who waits for whom, and
 * the search for a circle follows from waiting process to blocking lock as both are at that moment.
 *
 * Lock: table_lock for all lists; what is needed of memory is taken before.
 */
#include "kernel/fs/lock.h"

#include <linux/fcntl.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"

#define CIRCLE_MAX 10 /* processes in a circle that is found; longer ones wait (as on Linux) */

struct held_lock {
    struct lock lock;
    LIST_ENTRY(held_lock) link;
};

/* A process that sleeps in lock_set(). */
struct lock_waiter {
    const struct inode *inode;
    const struct lock *wanted;
    LIST_ENTRY(lock_waiter) link;
};

static struct spinlock table_lock = SPINLOCK_INIT;
static LIST_HEAD(, lock_waiter) waiters = LIST_HEAD_INITIALIZER(waiters);
static struct wait_queue lock_gone = WAIT_QUEUE_INIT(lock_gone);
static struct slab_cache held_cache = SLAB_CACHE_INIT(held_cache, "file-lock", struct held_lock);

static bool overlap(const struct lock *one, const struct lock *other)
{
    return one->start <= other->end && other->start <= one->end;
}

static bool is_same_owners(const struct lock *one, const struct lock *other)
{
    return one->kind == other->kind && one->owner == other->owner;
}

static bool is_in_the_way(const struct lock *held, const struct lock *wanted)
{
    return held->kind == wanted->kind && held->owner != wanted->owner && overlap(held, wanted) &&
           (held->type == F_WRLCK || wanted->type == F_WRLCK);
}

static const struct lock *find_blocker_locked(const struct inode *inode, const struct lock *wanted)
{
    const struct held_lock *held;
    if (wanted->type == F_UNLCK)
        return NULL;
    LIST_FOREACH(held, &inode->locks, link)
        if (is_in_the_way(&held->lock, wanted))
            return &held->lock;
    return NULL;
}

/* ---- circles ---- */

static const struct lock_waiter *find_waiter_locked(const void *owner)
{
    const struct lock_waiter *waiter;
    LIST_FOREACH(waiter, &waiters, link)
        if (waiter->wanted->pid && waiter->wanted->owner == owner)
            return waiter;
    return NULL;
}

/* Would `wanted` wait for a process that waits, over others perhaps, for its own? Open files wait for nobody. */
static bool makes_a_circle_locked(const struct lock *wanted, const struct lock *blocker)
{
    for (unsigned step = 0; wanted->pid && blocker && step < CIRCLE_MAX; step++) {
        if (blocker->owner == wanted->owner)
            return true;
        const struct lock_waiter *next = find_waiter_locked(blocker->owner);
        blocker = next ? find_blocker_locked(next->inode, next->wanted) : NULL;
    }
    return false;
}

/* ---- changing what is held ---- */

static void insert_locked(struct inode *inode, struct held_lock *new)
{
    struct held_lock *held, *before = NULL;
    LIST_FOREACH(held, &inode->locks, link) {
        if (held->lock.start > new->lock.start)
            break;
        before = held;
    }
    if (before)
        LIST_INSERT_AFTER(before, new, link);
    else
        LIST_INSERT_HEAD(&inode->locks, new, link);
}

static void remove_locked(struct held_lock *held)
{
    LIST_REMOVE(held, link);
    slab_free(&held_cache, held);
}

/* Take [cut->start, cut->end] out of a lock of the same owner; what is left behind it goes to *spare. */
static void cut_locked(struct inode *inode, struct held_lock *held, const struct lock *cut,
                       struct held_lock **spare)
{
    struct lock *lock = &held->lock;
    if (lock->end > cut->end) {
        struct held_lock *behind = *spare;
        ASSERT(behind);
        *spare = NULL;
        behind->lock = *lock;
        behind->lock.start = cut->end + 1;
        insert_locked(inode, behind);
    }
    if (lock->start < cut->start)
        lock->end = cut->start - 1;
    else
        remove_locked(held);
}

/* Two spares: one for the new lock, one for the rest of an old one that it falls in the middle of. */
static void apply_locked(struct inode *inode, const struct lock *wanted, struct held_lock *spare[2])
{
    struct held_lock *held, *next;
    struct lock new = *wanted;
    for (held = LIST_FIRST(&inode->locks); held; held = next) {
        const struct lock *lock = &held->lock;
        next = LIST_NEXT(held, link);
        bool touches = lock->start <= new.end + 1 && new.start <= lock->end + 1;
        if (!is_same_owners(lock, &new) || !touches)
            continue;
        if (lock->type == new.type) {
            new.start = MIN(new.start, lock->start);
            new.end = MAX(new.end, lock->end);
            remove_locked(held);
        } else if (overlap(lock, &new)) {
            cut_locked(inode, held, &new, &spare[1]);
        }
    }
    if (new.type == F_UNLCK)
        return;
    spare[0]->lock = new;
    insert_locked(inode, spare[0]);
    spare[0] = NULL;
}

/* ---- waiting ---- */

static bool nobody_is_in_the_way(void *arg)
{
    const struct lock_waiter *waiter = arg;
    spin_lock(&table_lock);
    bool free = !find_blocker_locked(waiter->inode, waiter->wanted);
    spin_unlock(&table_lock);
    return free;
}

/* One look: 0 when the lock was set, -EAGAIN when it has to wait, -EDEADLK. */
static int lock_try(struct inode *inode, const struct lock *wanted, struct held_lock *spare[2], enum lock_wait wait)
{
    int error = 0;
    spin_lock(&table_lock);
    const struct lock *blocker = find_blocker_locked(inode, wanted);
    if (!blocker)
        apply_locked(inode, wanted, spare);
    else
        error = wait == LOCK_WAIT && makes_a_circle_locked(wanted, blocker) ? -EDEADLK : -EAGAIN;
    spin_unlock(&table_lock);
    if (!error)
        wake_all(&lock_gone); /* it may be less than before */
    return error;
}

static int lock_sleep(const struct inode *inode, const struct lock *wanted)
{
    struct lock_waiter waiter = { .inode = inode, .wanted = wanted };
    spin_lock(&table_lock);
    LIST_INSERT_HEAD(&waiters, &waiter, link);
    spin_unlock(&table_lock);
    int error = wait_until(&lock_gone, nobody_is_in_the_way, &waiter, WAIT_INTERRUPTIBLE, 0);
    spin_lock(&table_lock);
    LIST_REMOVE(&waiter, link);
    spin_unlock(&table_lock);
    return error;
}

int lock_set(struct inode *inode, const struct lock *wanted, enum lock_wait wait)
{
    struct held_lock *spare[2] = { slab_alloc(&held_cache), slab_alloc(&held_cache) };
    int error = spare[0] && spare[1] ? lock_try(inode, wanted, spare, wait) : -ENOMEM;
    while (error == -EAGAIN && wait == LOCK_WAIT) {
        error = lock_sleep(inode, wanted);
        if (!error)
            error = lock_try(inode, wanted, spare, wait);
    }
    for (unsigned i = 0; i < 2; i++)
        if (spare[i])
            slab_free(&held_cache, spare[i]);
    return error;
}

/* ---- the rest ---- */

bool lock_find_blocker(const struct inode *inode, const struct lock *wanted, struct lock *blocker)
{
    spin_lock(&table_lock);
    const struct lock *found = find_blocker_locked(inode, wanted);
    if (found)
        *blocker = *found;
    spin_unlock(&table_lock);
    return found;
}

bool lock_is_held(const struct inode *inode, enum lock_kind kind, const void *owner, short type)
{
    const struct held_lock *held;
    spin_lock(&table_lock);
    LIST_FOREACH(held, &inode->locks, link)
        if (held->lock.kind == kind && held->lock.owner == owner && held->lock.type == type)
            break;
    spin_unlock(&table_lock);
    return held;
}

void lock_release(struct inode *inode, enum lock_kind kind, const void *owner)
{
    struct held_lock *held, *next;
    spin_lock(&table_lock);
    for (held = LIST_FIRST(&inode->locks); held; held = next) {
        next = LIST_NEXT(held, link);
        if (held->lock.kind == kind && held->lock.owner == owner)
            remove_locked(held);
    }
    spin_unlock(&table_lock);
    wake_all(&lock_gone);
}
