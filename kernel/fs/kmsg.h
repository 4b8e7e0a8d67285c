// SPDX-License-Identifier: MIT
/*
 * kmsg.h: the kernel's log for programs: /dev/kmsg, /proc/kmsg and syslog(2).
 */
#ifndef KERNEL_FS_KMSG_H
#define KERNEL_FS_KMSG_H

#include "kernel/fs/inode.h"

/* Of /dev/kmsg: records one by one, each reader with a place of its own. */
extern const struct inode_ops kmsg_ops;

/* Wake readers if there are new records. The timer's tick calls it. */
void kmsg_tick(void);

#endif
