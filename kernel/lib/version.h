// SPDX-License-Identifier: MIT
/*
 * version.h: what the kernel calls itself, in uname(2) and /proc/version.
 */
#ifndef KERNEL_LIB_VERSION_H
#define KERNEL_LIB_VERSION_H

#define KERNEL_MINOR 1
#define KERNEL_RELEASE "6.1.0-lazybones" /* the Linux whose system calls these are */
#define KERNEL_VERSION "#1 Lazybones"

#endif
