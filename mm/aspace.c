// SPDX-License-Identifier: MIT
/*
 * aspace.c: the life of an address space: create, fork, switch, end.
 */
#include "mm/aspace.h"

#include <linux/mman.h>

#include "arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/params.h"
#include "kernel/lib/spinlock.h"
#include "mm/anon.h"
#include "mm/aspace_list.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/kstack.h"
#include "mm/range.h"
#include "mm/slab.h"
#include "mm/trace.h"
#include "mm/zero.h"

/* Room kept for the stack below USER_END, at least and at most, as in Linux. */
#define STACK_ROOM_MIN (128ul << 20)
#define STACK_ROOM_MAX (USER_END / 6 * 5)

struct lazy_switches lazy = { true, true, true, true };

/*
 * Mappings go below this, downwards. They and the stack have no page directory in common: after each fork both sides copy
 * the tables above their stack to write to it, and what large mappings have there would be copied along.
 */
static vaddr_t mmap_top_for(vaddr_t stack_top, uint64_t room)
{
    return align_down(stack_top - room - VMA_GUARD_GAP, pte_span(PTE_LEAF_LEVEL + 2));
}

static struct slab_cache aspace_slab = SLAB_CACHE_INIT(aspace_slab, "aspace", struct aspace);

void lazy_switches_init(void)
{
    lazy.zfod = params_bool("zfod", true);
    lazy.zeropage = params_bool("zeropage", true);
    lazy.cow = params_bool("cow", true);
    /* lab cow: begin */
    lazy.sharedtables = params_bool("sharedtables", true);
    /* lab cow: instead
     * lazy.sharedtables = params_bool("sharedtables", false); // this lab is about pages; `sharedtables=on` is for afterwards
     */
}

void mm_init(void)
{
    frame_init();
    zero_init();
    kstack_init();
    commit_init();
    lazy_switches_init();
    anon_init();
    trace_init();
}

static uint64_t last_number; /* aspace_list_lock */

/* An empty address space with one reference, in the list behind `parent` (NULL: at the head; mm/truncate.c). Or NULL. */
static struct aspace *aspace_create_behind(struct aspace *parent)
{
    struct aspace *aspace = slab_alloc(&aspace_slab);
    if (!aspace)
        return NULL;
    if (pagetable_init(&aspace->tree)) {
        slab_free(&aspace_slab, aspace);
        return NULL;
    }
    mutex_init(&aspace->lock);
    aspace->refs = 1;
    vma_set_init(&aspace->vmas);
    aspace->mmap_top = mmap_top_for(USER_END, STACK_ROOM_MIN);
    aspace->stack_limit = aspace->size_limit = UINT64_MAX;
    aspace->data_limit = aspace->data_limit_hard = aspace->lock_limit = UINT64_MAX;
    spin_lock(&aspace_list_lock);
    aspace->number = ++last_number;
    if (parent)
        LIST_INSERT_AFTER(parent, aspace, all);
    else
        LIST_INSERT_HEAD(&aspace_list, aspace, all);
    spin_unlock(&aspace_list_lock);
    return aspace;
}

struct aspace *aspace_create(void) { return aspace_create_behind(NULL); }

struct aspace *aspace_get(struct aspace *aspace)
{
    __atomic_add_fetch(&aspace->refs, 1, __ATOMIC_RELAXED);
    return aspace;
}

static void vmas_destroy(struct vma_set *set)
{
    struct vma *vma;

    while ((vma = TAILQ_FIRST(&set->list))) {
        TAILQ_REMOVE(&set->list, vma, link); /* the tree goes with them */
        if (vma->flags & VMA_ACCOUNTED)
            commit_refund(vma_pages(vma));
        vma_destroy(vma);
    }
}

void aspace_put(struct aspace *aspace)
{
    if (__atomic_sub_fetch(&aspace->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    ASSERT(this_cpu()->aspace != aspace);
    spin_lock(&aspace_list_lock);
    LIST_REMOVE(aspace, all);
    spin_unlock(&aspace_list_lock);
    trace_range(TRACE_END, &aspace->tree, 0, 0, 0);
    pagetable_destroy(&aspace->tree);
    vmas_destroy(&aspace->vmas);
    slab_free(&aspace_slab, aspace);
}

void aspace_switch(struct aspace *aspace)
{
    this_cpu()->aspace = aspace;
    mmu_switch(aspace ? frame_pfn(aspace->tree.root) << PAGE_SHIFT : mmu_kernel_root());
}

/* lab commit: begin */
/* Pages that the child's copy of this promise adds to the ledger. */
static uint64_t fork_charge(const struct vma *vma)
{
    return vma->flags & VMA_ACCOUNTED && !(vma->flags & VMA_DONTFORK) ? vma_pages(vma) : 0;
}

/* Give back what has been charged for the VMAs before `end` (NULL: for all). */
static void vmas_refund(struct aspace *parent, const struct vma *end)
{
    for (struct vma *vma = TAILQ_FIRST(&parent->vmas.list); vma != end; vma = vma_next(vma))
        if (fork_charge(vma))
            commit_refund(fork_charge(vma));
}

/*
 * Charge for each promise by itself, as the overcommit policy looks at them. 0, or -ENOMEM with nothing charged: the
 * policy refuses, or one is not kept any more, for the OOM reaper has been there.
 */
static int vmas_charge(struct aspace *parent)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &parent->vmas.list, link) {
        uint64_t charge = fork_charge(vma);
        if (vma->ops == &reaped_ops || (charge && commit_charge(charge, parent))) {
            vmas_refund(parent, vma);
            return -ENOMEM;
        }
    }
    return 0;
}
/* lab commit: instead vmas_charge.c */

/* What the child does not inherit of its promises: some as a whole (MADV_DONTFORK), of others the lock (mlock(2)). */
static void vmas_disinherit(struct aspace *child)
{
    struct vma *vma, *next;

    for (vma = TAILQ_FIRST(&child->vmas.list); vma; vma = next) {
        if (vma->flags & VMA_DONTFORK) {
            next = vma_next(vma);
            trace_range(TRACE_UNMAP, &child->tree, vma->start, vma->end, 0);
            vma_remove(&child->vmas, vma);
            vma_destroy(vma);
        } else {
            vma->flags &= ~(VMA_LOCKED | VMA_LOCK_ONFAULT);
            next = vma_next(vma_merge(&child->vmas, vma));
        }
    }
    child->vmas.peak_pages = child->vmas.pages;
}

/* Give the child the parent's promises, charged for. 0, or -ENOMEM with nothing changed. */
static int vmas_fork(struct aspace *parent, struct aspace *child)
{
    struct vma *vma;
    unsigned flags = 0;
    int error = vmas_charge(parent);

    if (error)
        return error;
    if (!vma_set_clone(&child->vmas, &parent->vmas)) {
        vmas_refund(parent, NULL);
        return -ENOMEM;
    }
    TAILQ_FOREACH(vma, &child->vmas.list, link)
        flags |= vma->flags;
    if (flags & (VMA_DONTFORK | VMA_LOCKED | VMA_LOCK_ONFAULT))
        vmas_disinherit(child);
    return 0;
}

/* Take out of the child's tree what it shall not see (madvise(2): MADV_DONTFORK, MADV_WIPEONFORK). 0 or -ENOMEM. */
static int fork_cut_out(struct aspace *parent, struct aspace *child)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &parent->vmas.list, link) {
        if (!(vma->flags & (VMA_DONTFORK | VMA_WIPEONFORK)))
            continue;
        if (pagetable_prepare_release(&child->tree, vma->start, vma->end))
            return -ENOMEM;
        range_release_pages(child, vma->start, vma->end);
    }
    child->peak_resident = 0; /* it has never had what has gone */
    return 0;
}

static void layout_copy(struct aspace *child, const struct aspace *parent)
{
    child->code_start = parent->code_start;
    child->code_end = parent->code_end;
    child->data_start = parent->data_start;
    child->data_end = parent->data_end;
    child->brk_start = parent->brk_start;
    child->brk = parent->brk;
    child->given_back_start = parent->given_back_start;
    child->given_back_end = parent->given_back_end;
    child->stack_start = parent->stack_start;
    child->arg_start = parent->arg_start;
    child->arg_end = parent->arg_end;
    child->env_start = parent->env_start;
    child->env_end = parent->env_end;
    child->auxv_start = parent->auxv_start;
    child->auxv_end = parent->auxv_end;
    child->mmap_top = parent->mmap_top;
    child->stack_limit = parent->stack_limit;
    child->size_limit = parent->size_limit;
    child->data_limit = parent->data_limit;
    child->data_limit_hard = parent->data_limit_hard;
    child->lock_limit = parent->lock_limit;
    child->unprivileged = parent->unprivileged;
}

/* cow=off: write to a page of private memory, as the first writer after fork would. */
static int page_take_own(vaddr_t addr, pte_t entry, void *arg)
{
    if (frame_at(pte_pfn(entry))->kind != FRAME_ANON)
        return 0;
    return fault_resolved(fault_touch_locked(arg, addr, ACCESS_WRITE, NULL)) ? 0 : -ENOMEM;
}

/* cow=off: give an address space its own copy of every private page that it may write. 0 or -ENOMEM. */
static int pages_take_own(struct aspace *aspace)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &aspace->vmas.list, link) {
        if (vma->flags & VMA_SHARED || !(vma->prot & PROT_WRITE))
            continue;
        int error = pagetable_visit(&aspace->tree, vma->start, vma->end, page_take_own, aspace);
        if (error)
            return error;
    }
    return 0;
}

/* The switches sharedtables=off and cow=off: pay now for what fork has put off. 0 or -ENOMEM. */
static int fork_pay_now(struct aspace *parent, struct aspace *child)
{
    int error = 0;

    if (!lazy.sharedtables || !lazy.cow)
        error = pagetable_own_range(&child->tree, 0, USER_END);
    if (!error && (!lazy.sharedtables || !lazy.cow))
        error = pagetable_own_range(&parent->tree, 0, USER_END);
    if (!error && !lazy.cow)
        error = pages_take_own(child);
    if (!error && !lazy.cow)
        error = pages_take_own(parent); /* alone again: gets its write bits back */
    return error;
}

int aspace_fork(struct aspace *parent, struct aspace **child)
{
    struct aspace *copy = aspace_create_behind(parent);
    if (!copy)
        return -ENOMEM;
    mutex_lock(&parent->lock);
    mutex_lock(&copy->lock); /* the list shows it; nobody keeps it while waiting for a parent's */
    layout_copy(copy, parent);
    trace_fork(&parent->tree, &copy->tree);
    int error = vmas_fork(parent, copy);
    if (!error) {
        pagetable_share(&copy->tree, &parent->tree);
        /* lab cow: begin */
        tlb_flush_user();
        /* lab cow: instead
         * //
         * // The parent runs on as soon as this call returns, with what this CPU remembers of its page tables. Which of that
         * // is no longer true? (docs/design.md, "TLB rules"; arch/x86_64/tlb.h)
         * //
         */
        error = fork_cut_out(parent, copy);
        if (!error)
            error = fork_pay_now(parent, copy);
    }
    mutex_unlock(&copy->lock);
    mutex_unlock(&parent->lock);
    if (error)
        aspace_put(copy);
    else
        *child = copy;
    return error;
}

int aspace_map_stack(struct aspace *aspace, vaddr_t top, uint64_t length, uint64_t limit)
{
    uint64_t room = MIN(MAX(limit, STACK_ROOM_MIN), STACK_ROOM_MAX);
    int error = -ENOMEM;

    mutex_lock(&aspace->lock);
    if (!commit_charge(length >> PAGE_SHIFT, NULL)) {
        struct vma *vma = vma_create(top - length, top, PROT_READ | PROT_WRITE, VMA_GROWSDOWN | VMA_ACCOUNTED, &anon_ops,
                                     NULL, 0);
        if (vma) {
            vma_insert(&aspace->vmas, vma);
            trace_vma(TRACE_MAP, &aspace->tree, vma, vma->start, vma->end);
            aspace->stack_limit = limit;
            aspace->mmap_top = mmap_top_for(top, room);
            error = 0;
        } else {
            commit_refund(length >> PAGE_SHIFT);
        }
    }
    mutex_unlock(&aspace->lock);
    return error;
}

void aspace_set_brk(struct aspace *aspace, vaddr_t start)
{
    mutex_lock(&aspace->lock);
    aspace->brk_start = aspace->brk = start;
    mutex_unlock(&aspace->lock);
}

int aspace_visit(struct aspace *aspace, int (*visit)(struct aspace *aspace, struct vma *vma, void *arg), void *arg)
{
    struct vma *vma;
    int result = 0;

    mutex_lock(&aspace->lock);
    TAILQ_FOREACH(vma, &aspace->vmas.list, link) {
        result = visit(aspace, vma, arg);
        if (result)
            break;
    }
    mutex_unlock(&aspace->lock);
    return result;
}
