// SPDX-License-Identifier: MIT
/*
 * sys_descriptor.c: the system calls that make, copy and drop descriptors.
 */
#include <linux/close_range.h>

#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "mm/usercopy.h"

int64_t sys_close(const struct syscall_args *args) { return files_close((int)args->arg[0]); }

/* close_range(2): first, last, flags. */
int64_t sys_close_range(const struct syscall_args *args)
{
    unsigned first = (unsigned)args->arg[0], last = (unsigned)args->arg[1], flags = (unsigned)args->arg[2];
    if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    int error = flags & CLOSE_RANGE_UNSHARE ? files_unshare() : 0;
    if (error)
        return error;
    if (flags & CLOSE_RANGE_CLOEXEC)
        files_close_range_on_exec(first, last);
    else
        files_close_range(first, last);
    return 0;
}

int64_t sys_dup(const struct syscall_args *args)
{
    struct file *file = files_get((int)args->arg[0]);
    return file ? files_install(file_get(file), 0, false) : -EBADF;
}

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

static int64_t pipe_open(uint64_t user, unsigned flags)
{
    struct file *read_end, *write_end;
    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int error = pipe_create(flags & (O_NONBLOCK | O_DIRECT), &read_end, &write_end);
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
