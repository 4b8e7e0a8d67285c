// SPDX-License-Identifier: MIT
/*
 * devfs.h: /dev: the devices as files.
 */
#ifndef KERNEL_FS_DEVFS_H
#define KERNEL_FS_DEVFS_H

#include "kernel/fs/inode.h"

/* The file system, to be mounted once. */
struct filesystem *devfs_create(void);

/* A directory in it for mounting on, open to all (1777). Without a reference. Panics when memory is out. */
struct inode *devfs_make_directory(struct filesystem *devfs, const char *name);

/* What the device of this number can do; NULL: there is none. */
const struct inode_ops *device_ops(uint32_t special);

#endif
