// SPDX-License-Identifier: MIT
/*
 * sys_descriptor.c: the system calls that make, copy and drop descriptors.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/sys_lock.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "mm/usercopy.h"

int64_t sys_close(const struct syscall_args *args) { return files_close((int)args->arg[0]); }

static int descriptor_copy(int fd, int from, bool close_on_exec)
{
    struct file *file = files_get(fd);
    return file ? files_install(file_get(file), from, close_on_exec) : -EBADF;
}

int64_t sys_dup(const struct syscall_args *args) { return descriptor_copy((int)args->arg[0], 0, false); }

static int descriptor_replace(int old, int new, bool close_on_exec)
{
    struct file *file = files_get(old);
    return file ? files_replace(file_get(file), new, close_on_exec) : -EBADF;
}

/* With two equal numbers dup2() only tells whether the descriptor is open; dup3() refuses. */
int64_t sys_dup2(const struct syscall_args *args)
{
    int old = (int)args->arg[0], new = (int)args->arg[1];
    if (old == new)
        return files_get(old) ? old : -EBADF;
    return descriptor_replace(old, new, false);
}

int64_t sys_dup3(const struct syscall_args *args)
{
    int old = (int)args->arg[0], new = (int)args->arg[1];
    unsigned flags = (unsigned)args->arg[2];
    if (flags & ~(unsigned)O_CLOEXEC || old == new)
        return -EINVAL;
    return descriptor_replace(old, new, flags & O_CLOEXEC);
}

/* What F_SETFL can change (fcntl(2)). */
#define FLAGS_CHANGEABLE ((unsigned)(O_APPEND | O_NONBLOCK | O_NOATIME))

static int flags_set(struct file *file, unsigned flags)
{
    if (flags & O_NOATIME && !(file->flags & O_NOATIME) && !inode_is_mine(file->inode))
        return -EPERM;
    if (flags & O_DIRECT)
        return -EINVAL;
    file->flags = (file->flags & ~FLAGS_CHANGEABLE) | (flags & FLAGS_CHANGEABLE);
    return 0;
}

/* The commands that are about the descriptor, not about what can be done with the file. */
static int64_t fcntl_descriptor(int fd, const struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_DUPFD:
        return descriptor_copy(fd, (int)argument, false);
    case F_DUPFD_CLOEXEC:
        return descriptor_copy(fd, (int)argument, true);
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
        return flags_set(file, (unsigned)args->arg[2]);
    case F_GETPIPE_SZ:
        return pipe_size(file);
    case F_SETPIPE_SZ:
        return pipe_set_size(file, (unsigned)args->arg[2]);
    default: /* leases, notes on directories, seals: not built */
        return -EINVAL;
    }
}

static int64_t pipe_open(uint64_t user, unsigned flags)
{
    struct file *read_end, *write_end;
    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = pipe_create(flags & O_NONBLOCK, &read_end, &write_end);
    if (error)
        return error;
    int fds[2];
    fds[0] = files_install(read_end, 0, flags & O_CLOEXEC);
    if (fds[0] < 0) {
        file_put(write_end);
        return fds[0];
    }
    fds[1] = files_install(write_end, 0, flags & O_CLOEXEC);
    if (fds[1] < 0)
        error = fds[1];
    else if (copy_to_user(user, fds, sizeof fds))
        error = -EFAULT;
    if (!error)
        return 0;
    if (fds[1] >= 0)
        (void)!files_close(fds[1]);
    (void)!files_close(fds[0]);
    return error;
}

int64_t sys_pipe(const struct syscall_args *args) { return pipe_open(args->arg[0], 0); }
int64_t sys_pipe2(const struct syscall_args *args) { return pipe_open(args->arg[0], (unsigned)args->arg[1]); }
