// SPDX-License-Identifier: MIT
/*
 * standpoint.h: where a process stands among the files: its working directory, its root, its umask.
 *
 * fork copies it; with CLONE_FS two processes have one, and exec leaves it so. The pointers change under process_lock,
 * since /proc reads those of others. Whoever sleeps while it uses one of them takes a reference on the inode.
 */
#ifndef KERNEL_FS_STANDPOINT_H
#define KERNEL_FS_STANDPOINT_H

#include "kernel/lib/types.h"

struct inode;

struct standpoint {
    uint32_t refs;      /* processes that have it */
    struct inode *cwd;  /* one reference */
    struct inode *root; /* as of chroot(2), one reference; NULL: the root of all */
    unsigned umask;
};

/* In this directory, of which it takes a reference, with umask 022. NULL: memory is out. */
struct standpoint *standpoint_create(struct inode *cwd) __must_check;
/* A copy, or NULL. */
struct standpoint *standpoint_clone(const struct standpoint *standpoint) __must_check;
/* The same one for one process more. */
struct standpoint *standpoint_share(struct standpoint *standpoint);
/* Has any other process it, too? */
static inline bool standpoint_is_shared(const struct standpoint *standpoint) { return standpoint->refs > 1; }
/* One process less has it; the last one frees it. May sleep. */
void standpoint_put(struct standpoint *standpoint);

#endif
