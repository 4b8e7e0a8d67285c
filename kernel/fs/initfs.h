// SPDX-License-Identifier: MIT
/*
 * initfs.h: the root file system: a tmpfs that begins as the initial archive.
 */
#ifndef KERNEL_FS_INITFS_H
#define KERNEL_FS_INITFS_H

#include "kernel/fs/inode.h"

/*
 * Build the tree from a newc archive that stays in memory for ever (0 bytes: an empty root). Panics for a bad
 * archive, naming the place, and when memory is out. Called once.
 */
struct filesystem *initfs_create(const void *archive, size_t length);

/* The directory `name` in the root, made if the archive has none: for mounting on. Without a reference. */
struct inode *initfs_directory(const char *name);

#endif
