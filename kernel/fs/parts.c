// SPDX-License-Identifier: MIT
/*
 * parts.c: see parts.h.
 */
#include "kernel/fs/parts.h"

#include "kernel/lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* Sum up the parts, cut so that the sum is at most TRANSFER_MAX. The sum, -EINVAL, -EFAULT. */
static int64_t parts_length(struct iovec *parts, unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((int64_t)parts[i].iov_len < 0)
            return -EINVAL;
        if (!range_is_user((uint64_t)parts[i].iov_base, parts[i].iov_len))
            return -EFAULT;
        parts[i].iov_len = MIN(parts[i].iov_len, TRANSFER_MAX - sum);
        sum += parts[i].iov_len;
    }
    return (int64_t)sum;
}

int64_t parts_get(uint64_t user, uint64_t count, struct iovec *on_stack, struct buffer *buffer)
{
    struct iovec *parts = on_stack;
    *buffer = (struct buffer){ .is_user = true, .parts = on_stack };
    if (count > UIO_MAXIOV)
        return -EINVAL;
    if (count > PARTS_ON_STACK && !(parts = kmalloc(count * sizeof *parts)))
        return -ENOMEM;
    buffer->parts = parts;
    buffer->part_count = (unsigned)count;
    int64_t length = copy_from_user(parts, user, count * sizeof *parts);
    if (!length)
        length = parts_length(parts, (unsigned)count);
    buffer->length = length > 0 ? (size_t)length : 0;
    return length;
}

void parts_put(const struct buffer *buffer, const struct iovec *on_stack)
{
    if (buffer->parts != on_stack)
        kfree((void *)buffer->parts);
}
