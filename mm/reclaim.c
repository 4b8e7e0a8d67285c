// SPDX-License-Identifier: MIT
/*
 * reclaim.c: a look at every leaf table of every address space for entries that are marked free and still clean.
 *
 * This is the one place where an entry of a shared table goes: all that share it lose the page, which all of them have
 * given up; and none can have written it, since a path that is shared lacks the write bit.
 */
#include "mm/reclaim.h"

#include "mm/aspace.h"
#include "mm/aspace_list.h"
#include "mm/table.h"
#include "mm/trace.h"

static bool is_marked; /* somewhere, since the last look began */

void reclaim_note_marked(void) { is_marked = true; }

struct sweep {
    struct aspace *aspace;
    struct gather gather;
    uint64_t taken;
};

static int sweep_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct sweep *sweep = arg;
    struct frame *frame = entry_frame(entry);

    if (!pte_is_lazy_free(entry))
        return 0;
    pte_t *slot = (pte_t *)pagetable_find(&sweep->aspace->tree, addr);
    tlb_flush_page(addr); /* from here on a write is seen in the entry, or faults */
    if (!pte_is_lazy_free(pte_load(slot)))
        return 0;
    pagetable_set(slot, pte_none());
    trace_entry(TRACE_RECLAIM, slot, entry, pte_none(), NULL);
    sweep->taken += frame->refs == 1;
    gather_add(&sweep->gather, frame, addr);
    return 0;
}

/* Before the first entry goes: those who share its table lose it before their turn comes. */
static void peaks_note(void)
{
    struct aspace *aspace = NULL;

    while ((aspace = aspace_step(aspace))) {
        mutex_lock(&aspace->lock);
        aspace_note_peak_locked(aspace);
        mutex_unlock(&aspace->lock);
    }
}

static uint64_t aspace_sweep(struct aspace *aspace)
{
    struct sweep sweep = { .aspace = aspace };

    mutex_lock(&aspace->lock);
    aspace_note_peak_locked(aspace);
    pagetable_visit(&aspace->tree, 0, USER_END, sweep_entry, &sweep);
    gather_finish(&sweep.gather);
    mutex_unlock(&aspace->lock);
    return sweep.taken;
}

uint64_t reclaim_lazy_free(void)
{
    uint64_t taken = 0;

    if (!is_marked)
        return 0;
    is_marked = false; /* what is marked and not taken now has been written, and so is marked no more */
    peaks_note();
    struct aspace *aspace = LIST_FIRST(&aspace_list), *next;

    for (; aspace; aspace = next) {
        aspace_get(aspace); /* it may end while we wait for its mutex */
        taken += aspace_sweep(aspace);
        next = LIST_NEXT(aspace, all);
        aspace_put(aspace);
    }
    return taken;
}
