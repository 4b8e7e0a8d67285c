// SPDX-License-Identifier: MIT
/*
 * notify.c: who wants to know what happens in which directory.
 *
 * One list of all: there are few, and mostly none. Kernel code is not preempted, and all who come here are system calls
 * that do not sleep while they do, so the list has no lock.
 */
#include "kernel/fs/notify.h"

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"

struct watch {
    const struct file *file;   /* opened on the directory; it closes before it goes */
    const struct files *files; /* of the process that asked */
    unsigned events;
    struct async_list owner; /* whom to tell: the file */
    LIST_ENTRY(watch) link;
};

struct watch_list notify_watches = LIST_HEAD_INITIALIZER(notify_watches);
static struct slab_cache watch_cache = SLAB_CACHE_INIT(watch_cache, "watch", struct watch);

static struct watch *watch_find(const struct file *file, const struct files *files)
{
    struct watch *watch;
    LIST_FOREACH(watch, &notify_watches, link)
        if (watch->file == file && watch->files == files)
            break;
    return watch;
}

static void watch_end(struct watch *watch)
{
    async_remove(&watch->owner, watch->file);
    LIST_REMOVE(watch, link);
    slab_free(&watch_cache, watch);
}

static struct watch *watch_create(const struct file *file)
{
    struct watch *watch = slab_alloc(&watch_cache);
    if (!watch)
        return NULL;
    *watch = (struct watch){ .file = file, .files = current()->files };
    LIST_INIT(&watch->owner);
    LIST_INSERT_HEAD(&notify_watches, watch, link);
    return watch;
}

int notify_watch(struct file *file, int fd, unsigned events)
{
    struct watch *watch = watch_find(file, current()->files);
    if (!(events & ~(unsigned)DN_MULTISHOT)) {
        if (watch)
            watch_end(watch);
        return 0;
    }
    if (!S_ISDIR(file->inode->mode))
        return -ENOTDIR;
    if (!watch)
        watch = watch_create(file);
    if (!watch)
        return -ENOMEM;
    int error = async_add(&watch->owner, file, fd);
    if (error) {
        if (!watch->events) /* it is new */
            watch_end(watch);
        return error;
    }
    watch->events |= events;
    file_owner_set_default(file, F_OWNER_PID, current()->leader->pid);
    return 0;
}

void notify_forget(const struct file *file, const struct files *files)
{
    struct watch *watch = watch_find(file, files);
    if (watch)
        watch_end(watch);
}

void notify_tell(const struct inode *directory, unsigned event)
{
    struct watch *watch, *next;
    for (watch = LIST_FIRST(&notify_watches); watch; watch = next) {
        next = LIST_NEXT(watch, link);
        if (watch->file->inode != directory || !(watch->events & event))
            continue;
        async_notify(&watch->owner, POLL_MSG);
        if (!(watch->events & DN_MULTISHOT))
            watch_end(watch);
    }
}

void notify_tell_around(const struct inode *inode, unsigned event)
{
    if (inode->parent && inode->parent != inode)
        notify_tell(inode->parent, event);
    if (S_ISDIR(inode->mode))
        notify_tell(inode, event);
}
