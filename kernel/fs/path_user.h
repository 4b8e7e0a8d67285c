// SPDX-License-Identifier: MIT
/*
 * path_user.h: paths as system calls give them: a directory descriptor and a string in user memory.
 */
#ifndef KERNEL_FS_PATH_USER_H
#define KERNEL_FS_PATH_USER_H

#include "kernel/fs/path.h"

/* A copy of the string, to be kfree()d; or NULL with *error: -EFAULT, -ENAMETOOLONG, -ENOMEM. May sleep. */
char *path_copy_user(uint64_t user, int *error) __must_check;

/*
 * Where a relative `path` starts: *start is NULL for AT_FDCWD and for absolute paths, which look at no
 * descriptor. No reference is taken. 0, -EBADF, -ENOTDIR.
 */
int path_start(int directory, const char *path, struct inode **start) __must_check;

/*
 * The inode that (directory, path, flags) names, with one reference; `flags` out of AT_SYMLINK_NOFOLLOW and
 * AT_EMPTY_PATH. 0 or a negative errno. May sleep.
 */
int path_lookup_user(int directory, uint64_t user, unsigned flags, struct inode **inode) __must_check;

/* The place of the last name of such a path (path_lookup_place()). */
int path_place_user(int directory, uint64_t user, enum path_follow follow,
                    struct path_place *place) __must_check;

#endif
