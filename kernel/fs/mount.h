// SPDX-License-Identifier: MIT
/*
 * mount.h: putting file systems on directories.
 */
#ifndef KERNEL_FS_MOUNT_H
#define KERNEL_FS_MOUNT_H

#include "kernel/fs/inode.h"

/* Make `filesystem` the root of all. Called once, first. */
void mount_root(struct filesystem *filesystem);

/*
 * Cover `directory` with the root of `filesystem`, which is mounted nowhere else; the root takes over the
 * directory's parent and name. Takes a reference to both. 0, -EBUSY (something is mounted there), -ENOTDIR.
 */
int mount_add(struct filesystem *filesystem, struct inode *directory) __must_check;

#endif
