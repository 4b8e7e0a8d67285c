// SPDX-License-Identifier: MIT
/*
 * sys_fcntl.c: fcntl(2): one call with a dozen subjects. Locks are sys_lock.c's.
 */
#include "kernel/fs/sys_fcntl.h"

#include "kernel/fs/async.h"
#include "kernel/fs/file.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/sys_lock.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/usercopy.h"

/* ---- flags ---- */

/* What F_SETFL can change (fcntl(2)): O_DIRECT makes packets in a pipe; O_ASYNC is its kind's to change. */
#define FLAGS_CHANGEABLE ((unsigned)(O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT))

int file_set_async(struct file *file, int fd, bool on)
{
    bool is_on = file->flags & O_ASYNC;
    if (on == is_on)
        return 0;
    if (!file->ops->async)
        return -ENOTTY;
    int error = file->ops->async(file, on ? fd : -1);
    if (!error)
        file->flags ^= O_ASYNC;
    return error;
}

static int flags_set(int fd, struct file *file, unsigned flags)
{
    if (flags & O_NOATIME && !(file->flags & O_NOATIME) && !inode_is_mine(file->inode))
        return -EPERM;
    if (flags & O_DIRECT && !S_ISFIFO(file->inode->mode))
        return -EINVAL;
    int error = file_set_async(file, fd, flags & O_ASYNC);
    if (error && error != -ENOTTY) /* what tells of nothing does not mind being asked */
        return error;
    file->flags = (file->flags & ~FLAGS_CHANGEABLE) | (flags & FLAGS_CHANGEABLE);
    return 0;
}

/* ---- owner ---- */

static int owner_set_plain(struct file *file, int number)
{
    if (number == INT_MIN)
        return -EINVAL;
    return number < 0 ? file_owner_set(file, F_OWNER_PGRP, -number) : file_owner_set(file, F_OWNER_PID, number);
}

static int owner_set_user(struct file *file, uint64_t user)
{
    struct f_owner_ex owner;
    if (copy_from_user(&owner, user, sizeof owner))
        return -EFAULT;
    return file_owner_set(file, owner.type, owner.pid);
}

static int owner_get_user(const struct file *file, uint64_t user)
{
    int number = file_owner_get(file);
    struct f_owner_ex owner = { .type = file->owner.kind, .pid = number < 0 ? -number : number };
    return copy_to_user(user, &owner, sizeof owner);
}

static int owner_get_users(const struct file *file, uint64_t user)
{
    const uint32_t users[2] = { file->owner.real, file->owner.effective };
    return copy_to_user(user, users, sizeof users);
}

static int signal_set(struct file *file, uint64_t number)
{
    if (number > SIGNAL_COUNT)
        return -EINVAL;
    file->owner.signal = (int)number;
    return 0;
}

static int64_t fcntl_owner(struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_SETOWN:
        return owner_set_plain(file, (int)argument);
    case F_GETOWN:
        return file_owner_get(file);
    case F_SETOWN_EX:
        return owner_set_user(file, argument);
    case F_GETOWN_EX:
        return owner_get_user(file, argument);
    case F_GETOWNER_UIDS:
        return owner_get_users(file, argument);
    case F_SETSIG:
        return signal_set(file, argument);
    case F_GETSIG:
        return file->owner.signal;
    default:
        return -EINVAL;
    }
}

/* ---- seals ---- */

static int seals_add(struct file *file, uint64_t seals)
{
    if (seals > UINT32_MAX)
        return -EINVAL;
    if (!file_is_writable(file))
        return -EPERM;
    if (seals & ~(uint64_t)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EINVAL;
    return file->inode->ops->seal ? file->inode->ops->seal(file->inode, (unsigned)seals) : -EINVAL;
}

static int seals_get(const struct file *file)
{
    return file->inode->ops->seal ? (int)file->inode->seals : -EINVAL;
}

/* ---- how long what is written will last ---- */

static int hint_set(struct inode *inode, uint64_t user)
{
    uint64_t hint;
    if (copy_from_user(&hint, user, sizeof hint))
        return -EFAULT;
    if ((uint32_t)hint > RWH_WRITE_LIFE_EXTREME)
        return -EINVAL;
    inode->write_hint = (uint16_t)hint;
    return 0;
}

static int hint_get(const struct inode *inode, uint64_t user)
{
    uint64_t hint = inode->write_hint;
    return copy_to_user(user, &hint, sizeof hint);
}

/* ---- the call ---- */

/* The commands that are about the descriptor, not about what can be done with the file. */
static int64_t fcntl_descriptor(int fd, struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return files_install(file_get(file), (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return files_closes_on_exec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        files_set_close_on_exec(fd, argument & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return file->flags;
    default:
        return -EBADF; /* of a file that is only a place */
    }
}

static bool command_is_for_descriptor(unsigned command)
{
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_GETFD || command == F_SETFD ||
           command == F_GETFL;
}

int64_t sys_fcntl(const struct syscall_args *args)
{
    int fd = (int)args->arg[0];
    unsigned command = (unsigned)args->arg[1];
    struct file *file = files_get(fd);
    if (!file)
        return -EBADF;
    if (file_is_path(file) || command_is_for_descriptor(command))
        return fcntl_descriptor(fd, file, command, args->arg[2]);
    if (fcntl_is_lock(command))
        return fcntl_lock(fd, file, command, args->arg[2]);
    switch (command) {
    case F_SETFL:
        return flags_set(fd, file, (unsigned)args->arg[2]);
    case F_GETPIPE_SZ:
        return pipe_size(file);
    case F_SETPIPE_SZ:
        return pipe_set_size(file, (unsigned)args->arg[2]);
    case F_SETLEASE:
        return lease_set(file, fd, (int)args->arg[2]);
    case F_GETLEASE:
        return lease_get(file);
    case F_NOTIFY:
        return notify_watch(file, fd, (unsigned)args->arg[2]);
    case F_ADD_SEALS:
        return seals_add(file, args->arg[2]);
    case F_GET_SEALS:
        return seals_get(file);
    case F_SET_RW_HINT:
        return hint_set(file->inode, args->arg[2]);
    case F_GET_RW_HINT:
        return hint_get(file->inode, args->arg[2]);
    default:
        return fcntl_owner(file, command, args->arg[2]);
    }
}
