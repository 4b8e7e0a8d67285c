// SPDX-License-Identifier: MIT
/*
 * sys_stat.c: stat(2) and its relatives. All files belong to root. A file has one time, which stands for all.
 */
#include <asm/stat.h>

#include "kernel/fs/file.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "mm/usercopy.h"

#define BLOCK_SIZE 512 /* the unit of st_blocks */

/* What a file occupies: whole pages, for what has contents in memory. */
static uint64_t inode_blocks(const struct inode *inode)
{
    return S_ISREG(inode->mode) ? page_up(inode->size) / BLOCK_SIZE : 0;
}

static int stat_copy(const struct inode *inode, uint64_t user)
{
    struct stat stat = {
        .st_dev = device_encode(0, inode->filesystem->device),
        .st_ino = inode->number,
        .st_nlink = inode->links,
        .st_mode = inode->mode,
        .st_rdev = inode->special,
        .st_size = (long)inode->size,
        .st_blksize = PAGE_SIZE,
        .st_blocks = (long)inode_blocks(inode),
        .st_atime = (unsigned long)inode->mtime,
        .st_mtime = (unsigned long)inode->mtime,
        .st_ctime = (unsigned long)inode->mtime,
    };
    return copy_to_user(user, &stat, sizeof stat);
}

static int64_t stat_user(int directory, uint64_t path, unsigned flags, uint64_t user)
{
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_lookup_user(directory, path, flags, &inode);
    if (error)
        return error;
    error = stat_copy(inode, user);
    inode_put(inode);
    return error;
}

int64_t sys_stat(const struct syscall_args *args)
{
    return stat_user(AT_FDCWD, args->arg[0], 0, args->arg[1]);
}

int64_t sys_lstat(const struct syscall_args *args)
{
    return stat_user(AT_FDCWD, args->arg[0], AT_SYMLINK_NOFOLLOW, args->arg[1]);
}

int64_t sys_newfstatat(const struct syscall_args *args)
{
    return stat_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[3], args->arg[2]);
}

int64_t sys_fstat(const struct syscall_args *args)
{
    const struct file *file = files_get((int)args->arg[0]);
    return file ? stat_copy(file->inode, args->arg[1]) : -EBADF;
}

static int statx_copy(const struct inode *inode, uint64_t user)
{
    struct statx_timestamp time = { .tv_sec = inode->mtime };
    struct statx statx = {
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = PAGE_SIZE,
        .stx_nlink = inode->links,
        .stx_mode = (uint16_t)inode->mode,
        .stx_ino = inode->number,
        .stx_size = inode->size,
        .stx_blocks = inode_blocks(inode),
        .stx_atime = time,
        .stx_mtime = time,
        .stx_ctime = time,
        .stx_rdev_major = inode->special >> 8 & 0xfff,
        .stx_rdev_minor = (inode->special & 0xff) | (inode->special >> 12 & 0xfff00),
        .stx_dev_minor = inode->filesystem->device,
    };
    return copy_to_user(user, &statx, sizeof statx);
}

int64_t sys_statx(const struct syscall_args *args)
{
    unsigned flags = (unsigned)args->arg[2];
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE) ||
        args->arg[3] & STATX__RESERVED)
        return -EINVAL;
    int error = path_lookup_user((int)args->arg[0], args->arg[1], flags, &inode);
    if (error)
        return error;
    error = statx_copy(inode, args->arg[4]);
    inode_put(inode);
    return error;
}
