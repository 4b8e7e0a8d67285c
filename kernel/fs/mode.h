// SPDX-License-Identifier: MIT
/*
 * mode.h: S_IFMT, S_ISDIR() and their like, from Linux's own header.
 *
 * <linux/stat.h> leaves them out when a C library's header has been seen, because that library has its own.
 * The kernel has none, but <sys/queue.h> and the compiler's <limits.h> announce one all the same; hence the
 * veil.
 */
#ifndef KERNEL_FS_MODE_H
#define KERNEL_FS_MODE_H

#pragma push_macro("__GLIBC__")
#undef __GLIBC__
#include <linux/stat.h>
#pragma pop_macro("__GLIBC__")

#endif
