// SPDX-License-Identifier: MIT
/*
 * file.c: open files: their life, and reading and writing through the operations of their inode.
 */
#include "kernel/fs/file.h"

#include <asm/poll.h>

#include "kernel/fs/devfs.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/frame.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "mm/slab.h"
#include "mm/zero.h"

static struct slab_cache file_cache = SLAB_CACHE_INIT(file_cache, "file", struct file);

/* Gone once the file is open: they are about opening. */
#define FLAGS_OF_OPENING ((unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC))

/* What may be done with an open file that only names a place. */
static const struct inode_ops path_ops = { 0 };

/* The operations of a file opened on `inode`; NULL: there is nothing behind it. */
static const struct inode_ops *ops_of(const struct inode *inode, unsigned flags)
{
    bool is_own = inode->ops->read || inode->ops->write; /* a pipe or stream that is its own device */
    if (flags & O_PATH)
        return &path_ops;
    if (is_own)
        return inode->ops;
    switch (inode->mode & S_IFMT) {
    case S_IFCHR:
        return device_ops(inode->special);
    case S_IFIFO:
        return &named_pipe_ops;
    case S_IFBLK:
    case S_IFSOCK:
        return NULL;
    default:
        return inode->ops;
    }
}

/*
 * A regular file counts who has it open. A program cannot be opened for writing while it runs; only regular files are
 * programs. 0 or -ETXTBSY.
 */
static int use_enter(const struct file *file)
{
    struct inode *inode = file->inode;
    if (!S_ISREG(inode->mode))
        return 0;
    if (file_is_writable(file))
        return inode_writer_enter(inode);
    inode->readers += file_is_readable(file);
    return 0;
}

static void use_leave(const struct file *file)
{
    struct inode *inode = file->inode;
    if (!S_ISREG(inode->mode))
        return;
    if (file_is_writable(file))
        inode_writer_leave(inode);
    else
        inode->readers -= file_is_readable(file);
}

/*
 * The file is complete but for what its kind does when it is opened. No kind can read or write past its cache
 * (O_DIRECT).
 */
static int file_start(struct file *file)
{
    if (file->flags & O_DIRECT)
        return -EINVAL;
    int error = use_enter(file);
    if (error)
        return error;
    if (!file_is_path(file))
        error = lease_break(file->inode, file->flags);
    if (!error && file->ops->open)
        error = file->ops->open(file);
    if (error)
        use_leave(file);
    return error;
}

int file_open(struct inode *inode, unsigned flags, struct file **opened)
{
    const struct inode_ops *ops = ops_of(inode, flags);
    if ((S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && inode->filesystem->flags & MS_NODEV && !(flags & O_PATH))
        return -EACCES;
    if (!ops)
        return -ENXIO;
    struct file *file = slab_alloc(&file_cache);
    if (!file)
        return -ENOMEM;
    file->refs = 1;
    file->inode = inode_get(inode);
    file->ops = ops;
    file->flags = flags;
    int error = file_start(file);
    if (error) {
        inode_put(inode);
        slab_free(&file_cache, file);
        return error;
    }
    file->flags &= ~FLAGS_OF_OPENING;
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
    lock_note_release(file->inode, file);
    lease_release(file->inode, file);
    if (file->flags & O_ASYNC && file->ops->async)
        (void)!file->ops->async(file, -1);
    if (file->ops->release)
        file->ops->release(file);
    use_leave(file);
    inode_put(file->inode);
    slab_free(&file_cache, file);
}

/* Does [offset, offset + length) end within what off_t can say? Both do themselves. */
static bool range_is_offset(uint64_t offset, size_t length)
{
    return offset + length <= INT64_MAX;
}

/* May this file be read at all? 0 or the errno that read(2) gives. */
static int read_check(const struct file *file)
{
    if (!file_is_readable(file))
        return -EBADF;
    if (file->ops->read)
        return 0;
    return S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
}

static int write_check(const struct file *file)
{
    if (!file_is_writable(file))
        return -EBADF;
    return file->ops->write ? 0 : -EINVAL;
}

/* Bytes were moved, if any: tell those who watch the directory. Returns how many. */
static ssize_type note(const struct file *file, ssize_type n, unsigned event)
{
    if (n > 0)
        notify_inode(file->inode, event);
    return n;
}

ssize_type file_read(struct file *file, const struct buffer *to)
{
    int error = read_check(file);
    if (error)
        return error;
    if (!range_is_offset(file->position, to->length))
        return -EINVAL;
    ssize_type n = file->ops->read(file, to, file->position);
    if (n > 0 && !file->ops->is_stream)
        file->position += (uint64_t)n;
    return note(file, n, DN_ACCESS);
}

ssize_type file_write(struct file *file, const struct buffer *from)
{
    int error = write_check(file);
    if (error)
        return error;
    if (!range_is_offset(file->position, from->length))
        return -EINVAL;
    ssize_type n = note(file, file->ops->write(file, from, file->position), DN_MODIFY);
    if (n <= 0 || file->ops->is_stream)
        return n;
    /* What was appended lies at the end: nothing has run since. */
    file->position = file->flags & O_APPEND ? file->inode->size : file->position + (uint64_t)n;
    return n;
}

ssize_type file_read_at(struct file *file, const struct buffer *to, uint64_t offset)
{
    if (file->ops->is_stream)
        return -ESPIPE;
    int error = read_check(file);
    if (!error && !range_is_offset(offset, to->length))
        error = -EINVAL;
    return error ? error : note(file, file->ops->read(file, to, offset), DN_ACCESS);
}

ssize_type file_write_at(struct file *file, const struct buffer *from, uint64_t offset)
{
    if (file->ops->is_stream)
        return -ESPIPE;
    int error = write_check(file);
    if (!error && !range_is_offset(offset, from->length))
        error = -EINVAL;
    return error ? error : note(file, file->ops->write(file, from, offset), DN_MODIFY);
}

/* One piece of a page: bytes copied, or a negative errno. The frame is held: the copy may sleep. */
static ssize_type cached_copy(struct pagecache *cache, const struct buffer *to, size_t done, uint64_t offset,
                              size_t n)
{
    struct frame *frame;
    int error = pagecache_hold_present(cache, offset >> PAGE_SHIFT, &frame);
    if (error)
        return error;
    if (!frame) {
        frame = zero_frame();
        frame_get(frame);
    }
    ssize_type copied = buffer_put(to, done, (char *)frame_address(frame) + page_offset(offset), n);
    frame_put(frame);
    return copied;
}

ssize_type file_read_cached(struct pagecache *cache, const struct buffer *to, uint64_t offset)
{
    if (offset >= cache->size)
        return 0;
    size_t n = MIN(to->length, cache->size - offset);
    size_t done = 0;
    while (done < n) {
        size_t chunk = MIN(PAGE_SIZE - page_offset(offset), n - done);
        ssize_type copied = cached_copy(cache, to, done, offset, chunk);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        offset += (size_t)copied;
        if ((size_t)copied < chunk || !long_call_goes_on())
            break;
    }
    return (ssize_type)done;
}

bool long_call_goes_on(void)
{
    sched_yield_if_needed();
    return !signal_is_fatal_pending(current());
}

short file_poll(struct file *file)
{
    return file->ops->poll ? file->ops->poll(file) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}
