// SPDX-License-Identifier: MIT
/*
 * mount.c: the list of mounted file systems, and covering a directory with one.
 */
#include "kernel/fs/mount.h"

#include "kernel/fs/fs.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"

struct inode *fs_root;
struct filesystem *fs_mounts;

/*
 * Minor number of the file system mounted last; 1 is shared anonymous memory's, as /proc/PID/maps shows it.
 */
static unsigned last_device = 1;

static void mount_enter(struct filesystem *filesystem)
{
    struct filesystem **link = &fs_mounts;
    while (*link)
        link = &(*link)->next;
    *link = filesystem;
    filesystem->device = ++last_device;
}

void mount_root(struct filesystem *filesystem)
{
    ASSERT(!fs_root && filesystem->root->parent == filesystem->root);
    fs_root = filesystem->root;
    mount_enter(filesystem);
}

int mount_add(struct filesystem *filesystem, struct inode *directory)
{
    struct inode *root = filesystem->root;
    if (!S_ISDIR(directory->mode))
        return -ENOTDIR;
    if (directory->mounted || directory == fs_root)
        return -EBUSY;
    ASSERT(!root->parent);
    spin_lock(&inode_tree_lock);
    root->parent = inode_get(directory->parent);
    root->name = directory->name; /* a directory that is mounted on is neither renamed nor removed */
    inode_get(directory);
    directory->mounted = inode_get(root);
    spin_unlock(&inode_tree_lock);
    mount_enter(filesystem);
    return 0;
}
