// SPDX-License-Identifier: MIT
/*
 * inode.h: a file itself, whatever kind it is: initial file, directory, /proc entry, device, pipe, tty.
 *
 * What a kind can do is its table of operations; nothing outside a kind's own source asks which kind it is.
 * Inodes of a file system form a tree by `parent`; `..` and the path of a file follow that link, so a file
 * system's root takes over the parent and the name of the directory it is mounted on, and no walk treats
 * mounts apart. Reference counts are atomic; the other fields of an inode belong to its kind.
 */
#ifndef KERNEL_FS_INODE_H
#define KERNEL_FS_INODE_H

#include "kernel/fs/buffer.h"
#include "kernel/fs/mode.h"
#include "mm/pagecache.h"

struct inode;
struct file;

/*
 * Called for each directory entry; false: no room for it, stop. `next` is the position of the entry behind
 * it.
 */
typedef bool (*directory_emit)(void *arg, const char *name, size_t length, uint64_t number, unsigned mode,
                               int64_t next);

/* NULL members mean: not possible for this kind. All may sleep, except where said. */
struct inode_ops {
    /* Directories: the entry `name` (never "." or "..") with a reference, or NULL with *error set. */
    struct inode *(*lookup)(struct inode *directory, const char *name, size_t length, int *error);
    /*
     * Directories: emit the entries from position `from` on ("." and ".." are the caller's). 0 or a negative
     * errno.
     */
    int (*list)(struct inode *directory, int64_t from, directory_emit emit, void *arg);
    /* Symbolic links: the target with its NUL; its length, -ENAMETOOLONG, or another negative errno. */
    ssize_type (*readlink)(struct inode *inode, char *target, size_t size);
    /*
     * A link that leads straight to an inode, whatever its text says (/proc/PID/exe). A reference, or NULL:
     * dangling.
     */
    struct inode *(*follow)(struct inode *inode);

    int (*open)(struct file *file);
    void (*release)(struct file *file); /* the last reference to an open file is gone */
    ssize_type (*read)(struct file *file, const struct buffer *to, uint64_t offset);
    ssize_type (*write)(struct file *file, const struct buffer *from, uint64_t offset);
    /* NULL, and what it does not know: ENOTTY. */
    int (*ioctl)(struct file *file, unsigned long command, uint64_t argument);
    /*
     * Ready events out of POLLIN, POLLOUT, POLLHUP, POLLERR, now. Does not sleep. NULL: always readable and
     * writable.
     */
    short (*poll)(struct file *file);
    /*
     * What mmap(2) and exec map, with one reference added; NULL when memory is out. No such operation:
     * ENODEV. The cache's owner is its inode (shared anonymous memory has none).
     */
    struct pagecache *(*mapping)(struct inode *inode);
    void (*destroy)(struct inode *inode); /* the last reference is gone: free it */

    bool is_stream; /* has no position: lseek, pread and pwrite give ESPIPE */
};

/* One file system: what its inodes have in common. */
struct filesystem {
    const char *type; /* as /proc/mounts names it */
    unsigned device;  /* minor number; the major is 0, as for all file systems without a block device */
    bool read_only;
    struct inode *root;
    struct filesystem *next;       /* mounted after this one */
};

struct inode {
    uint32_t refs;
    uint32_t mode; /* S_IFMT and permissions */
    uint64_t number;
    uint64_t size;
    uint32_t links;
    uint32_t special; /* st_rdev of a device, encoded as stat(2) shows it */
    int64_t mtime;    /* seconds since 1970 */
    const struct inode_ops *ops;
    const struct filesystem *filesystem;
    struct inode *parent;  /* one reference; the root of all is its own and holds none; NULL: has no path */
    const char *name;      /* in parent; lives as long as the inode */
    struct inode *mounted; /* the root of the file system that covers this directory, with one reference */
    void *data;            /* the kind's own */
};

struct inode *inode_get(struct inode *inode);
/* May sleep when the reference was the last one. */
void inode_put(struct inode *inode);

/* The entry `name` of a directory, mounts crossed, with one reference; or NULL with *error set. */
struct inode *inode_lookup(struct inode *directory, const char *name, size_t length, int *error) __must_check;

/* Seconds since 1970, now: for the times of what is made on the fly. */
int64_t inode_time_now(void);

/* Numbers for inodes that have no other: 1, 2, 3 … over all file systems. */
uint64_t inode_number_new(void);

/* The encoding of (major, minor) that stat(2) uses. */
static inline uint32_t device_encode(unsigned major, unsigned minor)
{
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

#endif
