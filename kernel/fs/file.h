// SPDX-License-Identifier: MIT
/*
 * file.h: an open file: an inode with a position and flags.
 *
 * Whoever deals with files mostly needs the whole vocabulary, so this header brings inodes, paths,
 * descriptors and buffers along.
 *
 * Descriptors (descriptor.h) refer to open files; fork and dup share them, position included. Reference
 * counts are atomic. Kernel code is not preempted, so position and flags have no lock.
 */
#ifndef KERNEL_FS_FILE_H
#define KERNEL_FS_FILE_H

#include <linux/fcntl.h>

#include "kernel/fs/async.h"
#include "kernel/fs/buffer.h"
#include "kernel/fs/descriptor.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"

#define O_ASYNC FASYNC /* as open(2) calls it */

struct file {
    uint32_t refs;
    uint32_t opened_at; /* a named pipe opened before its writers: how many there had ever been (pipe.c) */
    struct inode *inode; /* one reference */
    const struct inode_ops *ops; /* for reading, writing …: the inode's, or those of what it names */
    uint64_t position;
    unsigned flags; /* O_* without creation flags and O_CLOEXEC */
    void *data;     /* the kind's own, per open file */
    struct file_owner owner; /* who is told when it is ready; process_lock */
};

/*
 * Open an inode (one reference is added to it). O_PATH: only as a place in the tree. 0 and a file with one
 * reference, -ENOMEM, -ETXTBSY, -EINVAL (O_DIRECT), -EACCES (a device under MS_NODEV), -ENXIO (a device that is not
 * there, a socket), -EWOULDBLOCK (somebody's lease, and O_NONBLOCK), or the error of ops->open. May sleep (named
 * pipes, leases).
 */
int file_open(struct inode *inode, unsigned flags, struct file **file) __must_check;
struct file *file_get(struct file *file);
/* Open a path for the current process as open(2) would, same flags, mode and errors, but without a descriptor. */
int file_open_path(const char *path, unsigned flags, uint32_t mode, struct file **file) __must_check;
/* The same for unlink(2). */
int file_unlink_path(const char *path);
/* May sleep when the reference was the last one. */
void file_put(struct file *file);

/* Opened with O_PATH: good for the *at calls, fstat, fchdir, dup and close, and nothing else (open(2)). */
static inline bool file_is_path(const struct file *file) { return file->flags & O_PATH; }

static inline bool file_is_readable(const struct file *file)
{
    unsigned mode = file->flags & O_ACCMODE;
    return (mode == O_RDONLY || mode == O_RDWR) && !file_is_path(file);
}

static inline bool file_is_writable(const struct file *file)
{
    unsigned mode = file->flags & O_ACCMODE;
    return (mode == O_WRONLY || mode == O_RDWR) && !file_is_path(file);
}

/*
 * read(2) and write(2): at the file's position, which moves by what was copied. Bytes (0: end of file), or
 * -EBADF for a file that is not open for it, -EISDIR, -EINVAL, -EFAULT, -EAGAIN, -ERESTARTSYS, -EPIPE …. May
 * sleep.
 */
ssize_type file_read(struct file *file, const struct buffer *to) __must_check;
ssize_type file_write(struct file *file, const struct buffer *from) __must_check;

/* The same at an offset, leaving the position (pread(2), pwrite(2)): -ESPIPE for streams. */
ssize_type file_read_at(struct file *file, const struct buffer *to, uint64_t offset) __must_check;
ssize_type file_write_at(struct file *file, const struct buffer *from, uint64_t offset) __must_check;

/*
 * The read operation of every kind whose bytes lie in a page cache: copies page after page, up to the cache's
 * size. Holes stay holes.
 */
ssize_type file_read_cached(struct pagecache *cache, const struct buffer *to, uint64_t offset) __must_check;

/*
 * A long call asks between two pages: gives up the CPU if another process's turn has come. False: a fatal
 * signal waits, so the call shall end with what it has done. No lock of mm's is held, and no spinlock.
 */
bool long_call_goes_on(void);

/* Ready events now; does not sleep. */
short file_poll(struct file *file);

/* Call after any change that may make some file ready: processes in poll(2) look again. Any context. */
void poll_wake(void);

#endif
