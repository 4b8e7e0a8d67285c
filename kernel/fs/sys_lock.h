// SPDX-License-Identifier: MIT
/*
 * sys_lock.h: the commands of fcntl(2) that lock ranges of a file.
 */
#ifndef KERNEL_FS_SYS_LOCK_H
#define KERNEL_FS_SYS_LOCK_H

#include "kernel/lib/types.h"

struct file;

/* Is it F_GETLK, F_SETLK, F_SETLKW or one of their F_OFD_ sisters? */
bool fcntl_is_lock(unsigned command);

/* Do it: 0, or the errors of fcntl(2). `argument` is the user's struct flock. May sleep. */
int64_t fcntl_lock(int fd, struct file *file, unsigned command, uint64_t argument);

#endif
