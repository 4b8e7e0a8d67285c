// SPDX-License-Identifier: MIT
/*
 * procfs.h: /proc: the system as files (proc(5)).
 */
#ifndef KERNEL_FS_PROCFS_H
#define KERNEL_FS_PROCFS_H

#include "kernel/fs/inode.h"

/* The file system, to be mounted once. Panics when memory is out. */
struct filesystem *procfs_create(void);

#endif
