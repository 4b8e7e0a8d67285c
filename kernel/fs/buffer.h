// SPDX-License-Identifier: MIT
/*
 * buffer.h: where a read puts its bytes and a write takes them from.
 *
 * File operations never see a bare pointer: a buffer says whether its memory is the user's (then every copy
 * is checked and may fault, sleep or fail) or the kernel's, and whether it is one piece or the many of
 * readv(2). Copies go from the front of a buffer to its end, so that the first bad address ends them.
 */
#ifndef KERNEL_FS_BUFFER_H
#define KERNEL_FS_BUFFER_H

#include <linux/uio.h>

#include "kernel/lib/types.h"

struct buffer {
    uint64_t address; /* of the one piece; unused when there are `parts` */
    size_t length;    /* bytes, of all pieces together */
    bool is_user;
    const struct iovec *parts; /* in kernel memory; NULL: one piece */
    unsigned part_count;
};

static inline struct buffer buffer_user(uint64_t address, size_t length)
{
    return (struct buffer){ .address = address, .length = length, .is_user = true };
}

static inline struct buffer buffer_kernel(void *memory, size_t length)
{
    return (struct buffer){ .address = (uint64_t)memory, .length = length };
}

/*
 * Copy n bytes to or from the buffer at `offset`; offset + n is within its length. No spinlock is held: user
 * memory may fault and sleep. Returns the bytes copied, short where user memory ends, or -EFAULT if not one
 * could be.
 */
ssize_type buffer_put(const struct buffer *buffer, size_t offset, const void *from, size_t n) __must_check;
ssize_type buffer_get(const struct buffer *buffer, size_t offset, void *to, size_t n) __must_check;

#endif
