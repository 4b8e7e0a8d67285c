// SPDX-License-Identifier: MIT
/*
 * tmpfs.h: file systems that live in memory: the root, /tmp, /dev, /dev/shm.
 */
#ifndef KERNEL_FS_TMPFS_H
#define KERNEL_FS_TMPFS_H

#include "kernel/fs/inode.h"

/*
 * An empty file system of this type ("tmpfs", …) whose root has these permissions. Its size is half of RAM,
 * as Linux's tmpfs has it. NULL: memory is out.
 */
struct filesystem *tmpfs_create(const char *type, uint32_t mode) __must_check;

/* Give back a file system that is not mounted, and all files in it; nobody uses them. May sleep. */
void tmpfs_destroy(struct filesystem *filesystem);

/* What mount(2) says of one; 0 pages or nodes: without a bound. */
struct tmpfs_options {
    uint64_t pages, nodes;
    uint32_t mode, uid, gid;
};
/* Those that a new one has (NULL), or the bounds that one has. */
struct tmpfs_options tmpfs_options_now(const struct filesystem *filesystem);
/* "size=1m,mode=700": changes what it names, and the text. 0 or -EINVAL. */
int tmpfs_options_read(char *text, struct tmpfs_options *options) __must_check;
/* 0, or -EINVAL: there is more in it already. */
int tmpfs_set_limits(struct filesystem *filesystem, const struct tmpfs_options *options) __must_check;

/*
 * Give a new, empty regular file contents that lie in memory for ever: pages are copied from there when
 * they are first wanted.
 */
void tmpfs_set_contents(struct inode *inode, const void *data, uint64_t size);

/* Are there no names in this directory? */
bool tmpfs_directory_is_empty(const struct inode *directory);

/* A regular file without a name in a file system of its own: memfd_create(2). Shown as "/NAME (deleted)". */
int tmpfs_create_nameless(const char *name, struct inode **made) __must_check;

#endif
