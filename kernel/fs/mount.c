// SPDX-License-Identifier: MIT
/*
 * mount.c: the list of mounted file systems, and covering a directory with one.
 *
 * A file system lies in one place: an inode has one parent, so no walk has to know by which mount it came. That is
 * why there are no bind mounts.
 *
 * Lock: inode_tree_lock for the links between inodes; the lists are changed by system calls alone, without sleeping.
 */
#include "kernel/fs/mount.h"

#include <linux/mount.h>

#include "kernel/fs/fs.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/slab.h"

struct inode *fs_root;
struct filesystem *fs_mounts;
static struct filesystem *detached; /* out of the tree, but used still */

/*
 * Minor number of the file system mounted last; 1 is shared anonymous memory's, as /proc/PID/maps shows it.
 */
static unsigned last_device = 1;

static void list_append(struct filesystem **list, struct filesystem *filesystem)
{
    while (*list)
        list = &(*list)->next;
    *list = filesystem;
    filesystem->next = NULL;
}

static void list_remove(struct filesystem **list, struct filesystem *filesystem)
{
    while (*list != filesystem)
        list = &(*list)->next;
    *list = filesystem->next;
}

static void mount_enter(struct filesystem *filesystem)
{
    list_append(&fs_mounts, filesystem);
    filesystem->device = ++last_device;
}

void mount_root(struct filesystem *filesystem)
{
    ASSERT(!fs_root && filesystem->root->parent == filesystem->root);
    fs_root = filesystem->root;
    mount_enter(filesystem);
}

/* ---- the links between inodes ---- */

/* Or in a file system that was detached, and what lies below. */
static bool is_in_tree(const struct inode *inode)
{
    while (inode->parent && inode->parent != inode)
        inode = inode->parent;
    return inode == fs_root;
}

static int cover_check(const struct inode *directory)
{
    if (!S_ISDIR(directory->mode))
        return -ENOTDIR;
    if (!directory->links)
        return -ENOENT;
    if (!is_in_tree(directory))
        return -EINVAL;
    return directory->mounted || directory == fs_root ? -EBUSY : 0;
}

static void cover(struct filesystem *filesystem, struct inode *directory)
{
    struct inode *root = filesystem->root;
    spin_lock(&inode_tree_lock);
    ASSERT(!root->parent);
    root->parent = inode_get(directory->parent);
    root->name = directory->name; /* a directory that is mounted on is neither renamed nor removed */
    filesystem->covered = inode_get(directory);
    directory->mounted = inode_get(root);
    spin_unlock(&inode_tree_lock);
}

/* The opposite. The file system's own reference keeps its root. */
static void uncover(struct filesystem *filesystem)
{
    struct inode *root = filesystem->root, *directory = filesystem->covered, *parent;
    spin_lock(&inode_tree_lock);
    parent = root->parent;
    root->parent = NULL;
    root->name = NULL;
    filesystem->covered = NULL;
    directory->mounted = NULL;
    spin_unlock(&inode_tree_lock);
    inode_put(root);
    inode_put(parent);
    inode_put(directory);
}

int mount_add(struct filesystem *filesystem, struct inode *directory)
{
    int error = cover_check(directory);
    if (error)
        return error;
    cover(filesystem, directory);
    mount_enter(filesystem);
    return 0;
}

/* Does the directory lie in the file system, or in what is mounted in it? */
static bool lies_in(const struct inode *directory, const struct filesystem *filesystem)
{
    while (directory && directory->filesystem != filesystem && directory->parent != directory)
        directory = directory->parent;
    return directory && directory->filesystem == filesystem;
}

int mount_move(struct filesystem *filesystem, struct inode *directory)
{
    int error = cover_check(directory);
    if (!filesystem->covered)
        return -EINVAL;
    if (!error && lies_in(directory, filesystem))
        error = -ELOOP;
    if (error)
        return error;
    uncover(filesystem);
    cover(filesystem, directory);
    return 0;
}

/* ---- taking away ---- */

/* A file system that is mounted on a directory of this one, or NULL. */
static struct filesystem *mount_inside(const struct filesystem *filesystem)
{
    struct filesystem *inside = fs_mounts;
    while (inside && (!inside->covered || inside->covered->filesystem != filesystem))
        inside = inside->next;
    return inside;
}

static void filesystem_free(struct filesystem *filesystem)
{
    kfree(filesystem->source);
    filesystem->destroy(filesystem);
}

static void mount_detach(struct filesystem *filesystem)
{
    list_remove(&fs_mounts, filesystem);
    uncover(filesystem);
    list_append(&detached, filesystem);
}

/* One of them that nobody uses any more, or NULL. */
static struct filesystem *detached_idle(void)
{
    struct filesystem *filesystem = detached;
    while (filesystem && filesystem->use(filesystem) != FILESYSTEM_IDLE)
        filesystem = filesystem->next;
    return filesystem;
}

void mount_reap(void)
{
    struct filesystem *filesystem;
    while ((filesystem = detached_idle())) {
        list_remove(&detached, filesystem);
        filesystem_free(filesystem); /* may sleep: the list is another one afterwards */
    }
}

int mount_remove(struct filesystem *filesystem, enum mount_removal removal)
{
    struct filesystem *leaf, *inside;
    if (!filesystem->covered)
        return -EINVAL;
    if (removal == MOUNT_REMOVE_NOW && (mount_inside(filesystem) || filesystem->use(filesystem) != FILESYSTEM_IDLE))
        return -EBUSY;
    do {
        for (leaf = filesystem; (inside = mount_inside(leaf));)
            leaf = inside;
        mount_detach(leaf);
    } while (leaf != filesystem);
    mount_reap();
    return 0;
}

static bool cache_lies_in(const struct pagecache *cache, const void *filesystem)
{
    const struct inode *inode = cache->owner;

    return !cache->name && inode->filesystem == filesystem; /* with a name of its own it is no file */
}

int mount_set_flags(struct filesystem *filesystem, unsigned flags)
{
    bool stops = flags & MS_RDONLY && !filesystem_is_read_only(filesystem);
    if (stops && filesystem->use && filesystem->use(filesystem) == FILESYSTEM_WRITTEN)
        return -EBUSY;
    unsigned before = filesystem->flags;
    filesystem->flags = flags; /* from now on nobody begins to write; the search may sleep */
    if (!stops || !aspaces_may_write(cache_lies_in, filesystem))
        return 0;
    filesystem->flags = before;
    return -EBUSY;
}
