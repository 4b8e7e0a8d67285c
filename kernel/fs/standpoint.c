// SPDX-License-Identifier: MIT
/*
 * standpoint.c: see standpoint.h.
 */
#include "kernel/fs/standpoint.h"

#include "kernel/fs/inode.h"
#include "mm/slab.h"

static struct slab_cache standpoint_cache =
    SLAB_CACHE_INIT(standpoint_cache, "standpoint", struct standpoint);

struct standpoint *standpoint_create(struct inode *cwd)
{
    struct standpoint *standpoint = slab_alloc(&standpoint_cache);
    if (standpoint)
        *standpoint = (struct standpoint){ .refs = 1, .cwd = inode_get(cwd), .umask = 022 };
    return standpoint;
}

struct standpoint *standpoint_clone(const struct standpoint *standpoint)
{
    struct standpoint *clone = standpoint_create(standpoint->cwd);
    if (!clone)
        return NULL;
    clone->root = standpoint->root ? inode_get(standpoint->root) : NULL;
    clone->umask = standpoint->umask;
    return clone;
}

struct standpoint *standpoint_share(struct standpoint *standpoint)
{
    standpoint->refs++;
    return standpoint;
}

void standpoint_put(struct standpoint *standpoint)
{
    if (--standpoint->refs)
        return;
    inode_put(standpoint->cwd);
    inode_put(standpoint->root);
    slab_free(&standpoint_cache, standpoint);
}
