// SPDX-License-Identifier: MIT
/*
 * sys_path.c: the system calls on names: access, links, the working directory.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/standpoint.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* ---- access ---- */

#define ACCESS_ALL (INODE_READ | INODE_WRITE | INODE_EXECUTE)

static int64_t access_path(int directory, uint64_t path, unsigned wanted, unsigned flags)
{
    struct inode *inode;
    int error = path_lookup_user(directory, path, flags & ~(unsigned)AT_EACCESS, &inode);
    if (error)
        return error;
    error = inode_permission(inode, wanted);
    inode_put(inode);
    return error;
}

/* What the real user and group may: these are the ids for files while the path is walked (access(2)). */
static int64_t access_user(int directory, uint64_t path, unsigned wanted, unsigned flags)
{
    const unsigned known = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    struct credentials *mine = &current()->credentials;
    uint32_t user = mine->user.filesystem, group = mine->group.filesystem;
    if (wanted & ~ACCESS_ALL || flags & ~known)
        return -EINVAL;
    if (!(flags & AT_EACCESS)) {
        mine->user.filesystem = mine->user.real;
        mine->group.filesystem = mine->group.real;
    }
    int64_t result = access_path(directory, path, wanted, flags);
    mine->user.filesystem = user;
    mine->group.filesystem = group;
    return result;
}

int64_t sys_access(const struct syscall_args *args)
{
    return access_user(AT_FDCWD, args->arg[0], (unsigned)args->arg[1], 0);
}

int64_t sys_faccessat(const struct syscall_args *args)
{
    return access_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[2], 0);
}

int64_t sys_faccessat2(const struct syscall_args *args)
{
    return access_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[2], (unsigned)args->arg[3]);
}

/* ---- readlink ---- */

/* The target without a NUL, cut where the user's buffer ends. */
static int64_t link_copy(struct inode *inode, uint64_t user, size_t size)
{
    char *target = kmalloc(PATH_MAX);
    if (!target)
        return -ENOMEM;
    int64_t length = inode->ops->readlink(inode, target, PATH_MAX);
    if (length > 0) {
        length = (int64_t)MIN((size_t)length, size);
        if (copy_to_user(user, target, (size_t)length))
            length = -EFAULT;
    }
    kfree(target);
    return length;
}

static int64_t readlink_user(int directory, uint64_t path, uint64_t user, int size)
{
    struct inode *inode;
    if (size <= 0)
        return -EINVAL;
    int error = path_lookup_user(directory, path, AT_SYMLINK_NOFOLLOW, &inode);
    bool is_own = error == -ENOENT; /* readlinkat(2): "" is the link that the descriptor was opened on */
    if (is_own)
        error = path_lookup_user(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &inode);
    if (error)
        return error;
    int64_t length = S_ISLNK(inode->mode) ? link_copy(inode, user, (size_t)size) : is_own ? -ENOENT : -EINVAL;
    if (length > 0)
        inode_note_access(inode);
    inode_put(inode);
    return length;
}

int64_t sys_readlink(const struct syscall_args *args)
{
    return readlink_user(AT_FDCWD, args->arg[0], args->arg[1], (int)args->arg[2]);
}

int64_t sys_readlinkat(const struct syscall_args *args)
{
    return readlink_user((int)args->arg[0], args->arg[1], args->arg[2], (int)args->arg[3]);
}

/* ---- the working directory ---- */

/* The length with the NUL: the system call differs from getcwd(3) in that. */
int64_t sys_getcwd(const struct syscall_args *args)
{
    char *path = kmalloc(PATH_MAX);
    if (!path)
        return -ENOMEM;
    struct inode *cwd = inode_get(current()->standpoint->cwd);
    int64_t start = path_is_reachable(cwd) ? 0 : (int64_t)string_copy(path, "(unreachable)", PATH_MAX);
    int64_t length = cwd->links ? path_of(cwd, path + start, PATH_MAX - (size_t)start) : -ENOENT; /* removed */
    if (length >= 0)
        length += start + 1;
    if (length > 0 && (uint64_t)length > args->arg[1])
        length = -ERANGE;
    if (length > 0 && copy_to_user(args->arg[0], path, (size_t)length))
        length = -EFAULT;
    inode_put(cwd);
    kfree(path);
    return length;
}

/* May one be in this directory? */
static int directory_check(const struct inode *inode)
{
    return S_ISDIR(inode->mode) ? inode_permission(inode, INODE_EXECUTE) : -ENOTDIR;
}

/* Takes over the reference. Others read the pointers (/proc/PID/cwd, root) under process_lock. */
static void directory_set(struct inode **which, struct inode *inode)
{
    bool irq = spin_lock_irq(&process_lock);
    struct inode *before = *which;
    *which = inode;
    spin_unlock_irq(&process_lock, irq);
    inode_put(before);
}

static int64_t cwd_set(struct inode *inode)
{
    int error = directory_check(inode);
    if (error)
        inode_put(inode);
    else
        directory_set(&current()->standpoint->cwd, inode);
    return error;
}

/* chroot(2): the working directory stays where it is, outside perhaps. */
int64_t sys_chroot(const struct syscall_args *args)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, args->arg[0], 0, &inode);
    if (error)
        return error;
    error = directory_check(inode);
    if (!error && !credentials_are_privileged(&current()->credentials))
        error = -EPERM;
    if (error)
        inode_put(inode);
    else
        directory_set(&current()->standpoint->root, inode);
    return error;
}

int64_t sys_chdir(const struct syscall_args *args)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, args->arg[0], 0, &inode);
    return error ? error : cwd_set(inode);
}

int64_t sys_fchdir(const struct syscall_args *args)
{
    const struct file *file = files_get((int)args->arg[0]);
    return file ? cwd_set(inode_get(file->inode)) : -EBADF;
}
