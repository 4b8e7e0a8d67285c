// SPDX-License-Identifier: MIT
/*
 * usage.c: what an address space uses, added up from its promises and its tables whenever someone asks.
 */
#include <linux/mman.h>

#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/mappers.h"

uint64_t aspace_resident(const struct pagetable_figures *figures)
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        sum += figures->resident[kind];
    return sum;
}

void aspace_note_peak_locked(struct aspace *aspace)
{
    uint64_t resident = pagetable_resident(&aspace->tree);

    aspace->peak_resident = MAX(aspace->peak_resident, resident);
}

/*
 * Linux's classes (proc(5), VmData, VmStk, VmExe): stack is what grows downwards; data is private and writable; text
 * is the program's own code range.
 */
static void usage_add_vma(const struct vma *vma, struct aspace_usage *usage)
{
    if (vma->flags & VMA_LOCKED)
        usage->locked += vma_pages(vma);
    if (vma->flags & VMA_GROWSDOWN)
        usage->stack += vma_pages(vma);
    else if (vma->prot & PROT_WRITE && !(vma->flags & VMA_SHARED))
        usage->data += vma_pages(vma);
}

void aspace_usage(struct aspace *aspace, struct aspace_usage *usage)
{
    struct pagetable_figures figures;
    struct vma *vma;

    *usage = (struct aspace_usage){ 0 };
    mutex_lock(&aspace->lock);
    pagetable_figures(&aspace->tree, &figures);
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        usage->resident[kind] = figures.resident[kind];
    usage->peak_resident = MAX(aspace->peak_resident, aspace_resident(&figures));
    usage->total = aspace->vmas.pages;
    usage->peak_total = aspace->vmas.peak_pages;
    usage->tables = figures.tables;
    usage->shared_tables = figures.shared_tables;
    usage->text = (page_up(aspace->code_end) - page_down(aspace->code_start)) >> PAGE_SHIFT;
    TAILQ_FOREACH(vma, &aspace->vmas.list, link)
        usage_add_vma(vma, usage);
    mutex_unlock(&aspace->lock);
}

struct vma_usage_request {
    const struct pagetable *tree;
    const struct mappers *mappers;
    struct vma_usage *usage;
};

static int vma_usage_page(vaddr_t addr, pte_t entry, void *arg)
{
    struct vma_usage_request *request = arg;
    struct vma_usage *usage = request->usage;
    const struct frame *frame = frame_at(pte_pfn(entry));
    enum resident_kind kind = frame_resident_kind(frame);

    if (kind == RESIDENT_NONE)
        return 0;
    usage->resident++;
    usage->anonymous += kind == RESIDENT_ANON;
    usage->referenced += pte_is_accessed(entry);
    usage->lazy_free += pte_is_lazy_free(entry);
    /* No file has an anonymous page's contents, so it is dirty, unless it may be dropped. */
    bool dirty = pte_is_dirty(entry) || (kind == RESIDENT_ANON && !pte_is_lazy_free(entry));
    uint32_t mappings = mappers_of(request->mappers, request->tree, addr, frame);
    if (mappings > 1)
        *(dirty ? &usage->shared_dirty : &usage->shared_clean) += 1;
    else
        *(dirty ? &usage->private_dirty : &usage->private_clean) += 1;
    uint64_t share = (PAGE_SIZE << PSS_SHIFT) / mappings;
    usage->share[kind] += share;
    usage->share_dirty += dirty ? share : 0;
    return 0;
}

void vma_usage_locked(struct aspace *aspace, const struct vma *vma, const struct mappers *mappers,
                      struct vma_usage *usage)
{
    struct vma_usage_request request = { &aspace->tree, mappers, usage };

    *usage = (struct vma_usage){ 0 };
    pagetable_visit(&aspace->tree, vma->start, vma->end, vma_usage_page, &request);
}

static int is_private_page(vaddr_t addr, pte_t entry, void *arg)
{
    (void)addr, (void)arg;
    return frame_resident_kind(frame_at(pte_pfn(entry))) == RESIDENT_ANON;
}

bool vma_has_private_pages_locked(const struct aspace *aspace, const struct vma *vma)
{
    return pagetable_visit(&aspace->tree, vma->start, vma->end, is_private_page, NULL);
}
