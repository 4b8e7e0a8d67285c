// SPDX-License-Identifier: MIT
/*
 * lock.h: advisory locks on files: whole files (flock(2)) and ranges of bytes (fcntl(2)).
 */
#ifndef KERNEL_FS_LOCK_H
#define KERNEL_FS_LOCK_H

#include "kernel/fs/inode.h"

struct file;
struct files;

/* Locks on whole files and on ranges know nothing of each other (flock(2), NOTES). */
enum lock_kind { LOCK_WHOLE, LOCK_RANGE };

/* Who holds what, or wants to. Locks of one owner never stand in each other's way. */
struct lock {
    enum lock_kind kind;
    const void *owner; /* a process's descriptor table, or an open file */
    int pid;           /* of a process's lock (F_SETLK); 0: it is an open file's */
    short type;        /* F_RDLCK, F_WRLCK; F_UNLCK in a request: no lock any more */
    uint64_t start, end; /* first and last byte; end INT64_MAX: without end */
};

enum lock_wait { LOCK_TRY, LOCK_WAIT };

/*
 * Change what the owner holds of the file to `wanted`, in that range. 0, -EAGAIN (LOCK_TRY: somebody is in the
 * way), -EDEADLK (waiting would be for ever: a circle of processes), -ERESTARTSYS, -ENOMEM. May sleep.
 */
int lock_set(struct inode *inode, const struct lock *wanted, enum lock_wait wait) __must_check;

/* Is somebody's lock in the way of `wanted`? Which one. */
bool lock_find_blocker(const struct inode *inode, const struct lock *wanted, struct lock *blocker);

/* Does the owner hold a lock of this kind and type? */
bool lock_is_held(const struct inode *inode, enum lock_kind kind, const void *owner, short type);

/* Forget all that an owner holds. */
void lock_release(struct inode *inode, enum lock_kind kind, const void *owner);

/* A descriptor for the file was closed: the process's locks go, whichever descriptor they were made by. */
static inline void lock_note_close(struct inode *inode, const struct files *files)
{
    if (inode->locks.lh_first)
        lock_release(inode, LOCK_RANGE, files);
}

/* The open file goes, and its locks with it. */
static inline void lock_note_release(struct inode *inode, const struct file *file)
{
    if (inode->locks.lh_first) {
        lock_release(inode, LOCK_RANGE, file);
        lock_release(inode, LOCK_WHOLE, file);
    }
}

#endif
