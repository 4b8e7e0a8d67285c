// SPDX-License-Identifier: MIT
/*
 * pipe.h: pipes (pipe(7)).
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/file.h"

/* A pipe's two ends, `flags` being O_NONBLOCK or 0; one reference each. 0 or -ENOMEM. */
int pipe_create(unsigned flags, struct file **read_end, struct file **write_end) __must_check;

/* What opening a named pipe (mkfifo(3)) gives, in whatever file system its name lies. */
extern const struct inode_ops named_pipe_ops;

/* Is this open file a pipe with a buffer of its own? Its size in bytes, else 0 (F_GETPIPE_SZ). */
size_t pipe_size(const struct file *file);

#endif
