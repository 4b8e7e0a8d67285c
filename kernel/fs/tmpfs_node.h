// SPDX-License-Identifier: MIT
/*
 * tmpfs_node.h: inside of tmpfs: its nodes and the names that lead to them.
 *
 * A node is a file of any kind; an entry is a name in a directory. A file may have several entries, a
 * directory has one. An entry holds a reference to its node; a node that has a name holds one to its
 * parent. So the tree keeps itself alive, and a file ends when its last name and its last user are gone.
 *
 * The contents of a regular file are a page cache. Whoever maps it holds the cache, not the node: a node
 * whose cache is still mapped stays in memory until the cache goes (node_release()).
 *
 * Locks: inode_tree_lock for entries, links and names. node->lock (a mutex, before any of mm's) keeps
 * writers of a regular file apart, and apart from changes of its size.
 */
#ifndef KERNEL_FS_TMPFS_NODE_H
#define KERNEL_FS_TMPFS_NODE_H

#include <sys/queue.h>

#include "kernel/fs/inode.h"
#include "kernel/wait.h"

struct tmpfs {
    struct filesystem filesystem;
    struct pagecache_quota pages;
    uint64_t nodes, nodes_max; /* nodes: atomic */
};

#define TMPFS_UNBOUNDED (1ul << 62) /* as a limit of pages or nodes: none */
#define ENTRY_BYTES 20 /* what a name (. and .. among them) adds to its directory's size, as on Linux's tmpfs */

struct node;

struct entry {
    struct node *node;      /* one reference to its inode */
    struct node *directory; /* that it lies in */
    TAILQ_ENTRY(entry) sibling;
    LIST_ENTRY(entry) alias;
    int64_t position; /* in the directory's listing: never used again */
    uint32_t hash;    /* of the name: most that differ, differ here */
    uint32_t length;
    char name[]; /* NUL terminated */
};

struct node {
    struct inode inode;
    TAILQ_HEAD(, entry) entries; /* of a directory, descending by position */
    int64_t last_position;
    LIST_HEAD(, entry) names; /* that lead here */
    struct entry *shown;      /* whose name the inode has: of `names`, or the last one there was */

    struct pagecache *cache; /* regular files: one reference */
    struct mutex lock;
    const char *backing; /* regular files that began with contents: those, … */
    uint64_t backing_size; /* … as far as they still count */
    char *target; /* symbolic links */
};

static inline struct node *node_of(const struct inode *inode)
{
    return container_of((struct inode *)inode, struct node, inode);
}

static inline struct tmpfs *tmpfs_of(const struct inode *inode)
{
    return container_of((struct filesystem *)inode->filesystem, struct tmpfs, filesystem);
}

/* A node with one reference and no name. 0, -ENOSPC or -ENOMEM. tmpfs.c */
int node_create(struct tmpfs *tmpfs, const struct inode_new *new, struct node **made) __must_check;
/* The inode's destroy operation; the cache's release operation. */
void node_destroy(struct inode *inode);

/* tmpfs_file.c: what regular files can do, and their cache (0 or -ENOMEM). */
extern const struct inode_ops tmpfs_file_ops;
int node_create_cache(struct node *node, enum frame_kind kind) __must_check;
/* The cache's last reference is gone: frees what is left of the node. tmpfs.c */
void node_free(struct node *node);

/* tmpfs_mount.c: operations of the file system. */
enum filesystem_use tmpfs_use(const struct filesystem *filesystem);
void tmpfs_options_show(const struct filesystem *filesystem, char *text, size_t size);

/* Remove all that lies in the directory, at any depth. Nothing in it is mounted on. tmpfs_directory.c */
void node_clear(struct node *directory);

/* tmpfs_directory.c: what directories can do. */
extern const struct inode_ops tmpfs_directory_ops;

/* An entry outside any directory, or NULL. */
struct entry *entry_create(const char *name, size_t length) __must_check;
/* The entry of that name, or NULL. The tree's lock is held. */
struct entry *entry_find_locked(struct node *directory, const char *name, size_t length);
/*
 * Put the entry for `node` into the directory, which lives. Takes a reference to the node. The lock is
 * held.
 */
void entry_insert_locked(struct node *directory, struct entry *entry, struct node *node);

#endif
