// SPDX-License-Identifier: MIT
/*
 * census.c: walks over the frame array, the one for tables stepping over free memory a block at a time; and one over
 * what is locked.
 *
 * No lock on the array: the kernel is not preempted, and a frame that another CPU takes or frees meanwhile is
 * counted or not.
 */
#include "mm/census.h"

#include "kernel/lib/errno.h"
#include "mm/aspace_list.h"
#include "mm/slab.h"
#include "mm/table.h"

_Static_assert(PTE_ROOT_LEVEL - PTE_LEAF_LEVEL + 1 == TABLE_LEVELS, "one figure a level");

static void table_add(struct frame_census *census, const struct frame *table)
{
    unsigned level = table->level - PTE_LEAF_LEVEL;

    census->tables[level]++;
    census->shared[level] += table->refs > 1;
    census->references[level] += table->refs;
}

void frame_census(struct frame_census *census)
{
    *census = (struct frame_census){ 0 };
    for (pfn_t pfn = 0; pfn < frame_count; pfn += frame_span(frame_at(pfn))) {
        const struct frame *frame = frame_at(pfn);
        if (frame->kind == FRAME_TABLE)
            table_add(census, frame);
    }
}

/* From the top, where the buddy allocator takes from first: the files that the archive brings lie there. */
uint64_t frames_mapped(uint64_t cached)
{
    uint64_t mapped = 0;

    for (pfn_t pfn = frame_count; cached && pfn--;) {
        const struct frame *frame = frame_at(pfn);
        if (frame->kind != FRAME_FILE && frame->kind != FRAME_SHM)
            continue;
        mapped += frame->refs > 1; /* one is the cache's own */
        cached--;
    }
    return mapped;
}

/* ---- what is locked ---- */

#define MARKS (PAGE_SIZE * 8) /* in one page of marks */

/* A bit a frame: it has been counted. Its pages are made when needed. */
struct marks {
    uint64_t count;
    uint64_t pages;
    uint64_t *page[];
};

static int mark_page(vaddr_t addr, pte_t entry, void *arg)
{
    struct marks *marks = arg;
    pfn_t pfn = pte_pfn(entry);
    uint64_t **page = &marks->page[pfn / MARKS];
    (void)addr;

    if (frame_resident_kind(frame_at(pfn)) == RESIDENT_NONE)
        return 0;
    if (!*page) {
        struct frame *frame = frame_alloc_zeroed(FRAME_KERNEL);
        if (!frame)
            return -ENOMEM;
        *page = frame_address(frame);
    }
    uint64_t *word = &(*page)[pfn % MARKS / 64], bit = 1ul << pfn % 64;
    marks->count += !(*word & bit);
    *word |= bit;
    return 0;
}

static int mark_vma(struct aspace *aspace, struct vma *vma, void *marks)
{
    if (!(vma->flags & VMA_LOCKED))
        return 0;
    return pagetable_visit(&aspace->tree, vma->start, vma->end, mark_page, marks);
}

int frames_locked(uint64_t *frames)
{
    uint64_t pages = (frame_count + MARKS - 1) / MARKS;
    struct marks *marks = kmalloc(sizeof(*marks) + pages * sizeof(marks->page[0]));
    struct aspace *aspace = LIST_FIRST(&aspace_list), *next;
    int error = 0;

    if (!marks)
        return -ENOMEM;
    for (; aspace; aspace = next) {
        aspace_get(aspace); /* it may end while we wait for its mutex */
        if (!error)
            error = aspace_visit(aspace, mark_vma, marks);
        next = LIST_NEXT(aspace, all);
        aspace_put(aspace);
    }
    *frames = marks->count;
    for (uint64_t i = 0; i < pages; i++)
        if (marks->page[i])
            frame_put(frame_of(marks->page[i]));
    kfree(marks);
    return error;
}
