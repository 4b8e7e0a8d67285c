// SPDX-License-Identifier: MIT
/*
 * protect.c: mprotect(2): new rights for a range, in the promises and in the entries that keep them.
 */
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/range.h"
#include "mm/trace.h"

/* Must this VMA be charged when it gets the new rights? */
static bool protect_must_charge(const struct vma *vma, unsigned prot)
{
    return !(vma->flags & VMA_ACCOUNTED) && vma_is_accountable(prot, vma->flags);
}

/* Charge what becomes writable in [start, end); the sum goes to `*charged`. 0, -EACCES or -ENOMEM: nothing charged. */
static int protect_charge(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned prot, uint64_t *charged)
{
    *charged = 0;
    for (struct vma *vma = vma_find(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma)) {
        uint64_t pages = (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
        int error = prot & PROT_WRITE && vma->flags & VMA_NEVER_WRITE ? -EACCES : 0;
        if (!error && protect_must_charge(vma, prot)) {
            error = commit_charge(pages, aspace);
            *charged += error ? 0 : pages;
        }
        if (error) {
            commit_refund(*charged);
            return error;
        }
    }
    return 0;
}

static void protect_entry(vaddr_t addr, pte_t *slot, void *arg)
{
    const struct vma *vma = arg;
    pte_t entry = pte_load(slot);

    pte_store(slot, pte_with_rights(entry, fault_rights(vma, frame_at(pte_pfn(entry)))));
    tlb_flush_page(addr);
}

/* All is prepared: whole VMAs, charged, tables owned. */
static void protect_apply(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned prot)
{
    for (struct vma *vma = vma_find(&aspace->vmas, start); vma && vma->start < end; vma = vma_next(vma)) {
        if (protect_must_charge(vma, prot))
            vma->flags |= VMA_ACCOUNTED;
        vma->prot = prot;
        pagetable_update(&aspace->tree, vma->start, vma->end, protect_entry, vma);
        trace_vma(TRACE_PROTECT, &aspace->tree, vma, vma->start, vma->end);
    }
    range_merge(aspace, start, end);
}

/* Where the first hole at or above `start` begins; `end` if there is none below it. */
static vaddr_t protect_end(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(&aspace->vmas, start);

    for (; vma && vma->start <= start && start < end; vma = vma_next(vma))
        start = vma->end;
    return MIN(start, end);
}

/* As on Linux, what lies before a hole gets the new rights, and then the call fails. */
static int protect_locked(struct aspace *aspace, vaddr_t start, vaddr_t asked_end, unsigned prot)
{
    vaddr_t end = protect_end(aspace, start, asked_end);
    uint64_t charged;

    if (end == start)
        return -ENOMEM;
    int error = protect_charge(aspace, start, end, prot, &charged);
    if (error)
        return error;
    if (pagetable_own_range(&aspace->tree, start, end) || range_cut(aspace, start, end)) {
        commit_refund(charged);
        return -ENOMEM;
    }
    protect_apply(aspace, start, end, prot);
    return end < asked_end ? -ENOMEM : 0;
}

int aspace_protect(struct aspace *aspace, vaddr_t addr, uint64_t length, unsigned prot)
{
    if (!is_aligned(addr, PAGE_SIZE) || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    prot &= ~PROT_SEM; /* means nothing on x86 */
    if (!length)
        return 0;
    if (addr >= USER_END || length > USER_END - addr)
        return -ENOMEM;
    mutex_lock(&aspace->lock);
    int error = protect_locked(aspace, addr, addr + page_up(length), prot);
    mutex_unlock(&aspace->lock);
    return error;
}
