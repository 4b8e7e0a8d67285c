// SPDX-License-Identifier: MIT
/*
 * initfs.c: filling the root file system from the initial archive.
 *
 * Each entry of the archive becomes a file; directories that paths only imply come by themselves. Contents
 * are not copied: a page leaves the archive when it is first wanted (tmpfs_file.c), and read(2), mmap(2)
 * and exec all see that same frame.
 *
 * All this happens once, before anyone else runs, so there are no locks.
 */
#include "kernel/fs/initfs.h"

#include "kernel/fs/cpio.h"
#include "kernel/fs/file.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define NANOSECONDS 1000000000l

static struct inode *root;

/* A file that has further names, by its number in the archive. */
struct linked {
    LIST_ENTRY(linked) link;
    struct inode *inode;
    uint32_t number, major, minor;
};

static LIST_HEAD(, linked) linked_files = LIST_HEAD_INITIALIZER(linked_files);

/* No references are kept along the way: nothing is removed before init runs. */
static struct inode *borrow(struct inode *inode)
{
    inode_put(inode);
    return inode;
}

static struct inode *child_find(struct inode *directory, const char *name, size_t length)
{
    int error;
    struct inode *child = inode_lookup(directory, name, length, &error);
    return child ? borrow(child) : NULL;
}

static struct inode *child_create(struct inode *directory, const char *name, size_t length,
                                  const struct inode_new *new)
{
    struct inode *made;
    int error = directory->ops->create(directory, name, length, new, &made);
    if (error)
        panic("initial archive: cannot make %s: error %d", name, -error);
    return borrow(made);
}

/*
 * The directory that `path` lies in, made with all above it where there is none; *name is the last name. A
 * leading slash and "." mean nothing. NULL: there is ".." in the path, or what is no directory on the way.
 */
static struct inode *parent_of(const char *path, const char **name, size_t *length)
{
    struct inode *at = root;
    *name = NULL;
    *length = 0;
    while (*path) {
        size_t n = 0;
        while (path[n] && path[n] != '/')
            n++;
        const char *next = path;
        path += n;
        while (*path == '/')
            path++;
        if (!n || (n == 1 && next[0] == '.'))
            continue;
        if (n > NAME_MAX || (n == 2 && !memcmp(next, "..", 2)))
            return NULL;
        if (*name) {
            struct inode *child = child_find(at, *name, *length);
            if (!child)
                child = child_create(at, *name, *length, &(struct inode_new){ .mode = S_IFDIR | 0755 });
            at = child;
        }
        if (!S_ISDIR(at->mode))
            return NULL;
        *name = next;
        *length = n;
    }
    return at;
}

static struct linked *linked_find(const struct cpio_entry *entry)
{
    struct linked *linked;
    LIST_FOREACH(linked, &linked_files, link)
        if (linked->number == entry->number && linked->major == entry->device_major &&
            linked->minor == entry->device_minor)
            return linked;
    return NULL;
}

static void linked_add(const struct cpio_entry *entry, struct inode *inode)
{
    struct linked *linked = kmalloc(sizeof *linked);
    if (!linked)
        panic("initial archive: no memory for its links");
    *linked = (struct linked){
        .inode = inode,
        .number = entry->number,
        .major = entry->device_major,
        .minor = entry->device_minor,
    };
    LIST_INSERT_HEAD(&linked_files, linked, link);
}

static void linked_forget(void)
{
    struct linked *linked;
    while ((linked = LIST_FIRST(&linked_files))) {
        LIST_REMOVE(linked, link);
        kfree(linked);
    }
}

/* The file of an entry whose name is free: a new one, or a further name of one that came before. */
static struct inode *file_for(const struct cpio_entry *entry, struct inode *parent, const char *name,
                              size_t length)
{
    bool many = S_ISREG(entry->mode) && entry->links > 1;
    struct linked *first = many ? linked_find(entry) : NULL;
    if (first) {
        if (parent->ops->link(parent, name, length, first->inode))
            panic("initial archive: cannot link %s", name);
        return first->inode;
    }
    struct inode_new new = { .mode = entry->mode };
    if (S_ISLNK(entry->mode)) {
        char *target = kmalloc(entry->size + 1ul);
        if (!target)
            panic("initial archive: no memory for a link's target");
        memcpy(target, entry->data, entry->size);
        new.target = target;
    }
    struct inode *inode = child_create(parent, name, length, &new);
    kfree((void *)new.target);
    if (many)
        linked_add(entry, inode);
    return inode;
}

/* Returns what is wrong with the entry, or NULL. */
static const char *entry_add(const struct cpio_entry *entry)
{
    const char *name;
    size_t length;
    if (!S_ISREG(entry->mode) && !S_ISDIR(entry->mode) && !S_ISLNK(entry->mode)) {
        log_info("initial archive: %s: devices and the like are not taken from archives", entry->name);
        return NULL;
    }
    if (S_ISLNK(entry->mode) &&
        (!entry->size || entry->size >= PATH_MAX || memchr(entry->data, '\0', entry->size)))
        return "a symbolic link's target is no path";
    struct inode *parent = parent_of(entry->name, &name, &length);
    if (!parent)
        return "its path leads through \"..\", or through what is no directory";
    struct inode *inode = name ? child_find(parent, name, length) : root;
    if (inode && (inode->mode ^ entry->mode) & S_IFMT)
        return "the same path was something else before";
    if (inode && !S_ISDIR(inode->mode))
        return "the same path twice";
    if (!inode)
        inode = file_for(entry, parent, name, length);
    inode->mode = entry->mode;
    if (S_ISREG(entry->mode) && entry->size) /* of hard links, one brings the contents for all */
        tmpfs_set_contents(inode, entry->data, entry->size);
    inode->atime = inode->mtime = inode->ctime = entry->mtime * NANOSECONDS;
    return NULL;
}

struct filesystem *initfs_create(const void *archive, size_t length)
{
    struct cpio cpio = { .data = archive, .length = length };
    struct cpio_entry entry;
    unsigned count = 0;

    struct filesystem *filesystem = tmpfs_create("rootfs", 0755);
    if (!filesystem)
        panic("no memory for the root file system");
    root = filesystem->root;
    root->parent = root;
    root->name = "";
    for (int result; length && (result = cpio_next(&cpio, &entry)); count++) {
        if (result < 0)
            panic("initial archive: at byte %lu: %s", cpio.offset, cpio.problem);
        const char *problem = entry_add(&entry);
        if (problem)
            panic("initial archive: %s: %s", entry.name, problem);
    }
    linked_forget();
    log_info("initial archive: %u files and directories, %lu KiB", count, length >> 10);
    return filesystem;
}

struct inode *initfs_directory(const char *name)
{
    size_t length = strlen(name);
    struct inode *inode = child_find(root, name, length);
    if (!inode)
        inode = child_create(root, name, length, &(struct inode_new){ .mode = S_IFDIR | 0755 });
    if (!S_ISDIR(inode->mode))
        panic("initial archive: /%s is no directory, so nothing can be mounted on it", name);
    return inode;
}
