// SPDX-License-Identifier: MIT
/*
 * cpio.h: reading an archive in cpio's "newc" format, entry by entry, out of memory.
 */
#ifndef KERNEL_FS_CPIO_H
#define KERNEL_FS_CPIO_H

#include "kernel/lib/types.h"

struct cpio {
    const uint8_t *data;
    size_t length;
    size_t offset;       /* of the next entry */
    const char *problem; /* what was wrong with the entry at `offset`, in words, after -EINVAL */
};

struct cpio_entry {
    const char *name; /* as archived, NUL terminated, inside the archive */
    uint32_t number;  /* of the inode: hard links have the same one, on the same device */
    uint32_t mode;
    uint32_t links;
    uint32_t mtime;
    uint32_t device_major, device_minor; /* where the file lay */
    const void *data;                    /* inside the archive */
    uint32_t size;
};

/* The next entry: 1, 0 at the archive's trailer, or -EINVAL where the archive is broken (cpio->problem). */
int cpio_next(struct cpio *cpio, struct cpio_entry *entry) __must_check;

#endif
