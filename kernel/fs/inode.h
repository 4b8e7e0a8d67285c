// SPDX-License-Identifier: MIT
/*
 * inode.h: a file itself, whatever kind it is: initial file, directory, /proc entry, device, pipe, tty.
 *
 * What a kind can do is its table of operations; nothing outside a kind's own source asks which kind it is.
 * Inodes of a file system form a tree by `parent`; `..` and the path of a file follow that link, so a file
 * system's root takes over the parent and the name of the directory it is mounted on, and no walk treats
 * mounts apart. A file with several names (hard links) has one of them here, and is shown by it.
 *
 * Locks: inode_tree_lock guards `parent`, `name`, `mounted` and `links` of all inodes and the contents of all
 * directories; it is held for short steps, never while sleeping. Reference counts are atomic. Mode, owner and
 * times are single words that the last writer wins; the rest belongs to the kind.
 */
#ifndef KERNEL_FS_INODE_H
#define KERNEL_FS_INODE_H

#include <linux/mount.h>
#include <sys/queue.h>

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

/* A file to be made. */
struct inode_new {
    uint32_t mode; /* S_IFMT and permissions, the umask taken off */
    uint32_t special;   /* of a device */
    uint32_t uid, gid;
    const char *target; /* of a symbolic link */
};

/* What unlink may take away. */
enum inode_removal { REMOVE_FILE, REMOVE_DIRECTORY };

/* NULL members mean: not possible for this kind. All may sleep, except where said. */
struct inode_ops {
    /* Directories: the entry `name` (never "." or "..") with a reference, or NULL with *error set. */
    struct inode *(*lookup)(struct inode *directory, const char *name, size_t length, int *error);
    /*
     * Directories: emit the entries from position `from` on ("." and ".." are the caller's). 0 or a negative
     * errno.
     */
    int (*list)(struct inode *directory, int64_t from, directory_emit emit, void *arg);
    /*
     * Directories: make a file, one reference to it in *made. `name` NULL: a file without a name (O_TMPFILE).
     * 0, -EEXIST, -ENOENT (the directory has been removed), -ENOSPC, -ENOMEM.
     */
    int (*create)(struct inode *directory, const char *name, size_t length, const struct inode_new *new,
                  struct inode **made);
    /* Directories: a further name for a file of the same file system. Errors as create's; -EMLINK. */
    int (*link)(struct inode *directory, const char *name, size_t length, struct inode *inode);
    /* Directories: take a name away. 0, -ENOENT, -EISDIR, -ENOTDIR, -ENOTEMPTY, -EBUSY. */
    int (*unlink)(struct inode *directory, const char *name, size_t length, enum inode_removal removal);
    /*
     * rename(2) within one file system; `flags` out of RENAME_NOREPLACE and RENAME_EXCHANGE. The caller has
     * looked both names up; what they are now is checked once more.
     */
    int (*rename)(struct inode *from, const char *from_name, size_t from_length, struct inode *to,
                  const char *to_name, size_t to_length, unsigned flags);
    /* Files with contents: change the size (truncate(2)). */
    int (*truncate)(struct inode *inode, uint64_t size);
    /* fallocate(2), arguments checked for range. */
    int (*allocate)(struct inode *inode, int mode, uint64_t offset, uint64_t length);
    /* lseek(2) with SEEK_DATA or SEEK_HOLE: the position, or -ENXIO. */
    int64_t (*seek_data)(struct inode *inode, uint64_t from, int whence);
    /* Symbolic links: the target with its NUL; its length, -ENAMETOOLONG, or another negative errno. */
    ssize_type (*readlink)(struct inode *inode, char *target, size_t size);
    /*
     * A link that leads straight to an inode, whatever its text says (/proc/PID/exe). A reference, or NULL with
     * *error set: -ENOENT (dangling), -EACCES.
     */
    struct inode *(*follow)(struct inode *inode, int *error);

    int (*open)(struct file *file);
    void (*release)(struct file *file); /* the last reference to an open file is gone */
    ssize_type (*read)(struct file *file, const struct buffer *to, uint64_t offset);
    ssize_type (*write)(struct file *file, const struct buffer *from, uint64_t offset);
    /*
     * lseek(2) for what has places of its own instead of a position: what it returns; `whence` is one that
     * lseek(2) knows. NULL: the position moves, or ESPIPE for a stream.
     */
    int64_t (*seek)(struct file *file, int64_t offset, unsigned whence);
    /* NULL, and what it does not know: ENOTTY. */
    int (*ioctl)(struct file *file, unsigned long command, uint64_t argument);
    /*
     * Ready events out of POLLIN, POLLOUT, POLLHUP, POLLERR, now. Does not sleep. NULL: always readable and
     * writable.
     */
    short (*poll)(struct file *file);
    /*
     * O_ASYNC goes on, `fd` being the descriptor that it was asked through, or (-1) off: the file joins its source's
     * list (async.h) or leaves it. 0 or -ENOMEM; off never fails. NULL: it never tells of anything.
     */
    int (*async)(struct file *file, int fd);
    /* fcntl(2), F_ADD_SEALS, these being known ones: 0, -EPERM, -EBUSY. NULL: it has no seals. May sleep. */
    int (*seal)(struct inode *inode, unsigned seals);
    /*
     * What mmap(2) and exec map, with one reference added; NULL when memory is out. No such operation:
     * ENODEV. The cache's owner is its inode (shared anonymous memory has none).
     */
    struct pagecache *(*mapping)(struct inode *inode);
    /* 512-byte blocks that it occupies; NULL: none. Does not sleep. */
    uint64_t (*blocks)(const struct inode *inode);
    void (*destroy)(struct inode *inode); /* the last reference is gone: free it */

    bool is_anonymous; /* mapping it gives anonymous memory, shared or private (zero(4)) */
    bool is_stream; /* has no position: lseek, pread and pwrite give ESPIPE */
};

struct filesystem_figures {
    uint64_t blocks, free_blocks; /* of a page */
    uint64_t files, free_files;
};

/* Is anybody in it: a working directory, an open file, a mapping? Open for writing, or removed and not yet gone? */
enum filesystem_use { FILESYSTEM_IDLE, FILESYSTEM_USED, FILESYSTEM_WRITTEN };

/* One file system: what its inodes have in common. */
struct filesystem {
    const char *type; /* as /proc/mounts names it */
    char *source;     /* the name that mount(2) gave it, kmalloc()ed; NULL: its type */
    uint64_t magic;   /* f_type of statfs(2) */
    unsigned device;  /* minor number; the major is 0, as for all file systems without a block device */
    unsigned flags;   /* MS_* of mount(2) */
    uint64_t visits;  /* walks that have come in from outside */
    uint64_t expires_after; /* umount2(2), MNT_EXPIRE: if that many have come at the next time; 0: not asked for */
    /*
     * Its inodes keep mode, owner and three times; else they are made on the fly, and mtime stands for all.
     */
    bool keeps_attributes;
    /* Sets what is bounded; may be NULL. */
    void (*figures)(const struct filesystem *filesystem, struct filesystem_figures *figures);
    /* Options for /proc/mounts, each with a comma before; or NULL. */
    void (*options)(const struct filesystem *filesystem, char *text, size_t size);
    /* What can be unmounted has these two. Destroy frees it, idle and out of the tree; may sleep. */
    enum filesystem_use (*use)(const struct filesystem *filesystem);
    void (*destroy)(struct filesystem *filesystem);
    struct inode *root;
    struct inode *covered;         /* the directory that it is mounted on, one reference; NULL: none */
    struct filesystem *next;       /* mounted after this one */
};

static inline bool filesystem_is_read_only(const struct filesystem *filesystem)
{
    return filesystem->flags & MS_RDONLY;
}

struct inode {
    uint32_t refs;
    uint32_t mode; /* S_IFMT and permissions */
    uint64_t number;
    uint64_t size;
    uint32_t links;   /* 0: removed, or never had a name */
    bool is_immutable; /* nobody writes to it, root neither: EPERM (/proc/PID) */
    bool linkable;    /* made without a name, which it may be given once (O_TMPFILE) */
    uint32_t special; /* st_rdev of a device, encoded as stat(2) shows it */
    uint32_t uid, gid;
    int32_t writers;  /* above 0: open for writing so many times; below: run by so many programs */
    int32_t readers;  /* a regular file: open so many times for reading only */
    uint16_t seals;   /* F_SEAL_* of what can be sealed */
    uint16_t write_hint; /* F_SET_RW_HINT: kept to be told again, since there is no disk to be told */
    int64_t atime, mtime, ctime; /* nanoseconds since 1970 */
    int64_t btime;               /* when it was made; 0: not known */
    const struct inode_ops *ops;
    const struct filesystem *filesystem;
    struct inode *parent;  /* one reference; the root of all is its own and holds none; NULL: has no path */
    const char *name;      /* in parent; lives as long as the inode, or until a rename */
    struct inode *mounted; /* the root of the file system that covers this directory, with one reference */
    void *data;            /* the kind's own */
    LIST_HEAD(, held_lock) locks; /* advisory ones: lock.h */
    LIST_HEAD(, lease) leases;
};

extern struct spinlock inode_tree_lock;

struct inode *inode_get(struct inode *inode);
/* May sleep when the reference was the last one. */
void inode_put(struct inode *inode);

/* The entry `name` of a directory, mounts crossed, with one reference; or NULL with *error set. */
struct inode *inode_lookup(struct inode *directory, const char *name, size_t length, int *error) __must_check;

/* The directory that `..` in `directory` means, with one reference. */
struct inode *inode_parent(struct inode *directory) __must_check;

/* Nanoseconds since 1970, now. */
int64_t inode_time_now(void);

/* The contents were changed now (mtime and ctime), or the attributes (ctime). */
void inode_note_change(struct inode *inode);
void inode_note_attributes(struct inode *inode);
/* The contents were read: atime moves as under relatime (mount(8)): once a change, else once a day. */
void inode_note_access(struct inode *inode);

/*
 * May the current process do this (bits of access(2): 4 read, 2 write, 1 execute or search)? 0, -EACCES, or
 * -EROFS.
 */
#define INODE_EXECUTE 1u
#define INODE_WRITE 2u
#define INODE_READ 4u
int inode_permission(const struct inode *inode, unsigned wanted) __must_check;

/* Numbers for inodes that have no other: 1, 2, 3 … over all file systems. */
uint64_t inode_number_new(void);

/* A file that the current process makes: its owner, and the permissions less its umask. */
struct inode_new inode_new_for_process(uint32_t type, uint32_t permissions);

/* Is the current process the file's owner, or root? */
bool inode_is_mine(const struct inode *inode);

/* The mode for a file of this group: only its members and root may give it the set-group-ID bit (chmod(2)). */
uint32_t inode_mode_for_group(uint32_t mode, uint32_t group);

/*
 * The mode without the set-ID bits that a change by the current process takes away: set-user-ID; set-group-ID of what
 * its group may run, and of anything if the process is no member of it (chown(2), write(2)).
 */
uint32_t inode_mode_without_privilege(const struct inode *inode);

/* Who is not root and changes a program's contents takes its set-ID bits away (write(2), inode(7)). */
void inode_drop_privilege(struct inode *inode);

/*
 * A file is written or run as a program, not both at once: -ETXTBSY (open(2), execve(2)). Each enter that
 * returned 0 is followed by its leave. Kernel code is not preempted, so the count has no lock.
 */
int inode_writer_enter(struct inode *inode) __must_check;
void inode_writer_leave(struct inode *inode);
int inode_run_enter(struct inode *inode) __must_check;
void inode_run_leave(struct inode *inode);

/* How many blocks of 512 bytes it occupies. */
static inline uint64_t inode_blocks(const struct inode *inode)
{
    return inode->ops->blocks ? inode->ops->blocks(inode) : 0;
}

/* In what portions it is best read. What is made on the fly has portions of its own, as Linux's /proc. */
static inline unsigned inode_block_size(const struct inode *inode)
{
    return inode->filesystem->keeps_attributes ? PAGE_SIZE : 1024;
}

/* The encoding of (major, minor) that stat(2) uses. */
static inline uint32_t device_encode(unsigned major, unsigned minor)
{
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

#endif
