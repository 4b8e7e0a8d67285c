// SPDX-License-Identifier: MIT
/*
 * pipe.h: pipes (pipe(7)).
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/file.h"

/*
 * A pipe's two ends, `flags` being of O_NONBLOCK and O_DIRECT (packets); one reference each. 0, -ENOMEM, or -ENFILE:
 * the user has too many (pipe_user_pages_hard).
 */
int pipe_create(unsigned flags, struct file **read_end, struct file **write_end) __must_check;

/* What opening a named pipe (mkfifo(3)) gives, in whatever file system its name lies. */
extern const struct inode_ops named_pipe_ops;

/* fcntl(2), F_GETPIPE_SZ: what the pipe holds at most, bytes; -EBADF: it is no pipe. */
int pipe_size(const struct file *file);

/*
 * F_SETPIPE_SZ: at least `size` bytes, a power of two of pages. The new size; -EBADF, -EINVAL, -EPERM (above
 * pipe_max_size or what a user may have, without privilege), -EBUSY (more lies in it), -ENOMEM. May sleep.
 */
int pipe_set_size(struct file *file, unsigned size) __must_check;

/* /proc/sys/fs/pipe-max-size, bytes, and what is to be called when it was set. */
extern unsigned long pipe_max_size;
void pipe_max_size_changed(void);

/*
 * /proc/sys/fs/pipe-user-pages-soft and -hard (pipe(7)): what all pipes of one user without privilege may hold, pages;
 * 0: no limit. Beyond the soft one new pipes are small, beyond the hard one there are none.
 */
extern unsigned long pipe_user_pages_soft, pipe_user_pages_hard;

#endif
