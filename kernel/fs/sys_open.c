// SPDX-License-Identifier: MIT
/*
 * sys_open.c: open(2) and its relatives.
 *
 * No file system can make files yet: O_CREAT opens what exists, and otherwise says why nothing can be made
 * there.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"

static bool flags_want_write(unsigned flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC; }

/* May this inode be opened so? 0 or the errno that open(2) gives. */
static int open_check(const struct inode *inode, unsigned flags)
{
    bool write = flags_want_write(flags);
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (S_ISLNK(inode->mode))
        return -ELOOP;
    if (flags & O_DIRECTORY && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    if (S_ISDIR(inode->mode) && (write || flags & O_CREAT))
        return -EISDIR;
    if (write && S_ISREG(inode->mode) && inode->filesystem->read_only)
        return -EROFS;
    return 0;
}

/* There is no such file, and O_CREAT wants one: why it cannot be made. */
static int create_refuse(struct inode *start, const char *path)
{
    struct inode *parent;
    const char *name;
    size_t length;
    int error = path_lookup_parent(start, path, &parent, &name, &length);
    if (error)
        return error;
    error = !S_ISDIR(parent->mode) ? -ENOTDIR : parent->filesystem->read_only ? -EROFS : -EACCES;
    inode_put(parent);
    return error;
}

static int open_path(struct inode *start, const char *path, unsigned flags, struct file **file)
{
    bool follow = !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL);
    struct inode *inode;
    int error = path_lookup(start, path, follow ? PATH_FOLLOW : PATH_NO_FOLLOW, &inode);
    if (error == -ENOENT && flags & O_CREAT && *path)
        return create_refuse(start, path);
    if (error)
        return error;
    error = open_check(inode, flags);
    if (!error)
        error = file_open(inode, flags, file);
    inode_put(inode);
    return error;
}

static int64_t open_user(int directory, uint64_t user, unsigned flags)
{
    struct inode *start;
    struct file *file;
    int error = 0;
    if (flags & O_PATH)
        return -EINVAL; /* not built: such a descriptor must refuse most calls */
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EOPNOTSUPP;
    char *path = path_copy_user(user, &error);
    if (!path)
        return error;
    error = path_start(directory, path, &start);
    if (!error)
        error = open_path(start, path, flags, &file);
    kfree(path);
    return error ? error : files_install(file, 0, flags & O_CLOEXEC);
}

int64_t sys_open(const struct syscall_args *args)
{
    return open_user(AT_FDCWD, args->arg[0], (unsigned)args->arg[1]);
}

int64_t sys_openat(const struct syscall_args *args)
{
    return open_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[2]);
}

int64_t sys_creat(const struct syscall_args *args)
{
    return open_user(AT_FDCWD, args->arg[0], O_CREAT | O_WRONLY | O_TRUNC);
}

int64_t sys_umask(const struct syscall_args *args)
{
    unsigned before = current()->umask;
    current()->umask = (unsigned)args->arg[0] & 0777;
    return before;
}
