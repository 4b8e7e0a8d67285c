// SPDX-License-Identifier: MIT
/*
 * sys_xattr.c: extended attributes (xattr(7)). No file system here keeps any: a list is empty, and what asks
 * for one attribute, or sets it, fails with EOPNOTSUPP after all the checks that Linux makes before.
 */
#include <linux/limits.h>
#include <linux/xattr.h>

#include "kernel/fs/file.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* What a call does to the file that it has found. */
typedef int64_t (*xattr_action)(struct inode *inode, const struct syscall_args *args);

static int64_t act_on_path(const struct syscall_args *args, unsigned flags, xattr_action action)
{
    struct inode *inode;
    int64_t result = path_lookup_user(AT_FDCWD, args->arg[0], flags, &inode);

    if (result)
        return result;
    result = action(inode, args);
    inode_put(inode);
    return result;
}

static int64_t act_on_file(const struct syscall_args *args, xattr_action action)
{
    struct file *file = files_get((int)args->arg[0]);

    return file && !file_is_path(file) ? action(file->inode, args) : -EBADF;
}

/*
 * Why this attribute cannot be had. `need` is INODE_READ or INODE_WRITE. Only files and directories have a
 * user's attributes, and who may not read the file may not read them (xattr(7)).
 */
static int64_t refusal(const struct inode *inode, vaddr_t user, unsigned need)
{
    char name[XATTR_NAME_MAX + 1];
    ssize_type length = copy_string_from_user(name, user, sizeof(name));
    bool is_user = length > 0 && strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN) == 0;
    int error;

    if (length <= 0)
        return length == -EFAULT ? -EFAULT : -ERANGE;
    if (is_user && !S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
        return need == INODE_WRITE ? -EPERM : -ENODATA;
    error = is_user ? inode_permission(inode, need) : 0;
    return error ? error : -EOPNOTSUPP;
}

static int64_t attribute_get(struct inode *inode, const struct syscall_args *args)
{
    return refusal(inode, args->arg[1], INODE_READ);
}

static int64_t attribute_remove(struct inode *inode, const struct syscall_args *args)
{
    return refusal(inode, args->arg[1], INODE_WRITE);
}

static int64_t attribute_set(struct inode *inode, const struct syscall_args *args)
{
    int64_t error = refusal(inode, args->arg[1], INODE_WRITE);
    size_t size = args->arg[3];
    void *value;

    if (args->arg[4] & ~(uint64_t)(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    if (error == -EFAULT || error == -ERANGE || !size)
        return error;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    value = kmalloc(size);
    if (!value)
        return -ENOMEM;
    if (copy_from_user(value, args->arg[2], size))
        error = -EFAULT;
    kfree(value);
    return error;
}

static int64_t attributes_list(struct inode *inode, const struct syscall_args *args)
{
    (void)inode;
    (void)args;
    return 0;
}

int64_t sys_getxattr(const struct syscall_args *args)
{
    return act_on_path(args, 0, attribute_get);
}

int64_t sys_lgetxattr(const struct syscall_args *args)
{
    return act_on_path(args, AT_SYMLINK_NOFOLLOW, attribute_get);
}

int64_t sys_fgetxattr(const struct syscall_args *args)
{
    return act_on_file(args, attribute_get);
}

int64_t sys_setxattr(const struct syscall_args *args)
{
    return act_on_path(args, 0, attribute_set);
}

int64_t sys_lsetxattr(const struct syscall_args *args)
{
    return act_on_path(args, AT_SYMLINK_NOFOLLOW, attribute_set);
}

int64_t sys_fsetxattr(const struct syscall_args *args)
{
    return act_on_file(args, attribute_set);
}

int64_t sys_removexattr(const struct syscall_args *args)
{
    return act_on_path(args, 0, attribute_remove);
}

int64_t sys_lremovexattr(const struct syscall_args *args)
{
    return act_on_path(args, AT_SYMLINK_NOFOLLOW, attribute_remove);
}

int64_t sys_fremovexattr(const struct syscall_args *args)
{
    return act_on_file(args, attribute_remove);
}

int64_t sys_listxattr(const struct syscall_args *args)
{
    return act_on_path(args, 0, attributes_list);
}

int64_t sys_llistxattr(const struct syscall_args *args)
{
    return act_on_path(args, AT_SYMLINK_NOFOLLOW, attributes_list);
}

int64_t sys_flistxattr(const struct syscall_args *args)
{
    return act_on_file(args, attributes_list);
}
