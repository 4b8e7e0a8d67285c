// SPDX-License-Identifier: MIT
/*
 * fault.c: where promises are kept. All that decides about one page is here, in page_serve() and what it calls.
 *
 *                    the entry found, on a path that has been made ours
 *                 +------------------+---------------------+------------------------+------------------------+
 *      access     | none             | zero page (r)       | frame, read-only       | allows the access      |
 *     ------------+------------------+---------------------+------------------------+------------------------+
 *      read,      | anonymous:       |                     |                        |                        |
 *      execute    |   ZERO_READ      |  (the entry allows a read)                   | SPURIOUS               |
 *                 | shared, file:    |                     |                        |                        |
 *                 |   FILE_MAP,_READ |                     |                        |                        |
 *     ------------+------------------+---------------------+------------------------+------------------------+
 *      write      | anonymous:       | ZERO_UPGRADE        | private, ours alone:   | a table on the path    |
 *                 |   ZERO_FILL      |   new zeroed frame  |   COW_REUSE            | had lost its write bit |
 *                 | private file:    |                     | else: COW_COPY         | by fork: COW_REUSE     |
 *                 |   COW_COPY       |                     |   new frame, contents  | else: SPURIOUS         |
 *     ------------+------------------+---------------------+------------------------+------------------------+
 *
 *  Before that: no VMA: SEGV_MAPERR, unless a stack grows down to the address (STACK_GROW, then as above). The VMA
 *  forbids the access: SEGV_ACCERR. Beyond the end of a mapped file: BUS. No memory: OOM. These change nothing.
 *
 * Locks: the mutex of the address space. A frame that leaves an entry is put after the flush.
 */
#include "mm/fault.h"

#include <linux/mman.h>

#include "arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/fault_map.h"
#include "mm/oom.h"
#include "mm/stack.h"
#include "mm/trace.h"

#define FAULT_AROUND (TRACE_AROUND_PAGES * PAGE_SIZE)

struct fault_counts fault_totals;

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_ZERO_READ] = "ZERO_READ",     [FAULT_ZERO_FILL] = "ZERO_FILL",     [FAULT_ZERO_UPGRADE] = "ZERO_UPGRADE",
    [FAULT_COW_COPY] = "COW_COPY",       [FAULT_COW_REUSE] = "COW_REUSE",     [FAULT_FILE_MAP] = "FILE_MAP",
    [FAULT_FILE_READ] = "FILE_READ",     [FAULT_STACK_GROW] = "STACK_GROW",   [FAULT_SPURIOUS] = "SPURIOUS",
    [FAULT_SEGV_MAPERR] = "SEGV_MAPERR", [FAULT_SEGV_ACCERR] = "SEGV_ACCERR", [FAULT_BUS] = "BUS",
    [FAULT_OOM] = "OOM",
};

const char *fault_kind_name(enum fault_kind kind) { return kind_names[kind]; }

uint64_t fault_major(const struct fault_counts *counts) { return counts->by_kind[FAULT_FILE_READ]; }

uint64_t fault_minor(const struct fault_counts *counts)
{
    uint64_t served = 0;
    for (unsigned kind = 0; kind < FAULT_RESOLVED_KINDS; kind++)
        served += counts->by_kind[kind];
    return served - fault_major(counts);
}

static void fault_count(enum fault_kind kind)
{
    fault_totals.by_kind[kind]++;
    this_cpu()->fault_counts->by_kind[kind]++;
}

_Static_assert(PROT_READ == RIGHT_READ && PROT_WRITE == RIGHT_WRITE && PROT_EXEC == RIGHT_EXEC, "rights are PROT_*");

unsigned fault_rights(const struct vma *vma, bool alone)
{
    unsigned rights = vma->prot ? vma->prot | RIGHT_READ : 0; /* any right lets an x86 read */
    return rights & rights_left(vma, alone);
}

static bool vma_allows(const struct vma *vma, enum fault_access access)
{
    static const unsigned needed[] = {
        [ACCESS_READ] = PROT_READ | PROT_WRITE | PROT_EXEC, /* any right lets an x86 read */
        [ACCESS_WRITE] = PROT_WRITE,
        [ACCESS_EXEC] = PROT_EXEC,
    };
    return vma->prot & needed[access];
}

static bool entry_allows(pte_t entry, enum fault_access access)
{
    static const unsigned needed[] = {
        [ACCESS_READ] = RIGHT_READ, [ACCESS_WRITE] = RIGHT_WRITE, [ACCESS_EXEC] = RIGHT_EXEC
    };
    return pte_allows(entry, needed[access]);
}

/*
 * A page of a file or shared object has been read where it was already in memory: so map those around it that are there, too,
 * within an aligned window (as Linux's fault_around_bytes). The window's entries stand in the same table.
 */
static __noinline enum fault_kind window_map(const struct fault_page *page, enum frame_kind kind)
{
    const struct vma *vma = page->vma;
    vaddr_t window = align_down(page->addr, FAULT_AROUND);
    vaddr_t first = MAX(window, vma->start), last = MIN(window + FAULT_AROUND, vma->end);

    pte_t *slot = page->slot - ((page->addr - first) >> PAGE_SHIFT);
    unsigned mapped = 0; /* bit i: page i of the aligned window */
    for (vaddr_t addr = first; addr < last; addr += PAGE_SIZE, slot++) {
        struct frame *frame = pte_is_none(pte_load(slot)) ? pagecache_find(vma->cache, vma_index_of(vma, addr)) : NULL;
        if (!frame)
            continue;
        frame_get(frame);
        pagetable_fill(slot, entry_make(vma, frame, false, ACCESS_READ), kind);
        mapped |= 1u << (addr % FAULT_AROUND >> PAGE_SHIFT);
    }
    trace_around(&page->aspace->tree, window, page->slot - ((page->addr - window) >> PAGE_SHIFT), mapped);
    return FAULT_FILE_MAP;
}

enum fault_kind fault_map(struct fault_page *page, struct frame *frame, enum fault_kind kind)
{
    pagetable_fill(page->slot, entry_make(page->vma, frame, frame_is_alone(frame), page->access), frame->kind);
    return kind;
}

enum fault_kind fault_map_cached(struct fault_page *page, struct frame *frame)
{
    fault_map(page, frame, FAULT_FILE_MAP);
    return page->access == ACCESS_WRITE ? FAULT_FILE_MAP : window_map(page, frame->kind);
}

/* lab cow: begin */
/* `frame`, new and filled, takes the place of `old` in the entry that faulted; its reference is the entry's. */
static inline enum fault_kind page_exchange(struct fault_page *page, struct frame *frame, struct frame *old,
                                            enum fault_kind kind)
{
    pagetable_replace(page->slot, entry_make(page->vma, frame, true, ACCESS_WRITE), FRAME_ANON, old->kind);
    tlb_flush_page(page->addr);
    frame_put(old);
    return kind;
}

/* lab zero: begin */
/* A write where only the zero page has been read: there is nothing to copy. */
static __noinline enum fault_kind page_upgrade(struct fault_page *page, struct frame *zero)
{
    struct frame *frame = frame_alloc_zeroed(FRAME_ANON);
    return likely(frame) ? page_exchange(page, frame, zero, FAULT_ZERO_UPGRADE) : FAULT_OOM;
}
/* lab zero: instead page_upgrade.c */

/* A write to a private page that is not ours alone: the zero page, a file's, or one shared since fork. */
static __noinline enum fault_kind page_copy_on_write(struct fault_page *page, struct frame *shared)
{
    if (shared->kind == FRAME_ZERO)
        return page_upgrade(page, shared);
    struct frame *copy = frame_alloc(FRAME_ANON);
    if (!copy)
        return FAULT_OOM;
    page_copy(frame_address(copy), frame_address(shared));
    return page_exchange(page, copy, shared, FAULT_COW_COPY);
}
/* lab cow: instead page_copy_on_write.c */

/* The entry holds a frame. `regained`: its path was shared or had been until now. */
static __noinline enum fault_kind page_present(struct fault_page *page, bool regained)
{
    pte_t entry = page->before;
    struct frame *frame = frame_at(pte_pfn(entry));

    if (entry_allows(entry, page->access)) {
        if (page->access == ACCESS_WRITE) /* by the kernel's own hand, maybe: MADV_FREE is over */
            pte_store(page->slot, pte_dirtied(entry));
        tlb_flush_page(page->addr);
        return regained && page->access == ACCESS_WRITE ? FAULT_COW_REUSE : FAULT_SPURIOUS;
    }
    BUG_ON(page->access != ACCESS_WRITE, "entry 0x%lx at 0x%lx forbids what its VMA allows", entry.bits, page->addr);
    /* lab cow: begin */
    if (!(rights_left(page->vma, frame_is_alone(frame)) & RIGHT_WRITE))
        return page_copy_on_write(page, frame);
    pte_store(page->slot, pte_dirtied(pte_writable(entry)));
    tlb_flush_page(page->addr);
    return FAULT_COW_REUSE;
    /* lab cow: instead
     * //
     * // The VMA allows a write, the entry does not. Is a copy needed at all? Who is the last one to have this frame may go
     * // on in it: FAULT_COW_REUSE. Shared mappings (VMA_SHARED) are never copied. rights_left() above knows who may write.
     * //
     * return page_copy_on_write(page, frame);
     */
}

/* The decision about one page that its VMA lets be accessed: its entry stands in page->slot. */
static inline enum fault_kind page_decide(struct fault_page *page, bool regained)
{
    page->before = pte_load(page->slot);
    return pte_is_none(page->before) ? page->vma->ops->fault(page) : page_present(page, regained);
}

/* The path to the page has to be made ours first. */
static __noinline enum fault_kind page_serve_unowned(struct fault_page *page)
{
    bool regained;

    page->slot = pagetable_own(&page->aspace->tree, page->addr, &regained);
    return page->slot ? page_decide(page, regained) : FAULT_OOM;
}

static inline enum fault_kind page_serve(struct fault_page *page)
{
    page->slot = pagetable_owned(&page->aspace->tree, page->addr);
    return likely(page->slot) ? page_decide(page, false) : page_serve_unowned(page);
}

/* The address lies in `vma`. */
static enum fault_kind fault_serve_in(struct fault_page *page, struct vma *vma)
{
    page->vma = vma;
    return vma_allows(vma, page->access) ? page_serve(page) : FAULT_SEGV_ACCERR;
}

/* It lies in none; `above` is the next one, or NULL. A stack may grow down to it. */
static __noinline enum fault_kind fault_serve_below(struct fault_page *page, struct vma *above)
{
    struct aspace *aspace = page->aspace;
    vaddr_t old_start = above ? above->start : 0;

    /* A promise refused is no want of memory: nobody's death would help. */
    if (!above || stack_grow(aspace, above, page->addr))
        return FAULT_SEGV_MAPERR;
    enum fault_kind kind = fault_serve_in(page, above);
    if (!fault_resolved(kind)) {
        stack_shrink(aspace, above, old_start);
        return kind;
    }
    trace_vma(TRACE_MAP, &aspace->tree, above, above->start, old_start);
    vma_merge(&aspace->vmas, above); /* it may have grown down to one that is alike */
    return FAULT_STACK_GROW;
}

/* Everything but the counting. What was made for a fault that comes to nothing is left for fault_undo(). */
static inline enum fault_kind fault_serve(struct fault_page *page)
{
    struct vma *vma = vma_find_again(&page->aspace->vmas, page->addr);

    ASSERT(mutex_is_mine(&page->aspace->lock));
    return likely(vma && page->addr >= vma->start) ? fault_serve_in(page, vma) : fault_serve_below(page, vma);
}

static __noinline void fault_undo(struct fault_page *page, enum fault_kind kind)
{
    if (kind == FAULT_BUS || kind == FAULT_OOM)
        pagetable_trim(&page->aspace->tree, page->addr);
}

/* The question; what answers it is filled in on the way. */
static inline void fault_ask(struct fault_page *page, struct aspace *aspace, vaddr_t addr, enum fault_access access)
{
    page->aspace = aspace;
    page->addr = page_down(addr);
    page->access = access;
}

/* For the kernel's own hand: nobody has faulted, so what had not to be done does not count. */
static inline enum fault_kind fault_touch(struct fault_page *page)
{
    enum fault_kind kind = fault_serve(page);

    if (unlikely(!fault_resolved(kind)))
        fault_undo(page, kind);
    if (kind != FAULT_SPURIOUS)
        fault_count(kind);
    return kind;
}

static __noinline enum fault_kind fault_touch_traced(struct fault_page *page)
{
    struct trace_before before;

    trace_fault_begin(&before);
    enum fault_kind kind = fault_touch(page);
    if (kind != FAULT_SPURIOUS)
        trace_fault_end(&before, page, &(struct fault){ .addr = page->addr, .cause.access = page->access }, kind);
    return kind;
}

enum fault_kind fault_touch_locked(struct aspace *aspace, vaddr_t addr, enum fault_access access, struct frame **frame)
{
    struct fault_page page;

    fault_ask(&page, aspace, addr, access);
    enum fault_kind kind = unlikely(trace_is_on) ? fault_touch_traced(&page) : fault_touch(&page);
    if (frame && fault_resolved(kind))
        *frame = frame_at(pte_pfn(pte_load(page.slot)));
    return kind;
}

static enum fault_kind fault_try(struct fault_page *page)
{
    mutex_lock(&page->aspace->lock);
    enum fault_kind kind = fault_serve(page);
    if (!fault_resolved(kind))
        fault_undo(page, kind);
    mutex_unlock(&page->aspace->lock);
    return kind;
}

/* Memory is out: room is made, and all is looked up again each time, for it may have changed. */
static enum fault_kind fault_insist(struct fault_page *page)
{
    enum fault_kind kind = FAULT_OOM;
    enum oom_turn turn = oom_turn_begin();

    if (turn == OOM_TURN_REFUSED)
        return kind;
    if (turn == OOM_TURN_AFTER_OTHERS)
        kind = fault_try(page);
    while (kind == FAULT_OOM && oom_make_room())
        kind = fault_try(page);
    oom_turn_end();
    return kind;
}

/* The end of one that was not served, with the mutex held; without it afterwards. */
static __noinline enum fault_kind fault_fail(struct fault_page *page, enum fault_kind kind)
{
    fault_undo(page, kind);
    mutex_unlock(&page->aspace->lock);
    return kind == FAULT_OOM ? fault_insist(page) : kind;
}

/* For the current process, which waits until there is memory. */
static inline enum fault_kind fault_resolve(struct fault_page *page)
{
    struct aspace *aspace = page->aspace;

    ASSERT(aspace);
    mutex_lock(&aspace->lock);
    enum fault_kind kind = fault_serve(page);
    if (likely(fault_resolved(kind)))
        mutex_unlock(&aspace->lock);
    else
        kind = fault_fail(page, kind);
    fault_count(kind);
    return kind;
}

static __noinline enum fault_kind mm_fault_traced(const struct fault *fault)
{
    struct trace_before before;
    struct fault_page page;

    trace_fault_begin(&before);
    fault_ask(&page, this_cpu()->aspace, fault->addr, fault->cause.access);
    enum fault_kind kind = fault_resolve(&page);
    trace_fault_end(&before, &page, fault, kind);
    return kind;
}

enum fault_kind mm_fault(const struct fault *fault)
{
    struct fault_page page;

    if (unlikely(trace_is_on))
        return mm_fault_traced(fault);
    fault_ask(&page, this_cpu()->aspace, fault->addr, fault->cause.access);
    return fault_resolve(&page);
}
