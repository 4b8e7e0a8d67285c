// SPDX-License-Identifier: MIT
/*
 * notify.h: signals that tell what happens in a directory (fcntl(2), F_NOTIFY).
 *
 * The calls that do something to files say so here. Events are DN_*: of what lies in a directory, and of that itself.
 */
#ifndef KERNEL_FS_NOTIFY_H
#define KERNEL_FS_NOTIFY_H

#include <linux/fcntl.h>
#include <sys/queue.h>

#include "kernel/lib/types.h"

struct file;
struct files;
struct inode;
struct watch;

LIST_HEAD(watch_list, watch);
extern struct watch_list notify_watches;

/*
 * F_NOTIFY: tell the file's owner, the current process if it has none, of these events in the directory: once, or
 * with DN_MULTISHOT for ever. A further call adds events; no event: no more of it. 0, -ENOTDIR, -ENOMEM.
 */
int notify_watch(struct file *file, int fd, unsigned events) __must_check;

/* A process with this table has closed the file: what it asked for is over. */
void notify_forget(const struct file *file, const struct files *files);
static inline void notify_note_close(const struct file *file, const struct files *files)
{
    if (!LIST_EMPTY(&notify_watches))
        notify_forget(file, files);
}

/* It has happened in the directory, to one of its names. */
void notify_tell(const struct inode *directory, unsigned event);
static inline void notify_directory(const struct inode *directory, unsigned event)
{
    if (!LIST_EMPTY(&notify_watches))
        notify_tell(directory, event);
}

/* It has happened to the file, which lies in its parent; a directory hears of itself as well. */
void notify_tell_around(const struct inode *inode, unsigned event);
static inline void notify_inode(const struct inode *inode, unsigned event)
{
    if (!LIST_EMPTY(&notify_watches))
        notify_tell_around(inode, event);
}

#endif
