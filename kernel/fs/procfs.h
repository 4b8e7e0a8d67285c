// SPDX-License-Identifier: MIT
/*
 * procfs.h: /proc: the system as files (proc(5)).
 */
#ifndef KERNEL_FS_PROCFS_H
#define KERNEL_FS_PROCFS_H

#include "kernel/fs/inode.h"

/* A file system of it; each shows the same. NULL: memory is out. */
struct filesystem *procfs_create(void) __must_check;

#endif
