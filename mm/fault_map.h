// SPDX-License-Identifier: MIT
/*
 * fault_map.h: the entry that a fault leaves behind. Inside of mm/: for fault.c and the kinds of memory that map a frame which
 * they have made for the page.
 */
#ifndef MM_FAULT_MAP_H
#define MM_FAULT_MAP_H

#include "mm/fault.h"
#include "mm/pagetable.h"
#include "mm/vma.h"

/* An entry may be written if the VMA says so and the frame is ours alone (frame_is_alone), or shared on purpose. */
static inline unsigned rights_left(const struct vma *vma, bool alone)
{
    return alone || vma->flags & VMA_SHARED ? ~0u : ~(unsigned)RIGHT_WRITE;
}

/* The entry for a frame whose reference we hold, after an access that the VMA allows. What is written is dirty from the start. */
static inline pte_t entry_make(const struct vma *vma, const struct frame *frame, bool alone, enum fault_access access)
{
    unsigned rights = (vma->prot | RIGHT_READ) & rights_left(vma, alone); /* prot is not empty */
    pte_t entry = pte_make_present(frame_pfn(frame), rights);

    ASSERT(vma->prot && alone == frame_is_alone(frame));
    return access == ACCESS_WRITE ? pte_dirtied(entry) : entry;
}

/* fault_map() of private memory that nobody else has yet: FRAME_ANON, with one reference. */
static inline enum fault_kind fault_map_new(struct fault_page *page, struct frame *frame, enum fault_kind kind)
{
    pagetable_fill(page->slot, entry_make(page->vma, frame, true, page->access), FRAME_ANON);
    return kind;
}

#endif
