// SPDX-License-Identifier: MIT
/*
 * mount.h: putting file systems on directories, and taking them away.
 */
#ifndef KERNEL_FS_MOUNT_H
#define KERNEL_FS_MOUNT_H

#include "kernel/fs/inode.h"

/* Make `filesystem` the root of all. Called once, first. */
void mount_root(struct filesystem *filesystem);

/*
 * Cover `directory` with the root of `filesystem`, which is mounted nowhere else; the root takes over the
 * directory's parent and name. Takes a reference to both. What covers a root stands before it. 0, -EBUSY (something
 * is mounted there; the root of all), -ENOTDIR.
 */
int mount_add(struct filesystem *filesystem, struct inode *directory) __must_check;

/* Put it on another directory. 0, -EBUSY, -ENOTDIR, -ELOOP (the directory lies in it), -EINVAL (the root of all). */
int mount_move(struct filesystem *filesystem, struct inode *directory) __must_check;

/*
 * umount(2). NOW: nobody may use it, else -EBUSY. DETACH: it goes out of the tree with all that is mounted in it, and
 * is given back when its last user has left (and somebody mounts or unmounts). -EINVAL: the root of all. May sleep.
 */
enum mount_removal { MOUNT_REMOVE_NOW, MOUNT_DETACH };
int mount_remove(struct filesystem *filesystem, enum mount_removal removal) __must_check;

/* Change the MS_* that it is mounted with. -EBUSY: MS_RDONLY, but somebody writes. */
int mount_set_flags(struct filesystem *filesystem, unsigned flags) __must_check;

/* Give back what has been detached and is not used any more. May sleep. */
void mount_reap(void);

#endif
