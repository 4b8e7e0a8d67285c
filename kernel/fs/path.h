// SPDX-License-Identifier: MIT
/*
 * path.h: from a path to an inode, and back.
 */
#ifndef KERNEL_FS_PATH_H
#define KERNEL_FS_PATH_H

#include <linux/limits.h>

#include "kernel/fs/inode.h"

/* PATH_MAX: bytes of a path with its NUL; NAME_MAX: bytes of one name. */
#define PATH_LINKS_MAX 40 /* symbolic links followed in one walk; one more is -ELOOP (path_resolution(7)) */

enum path_follow { PATH_FOLLOW, PATH_NO_FOLLOW }; /* a symbolic link as the last name */

/*
 * Walk `path` from the root if it begins with a slash, else from `start` (NULL: the current process's working
 * directory). 0 and one reference in *inode, or -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -ENOMEM. May sleep.
 */
int path_lookup(struct inode *start, const char *path, enum path_follow follow,
                struct inode **inode) __must_check;

/*
 * The directory that holds, or would hold, the last name of `path`: one reference in *parent; *name points at
 * that name inside `path`, *length bytes long. Errors as path_lookup; a path without a last name ("/", "..")
 * is -EEXIST.
 */
int path_lookup_parent(struct inode *start, const char *path, struct inode **parent, const char **name,
                       size_t *length) __must_check;

/*
 * The absolute path of an inode, with its NUL. Its length; -ENAMETOOLONG where `size` is too small; -ENOENT
 * for what has no path (a pipe). Does not sleep.
 */
ssize_type path_of(const struct inode *inode, char *buffer, size_t size) __must_check;

#endif
