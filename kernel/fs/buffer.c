// SPDX-License-Identifier: MIT
/*
 * buffer.c: copying to and from buffers: one loop over the pieces, one copy a piece.
 */
#include "kernel/fs/buffer.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/usercopy.h"

enum direction { BUFFER_PUT, BUFFER_GET };

static inline ssize_type piece_copy(bool is_user, uint64_t address, void *kernel, size_t n, enum direction direction)
{
    if (is_user)
        return direction == BUFFER_PUT ? copy_to_user_part(address, kernel, n)
                                       : copy_from_user_part(kernel, address, n);
    if (direction == BUFFER_PUT)
        memcpy((void *)address, kernel, n);
    else
        memcpy(kernel, (const void *)address, n);
    return (ssize_type)n;
}

static ssize_type parts_copy(const struct buffer *buffer, size_t offset, char *kernel, size_t n,
                             enum direction direction)
{
    size_t done = 0;
    for (unsigned i = 0; i < buffer->part_count && done < n; i++) {
        const struct iovec *part = &buffer->parts[i];
        if (offset >= part->iov_len) {
            offset -= part->iov_len;
            continue;
        }
        size_t chunk = MIN(part->iov_len - offset, n - done);
        ssize_type copied =
            piece_copy(buffer->is_user, (uint64_t)part->iov_base + offset, kernel + done, chunk, direction);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < chunk)
            break;
        offset = 0;
    }
    return (ssize_type)done;
}

static inline ssize_type buffer_copy(const struct buffer *buffer, size_t offset, void *kernel, size_t n,
                              enum direction direction)
{
    ASSERT(offset + n >= n && offset + n <= buffer->length);
    if (!n)
        return 0;
    if (buffer->parts)
        return parts_copy(buffer, offset, kernel, n, direction);
    return piece_copy(buffer->is_user, buffer->address + offset, kernel, n, direction);
}

ssize_type buffer_put(const struct buffer *buffer, size_t offset, const void *from, size_t n)
{
    return buffer_copy(buffer, offset, (void *)from, n, BUFFER_PUT);
}

ssize_type buffer_get(const struct buffer *buffer, size_t offset, void *to, size_t n)
{
    return buffer_copy(buffer, offset, to, n, BUFFER_GET);
}
