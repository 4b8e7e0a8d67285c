// SPDX-License-Identifier: MIT
/*
 * fs.h: what the rest of the kernel asks of files as a whole: the tree at boot, and init's standard
 * descriptors.
 */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/lib/types.h"

struct filesystem;
struct files;
struct inode;

/* The root directory. */
extern struct inode *fs_root;

/* File systems in the order of mounting, linked by `next`, the root's first (for /proc/mounts). */
extern struct filesystem *fs_mounts;

/*
 * Make the file tree: the initial archive (newc; NULL or 0 bytes: none) as the root, /proc and /dev mounted
 * on it. Called once, after mm_init(). Panics where the root cannot be made: a bad archive, or no memory.
 */
void fs_init(const void *archive, size_t length);

/*
 * Open descriptors 0, 1 and 2 in init's new table as the parameters stdio= and stderr= say. 0 or a negative
 * errno.
 */
int fs_open_stdio(struct files *files) __must_check;

#endif
