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

/* lab commit: begin */
/* Must this VMA be charged when it gets the new rights? */
static bool protect_must_charge(const struct vma *vma, unsigned prot)
{
    return !(vma->flags & VMA_ACCOUNTED) && vma_is_accountable(prot, vma->flags);
}
/* lab commit: instead protect_must_charge.c */

/* May pages of this VMA get the new rights? Charges what becomes writable. 0, -EACCES or -ENOMEM. */
static int protect_charge(struct aspace *aspace, const struct vma *vma, uint64_t pages, unsigned prot)
{
    if ((prot & PROT_WRITE && vma->flags & VMA_NEVER_WRITE) || (prot & PROT_EXEC && vma->flags & VMA_NEVER_EXEC))
        return -EACCES;
    if (!(prot & PROT_WRITE))
        return 0;
    /* Memory becomes data (RLIMIT_DATA); who is beyond RLIMIT_AS already is not stopped by that here. */
    if (!range_may_grow(aspace, pages, prot, vma->flags) && range_may_grow(aspace, pages, vma->prot, vma->flags))
        return -ENOMEM;
    /* lab commit: begin */
    return protect_must_charge(vma, prot) ? commit_charge(pages, aspace) : 0;
    /* lab commit: instead
     * // Charge for what must be charged; -ENOMEM if that is refused.
     * return protect_must_charge(vma, prot) ? lab_missing("commit", "protect_charge") : 0;
     */
}

/* lab vma: begin */
/* The VMA's rights as bits of entries: for pages that are ours alone, and for others. */
struct protection {
    uint64_t alone, others;
};

/* All get the same rights, whatever frames they hold. */
static void protect_alike(pte_t *slot, const pte_t *stop, uint64_t rights_bits)
{
    for (; slot < stop; slot++) {
        pte_t entry = pte_load(slot);
        if (!pte_is_none(entry))
            pte_store(slot, pte_with_rights(entry, rights_bits));
    }
}

static void protect_entries(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg)
{
    const struct protection to = *(const struct protection *)arg;
    (void)addr;

    if (to.alone == to.others) {
        protect_alike(slot, stop, to.alone);
        return;
    }
    for (; slot < stop; slot++) {
        pte_t entry = pte_load(slot);
        if (!pte_is_none(entry))
            pte_store(slot, pte_with_rights(entry, frame_is_alone(frame_at(pte_pfn(entry))) ? to.alone : to.others));
    }
}

/* Give the entries of [start, end), inside the VMA and owned, its rights. */
static void protect_pages(struct aspace *aspace, const struct vma *vma, vaddr_t start, vaddr_t end)
{
    struct protection to = { pte_rights_bits(fault_rights(vma, true)), pte_rights_bits(fault_rights(vma, false)) };

    pagetable_update(&aspace->tree, start, end, protect_entries, &to);
    tlb_flush_range(start, end);
}
/* lab vma: instead */

/* The part [start, end) of one VMA. 0, or an error with nothing changed. */
static int protect_part(struct aspace *aspace, struct vma *vma, vaddr_t start, vaddr_t end, unsigned prot)
{
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    bool charges = protect_must_charge(vma, prot);
    int error = vma->prot == prot ? 0 : protect_charge(aspace, vma, pages, prot);

    if (error || vma->prot == prot)
        return error;
    /* lab vma: begin */
    if (pagetable_own_range(&aspace->tree, start, end) || range_cut(aspace, start, end)) {
        /* lab commit: begin */
        commit_refund(charges ? pages : 0);
        /* lab commit: instead
         * (void)charges; // Nothing may have changed.
         */
        return -ENOMEM;
    }
    vma = vma_find(&aspace->vmas, start);
    vma->flags |= charges ? VMA_ACCOUNTED : 0;
    vma->prot = prot;
    protect_pages(aspace, vma, start, end);
    trace_vma(TRACE_PROTECT, &aspace->tree, vma, start, end);
    return 0;
    /* lab vma: instead protect_part.c */
}

/* VMA by VMA, up to the first hole. */
static int protect_range(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned prot)
{
    vaddr_t from = start, mapped_end = range_mapped_end(aspace, start, end);
    int error = 0;

    while (from < mapped_end && !error) {
        struct vma *vma = vma_find(&aspace->vmas, from);
        vaddr_t to = MIN(vma->end, end);
        error = protect_part(aspace, vma, from, to, prot);
        from = to;
    }
    range_merge(aspace, start, mapped_end);
    return error || mapped_end == end ? error : -ENOMEM;
}

/* With PROT_GROWSDOWN the range begins where its VMA does, which must grow so (mprotect(2)). Nothing grows up on x86. */
static int protect_locked(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned prot, unsigned grows)
{
    const struct vma *vma = vma_find_first(&aspace->vmas, start);

    if (!vma || vma->start >= (grows & PROT_GROWSDOWN ? end : start + 1))
        return -ENOMEM;
    if (grows & PROT_GROWSUP || (grows && !(vma->flags & VMA_GROWSDOWN)))
        return -EINVAL;
    return protect_range(aspace, grows ? vma->start : start, end, prot);
}

int aspace_protect(struct aspace *aspace, vaddr_t addr, uint64_t length, unsigned prot)
{
    unsigned grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

    prot &= ~grows;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !is_aligned(addr, PAGE_SIZE))
        return -EINVAL;
    if (!length)
        return 0;
    if (addr + page_up(length) <= addr)
        return -ENOMEM; /* wrapped around */
    if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    prot &= ~PROT_SEM; /* means nothing on x86 */
    mutex_lock(&aspace->lock);
    int error = protect_locked(aspace, addr, addr + page_up(length), prot, grows);
    mutex_unlock(&aspace->lock);
    return error;
}
