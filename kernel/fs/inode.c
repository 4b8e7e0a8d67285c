// SPDX-License-Identifier: MIT
/*
 * inode.c: references to inodes, and the step from a directory to its entry.
 */
#include "kernel/fs/inode.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"

struct inode *inode_get(struct inode *inode)
{
    uint32_t before = __atomic_fetch_add(&inode->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
    (void)before;
    return inode;
}

/* A loop, not a recursion: an inode's end may be its parent's, and so on up a path of any depth. */
void inode_put(struct inode *inode)
{
    while (inode) {
        uint32_t before = __atomic_fetch_sub(&inode->refs, 1, __ATOMIC_ACQ_REL);
        BUG_ON(before == 0, "inode %lu has no reference to give back", inode->number);
        if (before > 1)
            return;
        struct inode *parent = inode->parent;
        BUG_ON(!inode->ops->destroy, "inode %lu must not go", inode->number);
        inode->ops->destroy(inode);
        inode = parent;
    }
}

struct inode *inode_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    if (!directory->ops->lookup) {
        *error = -ENOTDIR;
        return NULL;
    }
    struct inode *inode = directory->ops->lookup(directory, name, length, error);
    if (!inode || !inode->mounted)
        return inode;
    struct inode *root = inode_get(inode->mounted);
    inode_put(inode);
    return root;
}

int64_t inode_time_now(void)
{
    return (int64_t)((clock_boot_time() + clock_nanoseconds()) / 1000000000);
}

uint64_t inode_number_new(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}
