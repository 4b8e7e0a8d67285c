// SPDX-License-Identifier: MIT
/*
 * proc_fd.c: /proc/PID/fd: a link for each open descriptor, which leads to the file itself, whatever its text
 * says; and fdinfo: what is known about it (proc(5)).
 */
#include "kernel/fs/file.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

#define LINK_SIZE 64 /* of a descriptor's link, whatever its text: as on Linux */
#define FD_NAME_MAX 7 /* digits: descriptors are below 2^20 */

/* What the descriptor refers to: its inode with a reference, and its flags; NULL: it is not open. */
static struct inode *descriptor_inode(const struct proc_id *id, unsigned fd, unsigned *flags)
{
    struct inode *inode = NULL;
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    const struct file *file = process && process->files ? files_peek(process->files, fd) : NULL;
    if (file) {
        inode = inode_get(file->inode);
        *flags = file->flags;
    }
    spin_unlock_irq(&process_lock, irq);
    return inode;
}

static unsigned link_mode(unsigned flags)
{
    unsigned access = flags & O_ACCMODE;
    return S_IFLNK | (access != O_WRONLY ? 0500 : 0) | (access != O_RDONLY ? 0300 : 0);
}

/* An inode's name in its directory is its descriptor. */
static unsigned descriptor_of(const struct inode *inode)
{
    const char *end;
    return (unsigned)string_to_ulong(inode->name, &end, 10);
}

static struct inode *link_follow(struct inode *inode, int *error)
{
    unsigned flags;
    *error = proc_check_look(proc_id_of(inode));
    if (*error)
        return NULL;
    *error = -ENOENT;
    return descriptor_inode(proc_id_of(inode), descriptor_of(inode), &flags);
}

/* Of what has no path: as mappings of it are named (memfd_create(2)), or its kind and its name or number. */
static ssize_type nameless_text(struct inode *file, char *target, size_t size)
{
    struct pagecache *cache = file->ops->mapping ? file->ops->mapping(file) : NULL;
    int length;
    if (cache && cache->name)
        length = snprintf(target, size, "%s", cache->name);
    else if (file->name)
        length = snprintf(target, size, "anon_inode:[%s]", file->name);
    else
        length = snprintf(target, size, "%s:[%lu]", S_ISFIFO(file->mode) ? "pipe" : "anon_inode", file->number);
    if (cache)
        pagecache_put(cache);
    return (size_t)length < size ? length : -ENAMETOOLONG;
}

/* The path; for what has none its kind and number. */
static ssize_type link_readlink(struct inode *inode, char *target, size_t size)
{
    int error;
    struct inode *file = link_follow(inode, &error);
    if (!file)
        return error;
    ssize_type length = path_text(file, target, size);
    if (length == -ENOENT)
        length = nameless_text(file, target, size);
    inode_put(file);
    return length;
}

static const struct inode_ops link_ops = {
    .readlink = link_readlink,
    .follow = link_follow,
    .destroy = proc_destroy,
};

/* A decimal number without leading zeroes, or -1. */
static int descriptor_parse(const char *name, size_t length)
{
    int fd = 0;
    if (!length || length > FD_NAME_MAX || (name[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        fd = fd * 10 + name[i] - '0';
    }
    return fd;
}

/* The inode for the open descriptor of that name, whose mode is made from the descriptor's flags. */
static struct inode *entry_lookup(struct inode *directory, const char *name, size_t length,
                                  unsigned (*mode)(unsigned flags), const struct inode_ops *ops, int *error)
{
    unsigned flags;
    int fd = descriptor_parse(name, length);
    *error = proc_check_look(proc_id_of(directory));
    if (*error)
        return NULL;
    struct inode *file = fd < 0 ? NULL : descriptor_inode(proc_id_of(directory), (unsigned)fd, &flags);
    *error = file ? -ENOMEM : -ENOENT;
    if (!file)
        return NULL;
    inode_put(file);
    char text[12];
    snprintf(text, sizeof text, "%d", fd);
    return proc_inode_create(directory, (uint64_t)fd, mode(flags), text, ops);
}

static struct inode *fd_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    struct inode *link = entry_lookup(directory, name, length, link_mode, &link_ops, error);
    if (link)
        link->size = LINK_SIZE;
    return link;
}

/* The lowest open descriptor from `fd` on; -1: there is none; -ESRCH: the process is gone. */
static int descriptor_next(const struct proc_id *id, unsigned fd, unsigned *flags)
{
    int found = -1;
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    unsigned capacity = process && process->files ? files_capacity(process->files) : 0;
    for (; fd < capacity && found < 0; fd++) {
        const struct file *file = files_peek(process->files, fd);
        if (file) {
            found = (int)fd;
            *flags = file->flags;
        }
    }
    spin_unlock_irq(&process_lock, irq);
    return process ? found : -ESRCH;
}

/* Positions are descriptors. */
static int entry_list(struct inode *directory, int64_t from, directory_emit emit, void *arg,
                      unsigned (*mode)(unsigned flags))
{
    unsigned flags = 0;
    int fd = (int)MIN(from, INT_MAX);
    while ((fd = descriptor_next(proc_id_of(directory), (unsigned)fd, &flags)) >= 0) {
        char name[12];
        int length = snprintf(name, sizeof name, "%d", fd);
        uint64_t number = proc_inode_number(directory, (uint64_t)fd);
        if (!emit(arg, name, (size_t)length, number, mode(flags), fd + 1))
            break;
        fd++;
    }
    return fd == -ESRCH ? -ENOENT : 0;
}

static int fd_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    return entry_list(directory, from, emit, arg, link_mode);
}

static int fd_open(struct file *file) { return proc_check_look(proc_id_of(file->inode)); }

const struct inode_ops proc_fd_ops = {
    .open = fd_open,
    .lookup = fd_lookup,
    .list = fd_list,
    .destroy = proc_destroy,
};

/* ---- fdinfo ---- */

#define FDINFO_MAX 128

/* The text about a descriptor; its length, or -ENOENT: it was closed. */
static int fdinfo_text(const struct proc_id *id, unsigned fd, char *text)
{
    int length = -ENOENT;
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    const struct file *file = process && process->files ? files_peek(process->files, fd) : NULL;
    if (file) {
        bool closes = files_peek_closes_on_exec(process->files, fd);
        length = snprintf(text, FDINFO_MAX, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", file->position,
                          file->flags | (closes ? O_CLOEXEC : 0), file->inode->filesystem->device,
                          file->inode->number);
    }
    spin_unlock_irq(&process_lock, irq);
    return length;
}

static ssize_type fdinfo_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    char text[FDINFO_MAX];
    int length = fdinfo_text(proc_id_of(file->inode), descriptor_of(file->inode), text);
    if (length < 0 || offset >= (uint64_t)length)
        return MIN(length, 0);
    return buffer_put(to, 0, text + offset, MIN(to->length, (size_t)length - offset));
}

static const struct inode_ops fdinfo_file_ops = { .open = fd_open, .read = fdinfo_read, .destroy = proc_destroy };

static unsigned fdinfo_mode(unsigned flags)
{
    (void)flags;
    return S_IFREG | 0444;
}

static struct inode *fdinfo_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    return entry_lookup(directory, name, length, fdinfo_mode, &fdinfo_file_ops, error);
}

static int fdinfo_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    return entry_list(directory, from, emit, arg, fdinfo_mode);
}

const struct inode_ops proc_fdinfo_ops = {
    .open = fd_open,
    .lookup = fdinfo_lookup,
    .list = fdinfo_list,
    .destroy = proc_destroy,
};
