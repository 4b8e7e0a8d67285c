// SPDX-License-Identifier: MIT
/*
 * file.c: open files: their life, and reading and writing through the operations of their inode.
 */
#include "kernel/fs/file.h"

#include <asm/poll.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"

static struct slab_cache file_cache = SLAB_CACHE_INIT(file_cache, "file", struct file);

int file_open(struct inode *inode, unsigned flags, struct file **opened)
{
    struct file *file = slab_alloc(&file_cache);
    if (!file)
        return -ENOMEM;
    file->refs = 1;
    file->inode = inode_get(inode);
    file->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    int error = inode->ops->open ? inode->ops->open(file) : 0;
    if (error) {
        inode_put(inode);
        slab_free(&file_cache, file);
        return error;
    }
    *opened = file;
    return 0;
}

struct file *file_get(struct file *file)
{
    uint32_t before = __atomic_fetch_add(&file->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
    (void)before;
    return file;
}

void file_put(struct file *file)
{
    uint32_t before = __atomic_fetch_sub(&file->refs, 1, __ATOMIC_ACQ_REL);
    BUG_ON(before == 0, "a file of inode %lu was closed once too often", file->inode->number);
    if (before > 1)
        return;
    if (file->inode->ops->release)
        file->inode->ops->release(file);
    inode_put(file->inode);
    slab_free(&file_cache, file);
}

/* May this file be read at all? 0 or the errno that read(2) gives. */
static int read_check(const struct file *file)
{
    if (!file_is_readable(file))
        return -EBADF;
    if (S_ISDIR(file->inode->mode))
        return -EISDIR;
    return file->inode->ops->read ? 0 : -EINVAL;
}

static int write_check(const struct file *file)
{
    if (!file_is_writable(file))
        return -EBADF;
    return file->inode->ops->write ? 0 : -EINVAL;
}

ssize_type file_read(struct file *file, const struct buffer *to)
{
    int error = read_check(file);
    if (error)
        return error;
    ssize_type n = file->inode->ops->read(file, to, file->position);
    if (n > 0 && !file->inode->ops->is_stream)
        file->position += (uint64_t)n;
    return n;
}

ssize_type file_write(struct file *file, const struct buffer *from)
{
    int error = write_check(file);
    if (error)
        return error;
    ssize_type n = file->inode->ops->write(file, from, file->position);
    if (n > 0 && !file->inode->ops->is_stream)
        file->position += (uint64_t)n;
    return n;
}

ssize_type file_read_at(struct file *file, const struct buffer *to, uint64_t offset)
{
    if (file->inode->ops->is_stream)
        return -ESPIPE;
    int error = read_check(file);
    return error ? error : file->inode->ops->read(file, to, offset);
}

ssize_type file_write_at(struct file *file, const struct buffer *from, uint64_t offset)
{
    if (file->inode->ops->is_stream)
        return -ESPIPE;
    int error = write_check(file);
    return error ? error : file->inode->ops->write(file, from, offset);
}

/*
 * The frame is pinned while its bytes are copied: the copy may sleep, and a cache may give up its pages
 * meanwhile.
 */
ssize_type file_read_cached(struct pagecache *cache, const struct buffer *to, uint64_t offset)
{
    if (offset >= cache->size)
        return 0;
    size_t n = MIN(to->length, cache->size - offset);
    size_t done = 0;
    while (done < n) {
        struct frame *frame;
        size_t chunk = MIN(PAGE_SIZE - page_offset(offset), n - done);
        ssize_type copied = pagecache_page(cache, offset >> PAGE_SHIFT, &frame);
        if (copied >= 0) {
            frame_get(frame);
            copied = buffer_put(to, done, (char *)frame_address(frame) + page_offset(offset), chunk);
            frame_put(frame);
        }
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        offset += (size_t)copied;
        if ((size_t)copied < chunk)
            break;
    }
    return (ssize_type)done;
}

short file_poll(struct file *file)
{
    return file->inode->ops->poll ? file->inode->ops->poll(file) : POLLIN | POLLOUT;
}
