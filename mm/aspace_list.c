// SPDX-License-Identifier: MIT
/*
 * aspace_list.c: see aspace_list.h.
 */
#include "mm/aspace_list.h"

struct aspace_list aspace_list = LIST_HEAD_INITIALIZER(aspace_list);
struct spinlock aspace_list_lock = SPINLOCK_INIT;

struct aspace *aspace_step(struct aspace *aspace)
{
    spin_lock(&aspace_list_lock);
    struct aspace *next = aspace ? LIST_NEXT(aspace, all) : LIST_FIRST(&aspace_list);
    if (next)
        aspace_get(next);
    spin_unlock(&aspace_list_lock);
    if (aspace)
        aspace_put(aspace);
    return next;
}

struct write_search {
    bool (*is_meant)(const struct pagecache *cache, const void *arg);
    const void *arg;
};

/* Is it a mapping that can be written through, now or after mprotect(2)? */
static int is_writing(struct aspace *aspace, struct vma *vma, void *arg)
{
    const struct write_search *search = arg;

    (void)aspace;
    return vma->cache && (vma->flags & (VMA_SHARED | VMA_NEVER_WRITE)) == VMA_SHARED && search->is_meant(vma->cache, search->arg);
}

bool aspaces_may_write(bool (*is_meant)(const struct pagecache *cache, const void *arg), const void *arg)
{
    struct write_search search = { is_meant, arg };
    struct aspace *aspace = NULL;

    while ((aspace = aspace_step(aspace)))
        if (aspace_visit(aspace, is_writing, &search)) {
            aspace_put(aspace);
            return true;
        }
    return false;
}
