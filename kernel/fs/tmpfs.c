// SPDX-License-Identifier: MIT
/*
 * tmpfs.c: file systems in memory: making them, and the life of their nodes.
 */
#include "kernel/fs/tmpfs.h"

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>

#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"

static struct slab_cache tmpfs_cache = SLAB_CACHE_INIT(tmpfs_cache, "tmpfs", struct tmpfs);
static struct slab_cache node_cache = SLAB_CACHE_INIT(node_cache, "tmpfs-node", struct node);

/* ---- nodes ---- */

static ssize_type link_read(struct inode *inode, char *target, size_t size)
{
    if (inode->size >= size)
        return -ENAMETOOLONG;
    memcpy(target, node_of(inode)->target, inode->size + 1);
    return (ssize_type)inode->size;
}

static const struct inode_ops link_ops = { .readlink = link_read, .destroy = node_destroy };

/* Devices and named pipes: what opening them means is file_open()'s. */
static const struct inode_ops special_ops = { .destroy = node_destroy };

static const struct inode_ops *ops_for(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return &tmpfs_directory_ops;
    case S_IFLNK:
        return &link_ops;
    case S_IFREG:
        return &tmpfs_file_ops;
    default:
        return &special_ops;
    }
}

/* What a node of its kind needs beside itself. 0 or -ENOMEM. */
static int node_equip(struct node *node, const struct inode_new *new)
{
    TAILQ_INIT(&node->entries);
    LIST_INIT(&node->names);
    mutex_init(&node->lock);
    if (S_ISREG(new->mode))
        return node_create_cache(node, FRAME_SHM);
    if (S_ISDIR(new->mode))
        node->inode.size = 2 * ENTRY_BYTES;
    if (!S_ISLNK(new->mode))
        return 0;
    node->target = kstrdup(new->target);
    node->inode.size = strlen(new->target);
    return node->target ? 0 : -ENOMEM;
}

static bool node_count(struct tmpfs *tmpfs)
{
    bool fits = __atomic_fetch_add(&tmpfs->nodes, 1, __ATOMIC_RELAXED) < tmpfs->nodes_max;
    if (!fits)
        __atomic_sub_fetch(&tmpfs->nodes, 1, __ATOMIC_RELAXED);
    return fits;
}

int node_create(struct tmpfs *tmpfs, const struct inode_new *new, struct node **made)
{
    if (!node_count(tmpfs))
        return -ENOSPC;
    struct node *node = slab_alloc(&node_cache);
    if (!node) {
        __atomic_sub_fetch(&tmpfs->nodes, 1, __ATOMIC_RELAXED);
        return -ENOMEM;
    }
    int64_t now = inode_time_now();
    node->inode = (struct inode){
        .refs = 1,
        .mode = new->mode,
        .number = inode_number_new(),
        .special = new->special,
        .uid = new->uid,
        .gid = new->gid,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .btime = now,
        .ops = ops_for(new->mode),
        .filesystem = &tmpfs->filesystem,
        .seals = S_ISREG(new->mode) ? F_SEAL_SEAL : 0, /* only memfd_create(2) makes what can have more */
    };
    int error = node_equip(node, new);
    if (error) {
        node_free(node);
        return error;
    }
    *made = node;
    return 0;
}

void node_free(struct node *node)
{
    BUG_ON(!TAILQ_EMPTY(&node->entries), "directory %lu goes with files in it", node->inode.number);
    __atomic_sub_fetch(&tmpfs_of(&node->inode)->nodes, 1, __ATOMIC_RELAXED);
    kfree(node->shown);
    kfree(node->target);
    slab_free(&node_cache, node);
}

/* What /proc/PID/maps shows of a file that is only mapped any more; NULL when memory is out. */
static char *deleted_path(const struct inode *inode)
{
    char *path = kmalloc(PATH_MAX + PATH_DELETED_SIZE);
    if (!path)
        return NULL;
    char *name = path_text(inode, path, PATH_MAX + PATH_DELETED_SIZE) < 0 ? NULL : kstrdup(path);
    kfree(path);
    return name;
}

void node_destroy(struct inode *inode)
{
    struct node *node = node_of(inode);
    struct pagecache *cache = node->cache;
    if (!cache) {
        node_free(node);
        return;
    }
    if (cache->refs > 1 && !cache->name)
        cache->name = deleted_path(inode);
    inode->parent = NULL;
    pagecache_put(cache); /* the last reference frees the node: now, or when the last mapping goes */
}

/* ---- file systems ---- */

static void tmpfs_figures(const struct filesystem *filesystem, struct filesystem_figures *figures)
{
    const struct tmpfs *tmpfs = container_of((struct filesystem *)filesystem, struct tmpfs, filesystem);
    if (tmpfs->pages.limit != TMPFS_UNBOUNDED) {
        figures->blocks = tmpfs->pages.limit;
        figures->free_blocks = tmpfs->pages.limit - MIN(tmpfs->pages.used, tmpfs->pages.limit);
    }
    if (tmpfs->nodes_max != TMPFS_UNBOUNDED) {
        figures->files = tmpfs->nodes_max;
        figures->free_files = tmpfs->nodes_max - MIN(tmpfs->nodes, tmpfs->nodes_max);
    }
}

bool tmpfs_directory_is_empty(const struct inode *directory)
{
    return TAILQ_EMPTY(&node_of(directory)->entries);
}

struct filesystem *tmpfs_create(const char *type, uint32_t mode)
{
    const struct inode_new new = { .mode = S_IFDIR | mode };
    struct node *root;
    struct tmpfs *tmpfs = slab_alloc(&tmpfs_cache);
    if (!tmpfs)
        return NULL;
    tmpfs->filesystem = (struct filesystem){
        .type = type,
        .magic = TMPFS_MAGIC,
        .keeps_attributes = true,
        .figures = tmpfs_figures,
        .options = tmpfs_options_show,
        .use = tmpfs_use,
        .destroy = tmpfs_destroy,
    };
    tmpfs->pages.limit = tmpfs->nodes_max = frame_total_count() / 2;
    if (node_create(tmpfs, &new, &root)) {
        slab_free(&tmpfs_cache, tmpfs);
        return NULL;
    }
    root->inode.links = 2;
    tmpfs->filesystem.root = &root->inode;
    return &tmpfs->filesystem;
}

void tmpfs_destroy(struct filesystem *filesystem)
{
    struct tmpfs *tmpfs = container_of(filesystem, struct tmpfs, filesystem);
    node_clear(node_of(filesystem->root));
    inode_put(filesystem->root);
    BUG_ON(tmpfs->nodes, "a file system goes with %lu files in it", tmpfs->nodes);
    slab_free(&tmpfs_cache, tmpfs);
}

int tmpfs_create_nameless(const char *name, struct inode **made)
{
    static struct filesystem *nameless;
    const struct inode_new new = { .mode = S_IFREG | 0777 };
    char path[NAME_MAX + 32];
    struct node *node;

    if (!nameless)
        nameless = tmpfs_create("tmpfs", 0700);
    if (!nameless)
        return -ENOMEM;
    int error = node_create(container_of(nameless, struct tmpfs, filesystem), &new, &node);
    if (error)
        return error;
    snprintf(path, sizeof path, "/memfd:%s (deleted)", name);
    node->cache->name = kstrdup(path);
    if (!node->cache->name) {
        inode_put(&node->inode);
        return -ENOMEM;
    }
    *made = &node->inode;
    return 0;
}
