// SPDX-License-Identifier: MIT
/*
 * path_user.c: paths as system calls give them.
 */
#include "kernel/fs/path_user.h"

#include <linux/fcntl.h>

#include "kernel/fs/descriptor.h"
#include "kernel/fs/file.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* Most paths are short: a small buffer first, for clearing a large one costs more than the walk. */
#define PATH_SHORT 128

char *path_copy_user(uint64_t user, int *error)
{
    for (size_t size = PATH_SHORT;; size = PATH_MAX) {
        char *path = kmalloc(size);
        ssize_type length = path ? copy_string_from_user(path, user, size) : -ENOMEM;
        if (length >= 0)
            return path;
        kfree(path);
        if (length != -ENAMETOOLONG || size == PATH_MAX) {
            *error = (int)length;
            return NULL;
        }
    }
}

int path_start(int directory, const char *path, struct inode **start)
{
    *start = NULL;
    if (*path == '/' || directory == AT_FDCWD)
        return 0;
    const struct file *file = files_get(directory);
    if (!*path) /* names nothing, wherever it starts */
        return -ENOENT;
    if (!file)
        return -EBADF;
    if (!S_ISDIR(file->inode->mode))
        return -ENOTDIR;
    *start = file->inode;
    return 0;
}

/* AT_EMPTY_PATH: the descriptor itself, whatever kind it is. */
static int descriptor_inode(int fd, struct inode **inode)
{
    const struct file *file = files_get(fd);
    if (fd != AT_FDCWD && !file)
        return -EBADF;
    *inode = inode_get(fd == AT_FDCWD ? current()->standpoint->cwd : file->inode);
    return 0;
}

int path_place_user(int directory, uint64_t user, enum path_follow follow, struct path_place *place)
{
    struct inode *start;
    int error = 0;
    char *path = path_copy_user(user, &error);
    if (!path)
        return error;
    error = path_start(directory, path, &start);
    if (!error)
        error = path_lookup_place(start, path, follow, place);
    kfree(path);
    return error;
}

int path_lookup_user(int directory, uint64_t user, unsigned flags, struct inode **inode)
{
    enum path_follow follow = flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW;
    struct inode *start;
    int error = 0;
    char *path = path_copy_user(user, &error);
    if (!path)
        return error;
    if (!*path && flags & AT_EMPTY_PATH) {
        error = descriptor_inode(directory, inode);
    } else {
        error = path_start(directory, path, &start);
        if (!error)
            error = path_lookup(start, path, follow, inode);
    }
    kfree(path);
    return error;
}
