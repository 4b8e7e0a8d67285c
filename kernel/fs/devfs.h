// SPDX-License-Identifier: MIT
/*
 * devfs.h: /dev: the devices as files.
 */
#ifndef KERNEL_FS_DEVFS_H
#define KERNEL_FS_DEVFS_H

#include "kernel/fs/inode.h"

/* The file system, to be mounted once. */
struct filesystem *devfs_create(void);

/* The inode of a device by name (NULL: there is none), without a reference: devices are for ever. */
struct inode *devfs_device(const char *name);

#endif
