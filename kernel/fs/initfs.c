// SPDX-License-Identifier: MIT
/*
 * initfs.c: the tree of initial files.
 *
 * Each entry of the archive becomes a node; directories that paths only imply become nodes, too. The tree is
 * built once, before anyone else runs, and never changes, so it has no lock and its nodes are never freed.
 *
 * Contents come through the page cache: a page is copied out of the archive when it is first wanted, and
 * read(2), mmap(2) and exec all see that same frame. Hard links are nodes of their own that share the body of
 * the first.
 */
#include "kernel/fs/initfs.h"

#include "kernel/fs/cpio.h"
#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

struct node {
    struct inode inode;
    STAILQ_HEAD(, node) children; /* directories: in the archive's order */
    STAILQ_ENTRY(node) sibling;

    struct node *body;        /* whose data and cache count: itself, or the first of its hard links */
    const char *data;         /* inside the archive: contents, or a link's target */
    struct pagecache *cache;  /* one reference; NULL: nobody has wanted a page yet */
    LIST_ENTRY(node) linked;  /* nodes with hard links */
    uint32_t archive_number, archive_major, archive_minor;
};

static LIST_HEAD(, node) linked_nodes = LIST_HEAD_INITIALIZER(linked_nodes);
static struct slab_cache node_cache = SLAB_CACHE_INIT(node_cache, "initfs", struct node);

static struct node *node_of(struct inode *inode) { return container_of(inode, struct node, inode); }

/* ---- operations ---- */

static struct node *child_find(struct node *directory, const char *name, size_t length)
{
    struct node *child;
    STAILQ_FOREACH(child, &directory->children, sibling)
        if (!strncmp(child->inode.name, name, length) && !child->inode.name[length])
            return child;
    return NULL;
}

static struct inode *initfs_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    struct node *child = child_find(node_of(directory), name, length);
    if (child)
        return inode_get(&child->inode);
    *error = -ENOENT;
    return NULL;
}

/* Positions count the children. */
static int initfs_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    struct node *child;
    int64_t position = 0;
    STAILQ_FOREACH(child, &node_of(directory)->children, sibling) {
        const struct inode *inode = &child->inode;
        if (position++ < from)
            continue;
        if (!emit(arg, inode->name, strlen(inode->name), inode->number, inode->mode, position))
            break;
    }
    return 0;
}

static ssize_type initfs_readlink(struct inode *inode, char *target, size_t size)
{
    if (inode->size >= size)
        return -ENAMETOOLONG;
    memcpy(target, node_of(inode)->data, inode->size);
    target[inode->size] = '\0';
    return (ssize_type)inode->size;
}

static int initfs_read_page(struct pagecache *cache, uint64_t index, void *page)
{
    const struct node *node = node_of(cache->owner);
    uint64_t start = index << PAGE_SHIFT;
    size_t n = start < node->inode.size ? MIN(node->inode.size - start, PAGE_SIZE) : 0;
    memcpy(page, node->data + start, n);
    memset((char *)page + n, 0, PAGE_SIZE - n);
    return 0;
}

static const struct pagecache_ops cache_ops = { .read_page = initfs_read_page };

/* The body's cache, made at the first wish; its name is the body's path. NULL: memory is out. */
static struct pagecache *node_cache_of(struct node *node)
{
    struct node *body = node->body;
    if (body->cache)
        return body->cache;
    char *path = kmalloc(PATH_MAX);
    if (!path)
        return NULL;
    char *name = path_of(&body->inode, path, PATH_MAX) < 0 ? NULL : kstrdup(path);
    kfree(path);
    if (!name)
        return NULL;
    body->cache = pagecache_create(FRAME_FILE, body->inode.size, &cache_ops, &body->inode, name,
                                    body->inode.number);
    if (!body->cache)
        kfree(name);
    return body->cache;
}

static struct pagecache *initfs_mapping(struct inode *inode)
{
    struct pagecache *cache = node_cache_of(node_of(inode));
    return cache ? pagecache_get(cache) : NULL;
}

static ssize_type initfs_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    struct pagecache *cache = node_cache_of(node_of(file->inode));
    return cache ? file_read_cached(cache, to, offset) : -ENOMEM;
}

static const struct inode_ops directory_ops = { .lookup = initfs_lookup, .list = initfs_list };
static const struct inode_ops link_ops = { .readlink = initfs_readlink };
static const struct inode_ops file_ops = { .read = initfs_read, .mapping = initfs_mapping };

/* ---- building ---- */

static struct filesystem initfs = { .type = "rootfs", .read_only = true };

static const struct inode_ops *ops_for(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return &directory_ops;
    case S_IFLNK:
        return &link_ops;
    case S_IFREG:
        return &file_ops;
    default:
        return NULL;
    }
}

/* A node without contents, in no directory yet. */
static struct node *node_create(const char *name, size_t length, uint32_t mode)
{
    struct node *node = slab_alloc(&node_cache);
    char *copy = kmalloc(length + 1);
    if (!node || !copy)
        panic("initial archive: no memory for its tree (at %s)", name);
    memcpy(copy, name, length);
    STAILQ_INIT(&node->children);
    node->body = node;
    node->inode = (struct inode){
        .refs = 1,
        .mode = mode,
        .number = inode_number_new(),
        .links = S_ISDIR(mode) ? 2 : 1,
        .ops = ops_for(mode),
        .filesystem = &initfs,
        .name = copy,
    };
    return node;
}

/* A directory's size is what its names take, so that it is not 0 (an empty file) to those who look. */
static void child_add(struct node *directory, struct node *child)
{
    STAILQ_INSERT_TAIL(&directory->children, child, sibling);
    child->inode.parent = inode_get(&directory->inode);
    directory->inode.size += 20;
    if (S_ISDIR(child->inode.mode))
        directory->inode.links++;
}

/*
 * The node at `path`, a node of `mode` made where there is none; directories on the way come by themselves. A
 * leading slash and "." mean nothing. NULL: there is ".." in the path, or what is no directory on the way.
 */
static struct node *node_at(const char *path, uint32_t mode)
{
    struct node *node = node_of(initfs.root);
    while (*path) {
        size_t length = 0;
        while (path[length] && path[length] != '/')
            length++;
        const char *name = path, *rest = path + length;
        while (*rest == '/')
            rest++;
        path = rest;
        if (!length || (length == 1 && name[0] == '.'))
            continue;
        if (!S_ISDIR(node->inode.mode) || length > NAME_MAX || (length == 2 && !memcmp(name, "..", 2)))
            return NULL;
        struct node *child = child_find(node, name, length);
        if (!child) {
            child = node_create(name, length, *rest ? S_IFDIR | 0755 : mode);
            child_add(node, child);
        }
        node = child;
    }
    return node;
}

/*
 * Join a node that has other names to the first of them. Whichever of them carries the data gives it to all.
 */
static void node_link(struct node *node, const struct cpio_entry *entry)
{
    struct node *other, *first = NULL;
    LIST_FOREACH(other, &linked_nodes, linked)
        if (other->archive_number == entry->number && other->archive_major == entry->device_major &&
            other->archive_minor == entry->device_minor && other->body == other)
            first = other;
    node->archive_number = entry->number;
    node->archive_major = entry->device_major;
    node->archive_minor = entry->device_minor;
    LIST_INSERT_HEAD(&linked_nodes, node, linked);
    if (first) {
        node->body = first;
        node->inode.number = first->inode.number;
    }
    LIST_FOREACH(other, &linked_nodes, linked) {
        if (other->body != node->body)
            continue;
        other->inode.links = entry->links;
        if (entry->size) {
            other->inode.size = entry->size;
            other->data = entry->data;
        }
    }
    if (!entry->size) {
        node->inode.size = node->body->inode.size;
        node->data = node->body->data;
    }
}

/* Returns what is wrong with the entry, or NULL. */
static const char *entry_add(const struct cpio_entry *entry)
{
    if (!ops_for(entry->mode)) {
        log_info("initial archive: %s: devices and the like are not taken from archives", entry->name);
        return NULL;
    }
    if (S_ISLNK(entry->mode) && (entry->size >= PATH_MAX || memchr(entry->data, '\0', entry->size)))
        return "a symbolic link's target is no path";
    struct node *node = node_at(entry->name, entry->mode);
    if (!node)
        return "its path leads through \"..\", or through what is no directory";
    if ((node->inode.mode ^ entry->mode) & S_IFMT)
        return "the same path was something else before";
    if (node->body != node || node->archive_number)
        return "the same path twice, with hard links";
    node->inode.mode = entry->mode;
    node->inode.mtime = entry->mtime;
    if (S_ISDIR(entry->mode))
        return NULL;
    node->data = entry->data;
    node->inode.size = entry->size;
    if (S_ISREG(entry->mode) && entry->links > 1)
        node_link(node, entry);
    return NULL;
}

struct filesystem *initfs_create(const void *archive, size_t length)
{
    struct cpio cpio = { .data = archive, .length = length };
    struct cpio_entry entry;
    unsigned count = 0;

    struct node *root = node_create("", 0, S_IFDIR | 0755);
    root->inode.parent = &root->inode;
    initfs.root = &root->inode;
    for (int result; length && (result = cpio_next(&cpio, &entry)); count++) {
        if (result < 0)
            panic("initial archive: at byte %lu: %s", cpio.offset, cpio.problem);
        const char *problem = entry_add(&entry);
        if (problem)
            panic("initial archive: %s: %s", entry.name, problem);
    }
    log_info("initial archive: %u files and directories, %lu KiB", count, length >> 10);
    return &initfs;
}

struct inode *initfs_directory(const char *name)
{
    struct node *node = node_at(name, S_IFDIR | 0755);
    if (!node || !S_ISDIR(node->inode.mode))
        panic("initial archive: /%s is no directory, so nothing can be mounted on it", name);
    return &node->inode;
}
