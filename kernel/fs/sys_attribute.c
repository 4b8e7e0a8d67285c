// SPDX-License-Identifier: MIT
/*
 * sys_attribute.c: the system calls that change what is known about a file: mode, owner, times; and its size.
 */
#include <linux/falloc.h>
#include <linux/time_types.h>

#include "kernel/fs/file.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/usercopy.h"

#define MODE_PERMISSIONS 07777u

/* The file behind a descriptor that was opened for more than its place, or NULL. */
static struct file *file_of(uint64_t fd)
{
    struct file *file = files_get((int)fd);
    return file && !file_is_path(file) ? file : NULL;
}

/* May the attributes of this file be changed by the current process? */
static int attributes_check(const struct inode *inode)
{
    if (filesystem_is_read_only(inode->filesystem))
        return -EROFS;
    return inode->filesystem->keeps_attributes && inode_is_mine(inode) ? 0 : -EPERM;
}

/* ---- mode ---- */

static int mode_set(struct inode *inode, uint64_t mode)
{
    if (S_ISLNK(inode->mode))
        return -EOPNOTSUPP;
    int error = attributes_check(inode);
    if (error)
        return error;
    uint32_t permissions = (uint32_t)mode & MODE_PERMISSIONS;
    inode->mode = (inode->mode & S_IFMT) | inode_mode_for_group(permissions, inode->gid);
    inode_note_attributes(inode);
    notify_inode(inode, DN_ATTRIB);
    return 0;
}

static int64_t mode_set_user(int directory, uint64_t user, uint64_t mode)
{
    struct inode *inode;
    int error = path_lookup_user(directory, user, 0, &inode);
    if (error)
        return error;
    error = mode_set(inode, mode);
    inode_put(inode);
    return error;
}

int64_t sys_chmod(const struct syscall_args *args) 
{
    return mode_set_user(AT_FDCWD, args->arg[0], args->arg[1]);
}

int64_t sys_fchmodat(const struct syscall_args *args)
{
    return mode_set_user((int)args->arg[0], args->arg[1], args->arg[2]);
}

int64_t sys_fchmod(const struct syscall_args *args)
{
    struct file *file = file_of(args->arg[0]);
    return file ? mode_set(file->inode, args->arg[1]) : -EBADF;
}

/* ---- owner ---- */

/* Without privilege a file can only be given to another group of its owner's (chown(2)). */
static bool owner_may_become(const struct inode *inode, uint32_t uid, uint32_t gid)
{
    const struct credentials *mine = &current()->credentials;
    bool in_group = gid == UINT32_MAX || gid == inode->gid || credentials_have_group(mine, gid);
    return credentials_rule_files(mine) || ((uid == UINT32_MAX || uid == inode->uid) && in_group);
}

/* -1 leaves one as it is. A new owner takes the set-ID bits of what can be run away (chown(2)). */
static int owner_set(struct inode *inode, uint64_t uid, uint64_t gid)
{
    bool stays = (uint32_t)uid == UINT32_MAX && (uint32_t)gid == UINT32_MAX;
    int error = attributes_check(inode);
    if (error == -EROFS || (error && !(stays && inode->filesystem->keeps_attributes)))
        return error;
    if (!owner_may_become(inode, (uint32_t)uid, (uint32_t)gid))
        return -EPERM;
    if (!S_ISDIR(inode->mode))
        inode->mode = inode_mode_without_privilege(inode);
    if ((uint32_t)uid != UINT32_MAX)
        inode->uid = (uint32_t)uid;
    if ((uint32_t)gid != UINT32_MAX)
        inode->gid = (uint32_t)gid;
    inode_note_attributes(inode);
    notify_inode(inode, DN_ATTRIB);
    return 0;
}

static int64_t owner_set_user(int directory, uint64_t user, unsigned flags, uint64_t uid, uint64_t gid)
{
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_lookup_user(directory, user, flags, &inode);
    if (error)
        return error;
    error = owner_set(inode, uid, gid);
    inode_put(inode);
    return error;
}

int64_t sys_chown(const struct syscall_args *args)
{
    return owner_set_user(AT_FDCWD, args->arg[0], 0, args->arg[1], args->arg[2]);
}

int64_t sys_lchown(const struct syscall_args *args)
{
    return owner_set_user(AT_FDCWD, args->arg[0], AT_SYMLINK_NOFOLLOW, args->arg[1], args->arg[2]);
}

int64_t sys_fchownat(const struct syscall_args *args)
{
    return owner_set_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[4], args->arg[2],
                          args->arg[3]);
}

int64_t sys_fchown(const struct syscall_args *args)
{
    struct file *file = file_of(args->arg[0]);
    return file ? owner_set(file->inode, args->arg[1], args->arg[2]) : -EBADF;
}

/* ---- times ---- */

#define NANOSECONDS 1000000000l
#define SECONDS_MAX (INT64_MAX / NANOSECONDS) /* the year 2262: times beyond are kept as that */

/* UTIME_NOW and UTIME_OMIT of utimensat(2), which Linux's headers for user programs lack. */
#define TIME_NOW ((1l << 30) - 1)
#define TIME_OMIT ((1l << 30) - 2)


static const struct __kernel_timespec now_both = { .tv_nsec = TIME_NOW };

static bool time_is_valid(const struct __kernel_timespec *time)
{
    return time->tv_nsec == TIME_NOW || time->tv_nsec == TIME_OMIT ||
           (time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS);
}

static void time_set(int64_t *time, const struct __kernel_timespec *new, int64_t now)
{
    if (new->tv_nsec == TIME_OMIT)
        return;
    int64_t seconds = MIN(MAX(new->tv_sec, -SECONDS_MAX), SECONDS_MAX - 1);
    *time = new->tv_nsec == TIME_NOW ? now : seconds * NANOSECONDS + new->tv_nsec;
}

static int times_set(struct inode *inode, const struct __kernel_timespec times[2])
{
    int64_t now = inode_time_now();
    bool is_now = times[0].tv_nsec == TIME_NOW && times[1].tv_nsec == TIME_NOW;
    int error = attributes_check(inode);
    if (error == -EPERM && is_now)
        error = inode_permission(inode, INODE_WRITE);
    if (error)
        return error;
    time_set(&inode->atime, &times[0], now);
    time_set(&inode->mtime, &times[1], now);
    inode->ctime = now;
    notify_inode(inode, DN_ATTRIB);
    return 0;
}

static int64_t times_set_user(int directory, uint64_t user, const struct __kernel_timespec times[2],
                              unsigned flags)
{
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_lookup_user(directory, user, flags, &inode);
    if (error)
        return error;
    error = times_set(inode, times);
    inode_put(inode);
    return error;
}

/* utimensat(2): without a path the descriptor's own file. */
int64_t sys_utimensat(const struct syscall_args *args)
{
    struct __kernel_timespec times[2] = { now_both, now_both };
    if (args->arg[2] && copy_from_user(times, args->arg[2], sizeof times))
        return -EFAULT;
    if (times[0].tv_nsec == TIME_OMIT && times[1].tv_nsec == TIME_OMIT)
        return 0; /* whatever the rest is */
    if (!time_is_valid(&times[0]) || !time_is_valid(&times[1]))
        return -EINVAL;
    if (args->arg[1])
        return times_set_user((int)args->arg[0], args->arg[1], times, (unsigned)args->arg[3]);
    if ((int)args->arg[0] == AT_FDCWD)
        return -EFAULT;
    if (args->arg[3])
        return -EINVAL;
    struct file *file = file_of(args->arg[0]);
    return file ? times_set(file->inode, times) : -EBADF;
}

/* The older calls: microseconds, and whole seconds. */
static int64_t times_set_micro(int directory, uint64_t path, uint64_t user)
{
    struct __kernel_timespec times[2] = { now_both, now_both };
    int64_t given[2][2];
    if (user && copy_from_user(given, user, sizeof given))
        return -EFAULT;
    for (unsigned i = 0; user && i < 2; i++) {
        if (given[i][1] < 0 || given[i][1] >= 1000000)
            return -EINVAL;
        times[i] = (struct __kernel_timespec){ .tv_sec = given[i][0], .tv_nsec = given[i][1] * 1000 };
    }
    return times_set_user(directory, path, times, 0);
}

int64_t sys_utimes(const struct syscall_args *args)
{
    return times_set_micro(AT_FDCWD, args->arg[0], args->arg[1]);
}

int64_t sys_futimesat(const struct syscall_args *args)
{
    return times_set_micro((int)args->arg[0], args->arg[1], args->arg[2]);
}

int64_t sys_utime(const struct syscall_args *args)
{
    struct __kernel_timespec times[2] = { now_both, now_both };
    int64_t given[2];
    if (args->arg[1]) {
        if (copy_from_user(given, args->arg[1], sizeof given))
            return -EFAULT;
        times[0] = (struct __kernel_timespec){ .tv_sec = given[0] };
        times[1] = (struct __kernel_timespec){ .tv_sec = given[1] };
    }
    return times_set_user(AT_FDCWD, args->arg[0], times, 0);
}

/* ---- size ---- */

/* A file of /proc has nothing to cut off. */
static int size_change(struct inode *inode, uint64_t size)
{
    int error = inode->ops->truncate ? inode->ops->truncate(inode, size) : 0;
    if (!error)
        notify_inode(inode, DN_MODIFY);
    return error;
}

static int size_set(struct inode *inode, uint64_t size)
{
    if (S_ISDIR(inode->mode))
        return -EISDIR;
    if (!S_ISREG(inode->mode))
        return -EINVAL;
    int error = inode_permission(inode, INODE_WRITE);
    if (!error)
        error = inode_writer_enter(inode);
    if (error)
        return error;
    error = lease_break(inode, O_WRONLY);
    if (!error)
        error = size_change(inode, size);
    inode_writer_leave(inode);
    return error;
}

int64_t sys_truncate(const struct syscall_args *args)
{
    struct inode *inode;
    if ((int64_t)args->arg[1] < 0)
        return -EINVAL;
    int error = path_lookup_user(AT_FDCWD, args->arg[0], 0, &inode);
    if (error)
        return error;
    error = size_set(inode, args->arg[1]);
    inode_put(inode);
    return error;
}

int64_t sys_ftruncate(const struct syscall_args *args)
{
    struct file *file = file_of(args->arg[0]);
    if ((int64_t)args->arg[1] < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (!S_ISREG(file->inode->mode) || !file_is_writable(file))
        return -EINVAL;
    return size_change(file->inode, args->arg[1]);
}

/* Do these wishes go together (fallocate(2))? 0, -EOPNOTSUPP, -EINVAL. Which can be met the file's kind says. */
static int allocate_check_mode(unsigned mode)
{
    const unsigned known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
                           FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
    const unsigned alone[] = { FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE };
    if (mode & ~known || (mode & FALLOC_FL_PUNCH_HOLE && mode & FALLOC_FL_ZERO_RANGE) ||
        (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)))
        return -EOPNOTSUPP;
    for (unsigned i = 0; i < ARRAY_SIZE(alone); i++)
        if (mode & alone[i] && mode != alone[i])
            return -EINVAL;
    return mode & FALLOC_FL_UNSHARE_RANGE && mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE) ? -EINVAL : 0;
}

int64_t sys_fallocate(const struct syscall_args *args)
{
    struct file *file = file_of(args->arg[0]);
    int64_t offset = (int64_t)args->arg[2], length = (int64_t)args->arg[3], end;
    if (!file)
        return -EBADF;
    if (offset < 0 || length <= 0)
        return -EINVAL;
    int error = allocate_check_mode((unsigned)args->arg[1]);
    if (error)
        return error;
    if (!file_is_writable(file))
        return -EBADF;
    if (file->ops->is_stream)
        return -ESPIPE;
    if (S_ISDIR(file->inode->mode))
        return -EISDIR;
    if (!S_ISREG(file->inode->mode))
        return -ENODEV;
    if (__builtin_add_overflow(offset, length, &end))
        return -EFBIG;
    if (!file->inode->ops->allocate)
        return -EOPNOTSUPP;
    error = file->inode->ops->allocate(file->inode, (int)args->arg[1], (uint64_t)offset, (uint64_t)length);
    if (!error)
        notify_inode(file->inode, DN_MODIFY);
    return error;
}
