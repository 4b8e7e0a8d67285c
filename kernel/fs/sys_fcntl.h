// SPDX-License-Identifier: MIT
/*
 * sys_fcntl.h: what fcntl(2) and ioctl(2) have in common.
 */
#ifndef KERNEL_FS_SYS_FCNTL_H
#define KERNEL_FS_SYS_FCNTL_H

#include "kernel/lib/types.h"

struct file;

/* O_ASYNC on or off (F_SETFL, FIOASYNC). 0; -ENOTTY: the file never tells of anything; -ENOMEM. */
int file_set_async(struct file *file, int fd, bool on) __must_check;

#endif
