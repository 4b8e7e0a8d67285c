// SPDX-License-Identifier: MIT
/*
 * tmpfs_directory.c: names in tmpfs: looking them up, making, moving and removing them.
 *
 * Each change takes its memory first, then does all of its work under inode_tree_lock, so that nobody sees
 * half of it; references that may be the last ones are given back after that.
 */
#include <linux/fs.h>

#include "kernel/fs/tmpfs_node.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define LINKS_MAX 65000u

static uint32_t name_hash(const char *name, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash;
}

struct entry *entry_create(const char *name, size_t length)
{
    struct entry *entry = kmalloc(sizeof *entry + length + 1);
    if (!entry)
        return NULL;
    memcpy(entry->name, name, length);
    entry->length = (uint32_t)length;
    entry->hash = name_hash(name, length);
    return entry;
}

struct entry *entry_find_locked(struct node *directory, const char *name, size_t length)
{
    uint32_t hash = name_hash(name, length);
    struct entry *entry;
    TAILQ_FOREACH(entry, &directory->entries, sibling)
        if (entry->hash == hash && entry->length == length && !memcmp(entry->name, name, length))
            return entry;
    return NULL;
}

/* ---- entries in and out; the tree's lock is held ---- */

static void node_show(struct node *node, struct entry *entry)
{
    node->shown = entry;
    node->inode.name = entry->name;
    node->inode.parent = inode_get(&entry->directory->inode);
}

void entry_insert_locked(struct node *directory, struct entry *entry, struct node *node)
{
    bool is_directory = S_ISDIR(node->inode.mode);
    ASSERT(spin_is_held(&inode_tree_lock));
    entry->node = node;
    entry->directory = directory;
    entry->position = ++directory->last_position;
    TAILQ_INSERT_HEAD(&directory->entries, entry, sibling);
    LIST_INSERT_HEAD(&node->names, entry, alias);
    inode_get(&node->inode);
    node->inode.links += is_directory ? 2 : 1;
    node->inode.linkable = false;
    directory->inode.links += is_directory;
    directory->inode.size += ENTRY_BYTES;
    if (!node->shown)
        node_show(node, entry);
}

/* What removing an entry leaves to be given back when the lock is not held any more. All may be NULL. */
struct remains {
    struct inode *inode, *parent;
    struct entry *entry;
};

static void remains_put(struct remains *remains)
{
    kfree(remains->entry);
    inode_put(remains->parent);
    inode_put(remains->inode);
}

/* The last entry of a node stays with it, for its name and parent are still asked for ("… (deleted)"). */
static void entry_remove_locked(struct entry *entry, struct remains *remains)
{
    struct node *node = entry->node, *directory = entry->directory;
    bool is_directory = S_ISDIR(node->inode.mode);
    TAILQ_REMOVE(&directory->entries, entry, sibling);
    LIST_REMOVE(entry, alias);
    directory->inode.size -= ENTRY_BYTES;
    directory->inode.links -= is_directory;
    node->inode.links -= is_directory ? 2 : 1;
    remains->inode = &node->inode;
    if (node->shown != entry) {
        remains->entry = entry;
    } else if (!LIST_EMPTY(&node->names)) {
        remains->entry = entry;
        remains->parent = node->inode.parent;
        node_show(node, LIST_FIRST(&node->names));
    }
}

static bool directory_lives(const struct node *directory) { return directory->inode.links > 0; }

/* ---- operations ---- */

static struct inode *directory_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    spin_lock(&inode_tree_lock);
    const struct entry *entry = entry_find_locked(node_of(directory), name, length);
    struct inode *inode = entry ? inode_get(&entry->node->inode) : NULL;
    spin_unlock(&inode_tree_lock);
    if (!inode)
        *error = -ENOENT;
    return inode;
}

/*
 * Positions belong to entries for ever, so a listing goes on rightly whatever is made or removed meanwhile. The newest
 * come first: what is made during a listing lies before its place, so it ends even if each entry makes another.
 */
static int directory_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    struct entry *entry;
    spin_lock(&inode_tree_lock);
    TAILQ_FOREACH(entry, &node_of(directory)->entries, sibling) {
        const struct inode *inode = &entry->node->inode;
        if (from && entry->position >= from)
            continue;
        if (!emit(arg, entry->name, entry->length, inode->number, inode->mode, entry->position))
            break;
    }
    spin_unlock(&inode_tree_lock);
    inode_note_access(directory);
    return 0;
}

/* Enter `node` under the name, if that is free. 0, -EEXIST, -ENOENT; the entry is then the caller's. */
static int entry_add(struct node *directory, struct entry *entry, struct node *node)
{
    int error = 0;
    spin_lock(&inode_tree_lock);
    if (!directory_lives(directory))
        error = -ENOENT;
    else if (entry_find_locked(directory, entry->name, entry->length))
        error = -EEXIST;
    else
        entry_insert_locked(directory, entry, node);
    spin_unlock(&inode_tree_lock);
    return error;
}

/* A set-group-ID directory hands its group down, and directories the bit as well (inode(7)). */
static void new_inherit(struct inode_new *new, const struct inode *directory)
{
    if (!(directory->mode & S_ISGID))
        return;
    new->gid = directory->gid;
    if (S_ISDIR(new->mode))
        new->mode |= S_ISGID;
    else if (new->mode & S_IXGRP)
        new->mode = inode_mode_for_group(new->mode, new->gid);
}

static int directory_create(struct inode *directory, const char *name, size_t length,
                            const struct inode_new *wanted, struct inode **made)
{
    struct inode_new new = *wanted;
    struct node *node;
    new_inherit(&new, directory);
    int error = node_create(tmpfs_of(directory), &new, &node);
    if (error)
        return error;
    if (name) {
        struct entry *entry = entry_create(name, length);
        error = entry ? entry_add(node_of(directory), entry, node) : -ENOMEM;
        if (error) {
            kfree(entry);
            inode_put(&node->inode);
            return error;
        }
        inode_note_change(directory);
    }
    node->inode.linkable = !name;
    *made = &node->inode;
    return 0;
}

static int directory_link(struct inode *directory, const char *name, size_t length, struct inode *inode)
{
    struct node *node = node_of(inode);
    if (!inode->links && !inode->linkable)
        return -ENOENT;
    if (inode->links >= LINKS_MAX)
        return -EMLINK;
    struct entry *entry = entry_create(name, length);
    int error = entry ? entry_add(node_of(directory), entry, node) : -ENOMEM;
    if (error) {
        kfree(entry);
        return error;
    }
    inode_note_attributes(inode);
    inode_note_change(directory);
    return 0;
}

static int removal_check(const struct entry *entry, enum inode_removal removal)
{
    if (!entry)
        return -ENOENT;
    const struct node *node = entry->node;
    if (removal == REMOVE_FILE)
        return S_ISDIR(node->inode.mode) ? -EISDIR : 0;
    if (!S_ISDIR(node->inode.mode))
        return -ENOTDIR;
    if (node->inode.mounted)
        return -EBUSY;
    return TAILQ_EMPTY(&node->entries) ? 0 : -ENOTEMPTY;
}

static int directory_unlink(struct inode *directory, const char *name, size_t length,
                            enum inode_removal removal)
{
    struct remains remains = { 0 };
    spin_lock(&inode_tree_lock);
    struct entry *entry = entry_find_locked(node_of(directory), name, length);
    int error = removal_check(entry, removal);
    if (!error)
        entry_remove_locked(entry, &remains);
    spin_unlock(&inode_tree_lock);
    if (error)
        return error;
    inode_note_attributes(remains.inode);
    inode_note_change(directory);
    remains_put(&remains);
    return 0;
}

/* The deepest go first, so that a directory is empty when its turn comes. */
void node_clear(struct node *directory)
{
    struct entry *entry;
    while ((entry = TAILQ_FIRST(&directory->entries))) {
        struct remains remains = { 0 };
        while (!TAILQ_EMPTY(&entry->node->entries))
            entry = TAILQ_FIRST(&entry->node->entries);
        spin_lock(&inode_tree_lock);
        entry_remove_locked(entry, &remains);
        spin_unlock(&inode_tree_lock);
        remains_put(&remains);
    }
}

/* ---- rename ---- */

/* Does `directory` lie in `node`, or is it that itself? */
static bool lies_in(const struct node *directory, const struct node *node)
{
    const struct inode *inode = &directory->inode;
    for (; inode && inode != &node->inode; inode = inode->parent)
        if (inode->parent == inode)
            return false;
    return inode;
}

/* May `from` take the place of `victim` (NULL: there is none) in `to`? */
static int rename_check(const struct entry *from, const struct node *to, const struct entry *victim,
                        unsigned flags)
{
    if (!from || !directory_lives(to))
        return -ENOENT;
    if (victim && flags & RENAME_NOREPLACE)
        return -EEXIST;
    bool is_directory = S_ISDIR(from->node->inode.mode);
    if (is_directory && lies_in(to, from->node))
        return -EINVAL;
    if (from->node->inode.mounted)
        return -EBUSY;
    if (victim && lies_in(from->directory, victim->node))
        return -ENOTEMPTY;
    if (!victim || victim->node == from->node)
        return 0;
    int error = removal_check(victim, S_ISDIR(victim->node->inode.mode) ? REMOVE_DIRECTORY : REMOVE_FILE);
    if (is_directory != (bool)S_ISDIR(victim->node->inode.mode))
        error = is_directory ? -ENOTDIR : -EISDIR;
    return error;
}

/* May the two change places? Neither moves into itself. */
static int exchange_check(const struct entry *one, const struct entry *other)
{
    if (!one || !other)
        return -ENOENT;
    if (lies_in(other->directory, one->node) || lies_in(one->directory, other->node))
        return -EINVAL;
    return one->node->inode.mounted || other->node->inode.mounted ? -EBUSY : 0;
}

/* `entry` leads to `node` now. The parent that the node was shown in goes to *parent, to be put. */
static void entry_redirect_locked(struct entry *entry, struct node *node, struct inode **parent)
{
    bool was_directory = S_ISDIR(entry->node->inode.mode), is_directory = S_ISDIR(node->inode.mode);
    LIST_REMOVE(entry, alias);
    LIST_INSERT_HEAD(&node->names, entry, alias);
    entry->directory->inode.links += is_directory - was_directory;
    entry->node = node;
    *parent = node->inode.parent;
    node_show(node, entry);
}

/* RENAME_EXCHANGE: the names stay where they are, the nodes behind them change. */
static int directory_exchange(struct inode *from, const char *from_name, size_t from_length, struct inode *to,
                              const char *to_name, size_t to_length)
{
    struct inode *parents[2] = { NULL }, *inodes[2] = { NULL };
    spin_lock(&inode_tree_lock);
    struct entry *one = entry_find_locked(node_of(from), from_name, from_length);
    struct entry *other = entry_find_locked(node_of(to), to_name, to_length);
    int error = exchange_check(one, other);
    if (!error && one->node != other->node) {
        struct node *moved = one->node;
        inodes[0] = inode_get(&moved->inode);
        inodes[1] = inode_get(&other->node->inode);
        entry_redirect_locked(one, other->node, &parents[0]);
        entry_redirect_locked(other, moved, &parents[1]);
    }
    spin_unlock(&inode_tree_lock);
    for (unsigned i = 0; i < 2; i++) {
        if (inodes[i])
            inode_note_attributes(inodes[i]);
        inode_put(inodes[i]);
        inode_put(parents[i]);
    }
    if (inodes[0]) {
        inode_note_change(from);
        inode_note_change(to);
    }
    return error;
}

static int directory_rename(struct inode *from, const char *from_name, size_t from_length, struct inode *to,
                            const char *to_name, size_t to_length, unsigned flags)
{
    struct remains moved = { 0 }, replaced = { 0 };
    if (flags & RENAME_EXCHANGE)
        return directory_exchange(from, from_name, from_length, to, to_name, to_length);
    struct entry *entry = entry_create(to_name, to_length);
    if (!entry)
        return -ENOMEM;
    spin_lock(&inode_tree_lock);
    struct entry *old = entry_find_locked(node_of(from), from_name, from_length);
    struct entry *victim = entry_find_locked(node_of(to), to_name, to_length);
    int error = rename_check(old, node_of(to), victim, flags);
    bool same = !error && victim && victim->node == old->node; /* two names of one file: nothing is done */
    if (!error && !same) {
        if (victim)
            entry_remove_locked(victim, &replaced);
        entry_insert_locked(node_of(to), entry, old->node);
        entry_remove_locked(old, &moved);
    }
    spin_unlock(&inode_tree_lock);
    if (error || same) {
        kfree(entry);
        return error;
    }
    inode_note_attributes(moved.inode);
    if (replaced.inode)
        inode_note_attributes(replaced.inode);
    inode_note_change(from);
    inode_note_change(to);
    remains_put(&moved);
    remains_put(&replaced);
    return 0;
}

const struct inode_ops tmpfs_directory_ops = {
    .lookup = directory_lookup,
    .list = directory_list,
    .create = directory_create,
    .link = directory_link,
    .unlink = directory_unlink,
    .rename = directory_rename,
    .destroy = node_destroy,
};
