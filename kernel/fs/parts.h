// SPDX-License-Identifier: MIT
/*
 * parts.h: memory in pieces, as readv(2) and its kin are given it.
 */
#ifndef KERNEL_FS_PARTS_H
#define KERNEL_FS_PARTS_H

#include "arch/x86_64/page.h"
#include "kernel/fs/buffer.h"

/* No call moves more (read(2), "On Linux … at most 0x7ffff000"). */
#define TRANSFER_MAX 0x7ffff000ul

/* As many are copied to the caller's stack; for more, memory is taken. */
#define PARTS_ON_STACK 8

/* Can [address, address + length) be user memory at all? What lies there is found out when it is touched. */
static inline bool range_is_user(uint64_t address, uint64_t length)
{
    return length <= USER_END && address <= USER_END - length;
}

/*
 * Copy in the parts that the user's array names and give the buffer that they make. The buffer's length,
 * -EINVAL, -EFAULT, -ENOMEM. parts_put() afterwards.
 */
int64_t parts_get(uint64_t user, uint64_t count, struct iovec *on_stack, struct buffer *buffer) __must_check;
void parts_put(const struct buffer *buffer, const struct iovec *on_stack);

#endif
