// SPDX-License-Identifier: MIT
/*
 * sys_sync.c: the system calls that move contents between memory and disk, or say what will be wanted of them.
 *
 * There is no disk: what is in memory is as safe, and as near, as it will ever be. So each call checks its
 * arguments and is done.
 */
#include <linux/fadvise.h>
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"

/* The file behind a descriptor that was opened for more than its place, or NULL. */
static struct file *file_of(uint64_t fd)
{
    struct file *file = files_get((int)fd);
    return file && !file_is_path(file) ? file : NULL;
}

/* Streams and devices have nothing to write back: EINVAL (fsync(2)). */
int64_t sys_fsync(const struct syscall_args *args)
{
    struct file *file = file_of(args->arg[0]);
    if (!file)
        return -EBADF;
    bool has_contents = S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode);
    return has_contents && file->inode->filesystem->keeps_attributes ? 0 : -EINVAL;
}

int64_t sys_syncfs(const struct syscall_args *args) { return file_of(args->arg[0]) ? 0 : -EBADF; }

int64_t sys_sync(const struct syscall_args *args)
{
    (void)args;
    return 0;
}

/* sync_file_range(2): descriptor, offset, length, flags. */
int64_t sys_sync_file_range(const struct syscall_args *args)
{
    const unsigned known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    const struct file *file = file_of(args->arg[0]);
    int64_t offset = (int64_t)args->arg[1], length = (int64_t)args->arg[2], end;
    if (!file)
        return -EBADF;
    if ((unsigned)args->arg[3] & ~known || offset < 0 || __builtin_add_overflow(offset, length, &end) || end < offset)
        return -EINVAL;
    return S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode) || S_ISBLK(file->inode->mode) ? 0 : -ESPIPE;
}

/* posix_fadvise(2): descriptor, offset, length, advice. */
int64_t sys_fadvise64(const struct syscall_args *args)
{
    const struct file *file = file_of(args->arg[0]);
    if (!file)
        return -EBADF;
    if (S_ISFIFO(file->inode->mode))
        return -ESPIPE;
    return (int64_t)args->arg[2] < 0 || (unsigned)args->arg[3] > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

/* readahead(2): descriptor, offset, count. */
int64_t sys_readahead(const struct syscall_args *args)
{
    const struct file *file = file_of(args->arg[0]);
    if (!file || !file_is_readable(file))
        return -EBADF;
    return S_ISREG(file->inode->mode) && (int64_t)args->arg[2] >= 0 ? 0 : -EINVAL;
}
