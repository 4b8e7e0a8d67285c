// SPDX-License-Identifier: MIT
/*
 * stack.c: see stack.h.
 */
#include "mm/stack.h"

#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/commit.h"
#include "mm/range.h"

static bool stack_may_grow(const struct aspace *aspace, struct vma *vma, vaddr_t start)
{
    struct vma *below = vma_prev(vma);
    bool guard_free = !below || below->flags & VMA_GROWSDOWN || start >= below->end + VMA_GUARD_GAP ||
                      below->prot == PROT_NONE;

    return vma->flags & VMA_GROWSDOWN && start >= USER_START && vma->end - start <= aspace->stack_limit && guard_free;
}

static uint64_t growth_charge(const struct vma *vma, vaddr_t from, vaddr_t to)
{
    return vma->flags & VMA_ACCOUNTED ? (to - from) >> PAGE_SHIFT : 0;
}

int stack_grow(struct aspace *aspace, struct vma *vma, vaddr_t start)
{
    uint64_t pages = (vma->start - start) >> PAGE_SHIFT;

    if (!stack_may_grow(aspace, vma, start) || !range_may_grow(aspace, pages, vma->prot, vma->flags) ||
        !range_may_lock(aspace, pages, vma->flags) || commit_charge(growth_charge(vma, start, vma->start), aspace))
        return -ENOMEM;
    vma_resize(&aspace->vmas, vma, start, vma->end);
    return 0;
}

void stack_shrink(struct aspace *aspace, struct vma *vma, vaddr_t start)
{
    commit_refund(growth_charge(vma, vma->start, start));
    vma_resize(&aspace->vmas, vma, start, vma->end);
}
