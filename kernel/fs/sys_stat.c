// SPDX-License-Identifier: MIT
/*
 * sys_stat.c: stat(2), statfs(2) and their relatives.
 */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/limits.h>

#include "kernel/fs/file.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "mm/usercopy.h"

#define NANOSECONDS 1000000000l

/* A time in two words, the second from 0 to 999,999,999 before 1970, too. */
struct moment {
    int64_t seconds, nanoseconds;
};

/* f_flags of statfs(2): ST_VALID says that they are true. */
#define STATFS_VALID 0x20
#define STATFS_RELATIME 0x1000 /* what inode_note_access() does */

static struct moment moment_of(int64_t time)
{
    int64_t seconds = time / NANOSECONDS, rest = time % NANOSECONDS;
    return rest < 0 ? (struct moment){ seconds - 1, rest + NANOSECONDS } : (struct moment){ seconds, rest };
}

/* What is made on the fly has one time. */
static struct moment access_time(const struct inode *inode)
{
    return moment_of(inode->filesystem->keeps_attributes ? inode->atime : inode->mtime);
}

static struct moment change_time(const struct inode *inode)
{
    return moment_of(inode->filesystem->keeps_attributes ? inode->ctime : inode->mtime);
}

static int stat_copy(const struct inode *inode, uint64_t user)
{
    struct moment accessed = access_time(inode), changed = change_time(inode);
    struct moment modified = moment_of(inode->mtime);
    struct stat stat = {
        .st_dev = device_encode(0, inode->filesystem->device),
        .st_ino = inode->number,
        .st_nlink = inode->links,
        .st_mode = inode->mode,
        .st_uid = inode->uid,
        .st_gid = inode->gid,
        .st_rdev = inode->special,
        .st_size = (long)inode->size,
        .st_blksize = inode_block_size(inode),
        .st_blocks = (long)inode_blocks(inode),
        .st_atime = (unsigned long)accessed.seconds,
        .st_atime_nsec = (unsigned long)accessed.nanoseconds,
        .st_mtime = (unsigned long)modified.seconds,
        .st_mtime_nsec = (unsigned long)modified.nanoseconds,
        .st_ctime = (unsigned long)changed.seconds,
        .st_ctime_nsec = (unsigned long)changed.nanoseconds,
    };
    return copy_to_user(user, &stat, sizeof stat);
}

static int64_t stat_user(int directory, uint64_t path, unsigned flags, uint64_t user)
{
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
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

static struct statx_timestamp statx_time(struct moment moment)
{
    return (struct statx_timestamp){ .tv_sec = moment.seconds, .tv_nsec = (uint32_t)moment.nanoseconds };
}

static int statx_copy(const struct inode *inode, unsigned wanted, uint64_t user)
{
    struct statx statx = {
        .stx_mask = STATX_BASIC_STATS | STATX_MNT_ID | (inode->btime ? wanted & STATX_BTIME : 0),
        .stx_blksize = inode_block_size(inode),
        .stx_attributes = inode == inode->filesystem->root ? STATX_ATTR_MOUNT_ROOT : 0,
        .stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .stx_mnt_id = inode->filesystem->device,
        .stx_nlink = inode->links,
        .stx_uid = inode->uid,
        .stx_gid = inode->gid,
        .stx_mode = (uint16_t)inode->mode,
        .stx_ino = inode->number,
        .stx_size = inode->size,
        .stx_blocks = inode_blocks(inode),
        .stx_atime = statx_time(access_time(inode)),
        .stx_btime = statx_time(moment_of(inode->btime)),
        .stx_mtime = statx_time(moment_of(inode->mtime)),
        .stx_ctime = statx_time(change_time(inode)),
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
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || args->arg[3] & STATX__RESERVED)
        return -EINVAL;
    int error = path_lookup_user((int)args->arg[0], args->arg[1], flags, &inode);
    if (error)
        return error;
    error = statx_copy(inode, (unsigned)args->arg[3], args->arg[4]);
    inode_put(inode);
    return error;
}

/* ---- statfs ---- */

/* The bits are the same in mount(2) and statfs(2), but for MS_RELATIME's. */
static long statfs_flags(const struct filesystem *filesystem)
{
    unsigned flags = filesystem->flags;
    long told = flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME);
    return filesystem->root && !(flags & (MS_NOATIME | MS_STRICTATIME)) ? told | STATFS_RELATIME : told;
}

static int statfs_copy(const struct filesystem *filesystem, uint64_t user)
{
    struct filesystem_figures figures = { 0 };
    if (filesystem->figures)
        filesystem->figures(filesystem, &figures);
    struct statfs statfs = {
        .f_type = (long)filesystem->magic,
        .f_bsize = PAGE_SIZE,
        .f_frsize = PAGE_SIZE,
        .f_blocks = (long)figures.blocks,
        .f_bfree = (long)figures.free_blocks,
        .f_bavail = (long)figures.free_blocks,
        .f_files = (long)figures.files,
        .f_ffree = (long)figures.free_files,
        .f_fsid = { { (int)device_encode(0, filesystem->device), 0 } },
        .f_namelen = NAME_MAX,
        .f_flags = STATFS_VALID | statfs_flags(filesystem),
    };
    return copy_to_user(user, &statfs, sizeof statfs);
}

int64_t sys_statfs(const struct syscall_args *args)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, args->arg[0], 0, &inode);
    if (error)
        return error;
    error = statfs_copy(inode->filesystem, args->arg[1]);
    inode_put(inode);
    return error;
}

int64_t sys_fstatfs(const struct syscall_args *args)
{
    const struct file *file = files_get((int)args->arg[0]);
    return file ? statfs_copy(file->inode->filesystem, args->arg[1]) : -EBADF;
}
