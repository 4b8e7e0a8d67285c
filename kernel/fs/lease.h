// SPDX-License-Identifier: MIT
/*
 * lease.h: leases (fcntl(2), "Leases"): who holds one is told before others open the file in its way, or cut it
 * off, and may finish what it does first.
 */
#ifndef KERNEL_FS_LEASE_H
#define KERNEL_FS_LEASE_H

#include "kernel/fs/inode.h"

struct file;

/* /proc/sys/fs/leases-enable; and lease-break-time: seconds that a holder has, 0: as long as he likes. */
extern int leases_enabled, lease_break_seconds;

/*
 * F_SETLEASE: `type` is F_RDLCK, F_WRLCK or F_UNLCK. 0, -EACCES (neither owner nor root), -EINVAL (no regular file,
 * no such type), -EAGAIN (others have it open so, or have a lease; none is held), -ENOMEM.
 */
int lease_set(struct file *file, int fd, int type) __must_check;
/* F_GETLEASE: the type that the lease has, or is to have when one in its way waits. F_UNLCK: none. */
int lease_get(const struct file *file);

/* The open file goes. */
void lease_release(struct inode *inode, struct file *file);

/*
 * Somebody opens the file with these flags, runs it (O_RDONLY), or cuts it off (O_WRONLY): leases in the way are broken. 0;
 * -EWOULDBLOCK (O_NONBLOCK: the holders have been told), -ERESTARTSYS. May sleep.
 */
int lease_break_all(struct inode *inode, unsigned flags) __must_check;
static inline int lease_break(struct inode *inode, unsigned flags)
{
    return inode->leases.lh_first ? lease_break_all(inode, flags) : 0;
}

#endif
