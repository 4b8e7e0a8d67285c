// SPDX-License-Identifier: MIT
/*
 * map.c: the calls that change promises: map, unmap, protect, break.
 *
 * Each has the same order: check, then take all that can fail (charge, VMAs, owned tables), then change, which
 * cannot fail. So a call that returns an error has changed nothing.
 */
#include <linux/mman.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/range.h"
#include "mm/shm.h"

/* ---- ranges (range.h) ---- */

/* A clone of the VMA that `addr` lies strictly inside of, for cutting there. False: out of memory. */
static bool cut_prepare(struct aspace *aspace, vaddr_t addr, struct vma **upper)
{
    struct vma *vma = vma_find(&aspace->vmas, addr);

    *upper = NULL;
    if (vma && vma->start < addr)
        *upper = vma_clone(vma);
    return *upper || !vma || vma->start == addr;
}

static void cut_at(struct aspace *aspace, vaddr_t addr, struct vma *upper)
{
    if (upper)
        vma_split(&aspace->vmas, vma_find(&aspace->vmas, addr), addr, upper);
}

int range_cut(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *at_start, *at_end;

    if (!cut_prepare(aspace, start, &at_start))
        return -ENOMEM;
    if (!cut_prepare(aspace, end, &at_end)) {
        if (at_start)
            vma_destroy(at_start);
        return -ENOMEM;
    }
    cut_at(aspace, start, at_start);
    cut_at(aspace, end, at_end);
    return 0;
}

bool range_is_mapped(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(&aspace->vmas, start);

    while (vma && vma->end < end) {
        struct vma *next = vma_next(vma);
        if (!next || next->start != vma->end)
            return false;
        vma = next;
    }
    return vma;
}

bool range_is_free(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find_first(&aspace->vmas, start);
    return !vma || vma->start >= end;
}

void range_release_pages(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct gather gather = { 0 };

    aspace_note_peak_locked(aspace);
    pagetable_release(&aspace->tree, start, end, &gather);
    gather_finish(&gather);
}

int range_unmap(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma, *next;

    if (range_is_free(aspace, start, end))
        return 0;
    if (pagetable_prepare_release(&aspace->tree, start, end) || range_cut(aspace, start, end))
        return -ENOMEM;
    range_release_pages(aspace, start, end);
    for (vma = vma_find_first(&aspace->vmas, start); vma && vma->start < end; vma = next) {
        next = vma_next(vma);
        vma_remove(&aspace->vmas, vma);
        if (vma->flags & VMA_ACCOUNTED)
            commit_refund(vma_pages(vma));
        vma_destroy(vma);
    }
    return 0;
}

void range_merge(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find_first(&aspace->vmas, start);

    while (vma && vma->start <= end)
        vma = vma_next(vma_merge(&aspace->vmas, vma));
}

/* ---- mmap ---- */

static bool map_request_valid(const struct map_request *request)
{
    unsigned type = request->flags & MAP_TYPE;

    return request->length && (type == MAP_PRIVATE || type == MAP_SHARED || type == MAP_SHARED_VALIDATE) &&
           is_aligned(request->offset, PAGE_SIZE);
}

/* MAP_FIXED and MAP_FIXED_NOREPLACE: the address, or an error. */
static int64_t map_place_fixed(struct aspace *aspace, const struct map_request *request, uint64_t length)
{
    vaddr_t addr = request->addr;

    if (!is_aligned(addr, PAGE_SIZE))
        return -EINVAL;
    if (addr > USER_END - length)
        return -ENOMEM;
    if (addr < USER_START)
        return -EPERM;
    if (request->flags & MAP_FIXED_NOREPLACE && !range_is_free(aspace, addr, addr + length))
        return -EEXIST;
    return addr;
}

/* Where the mapping goes: at the fixed address, at the hint if that is free, else in the highest gap. */
static int64_t map_place(struct aspace *aspace, const struct map_request *request, uint64_t length)
{
    if (length > USER_END)
        return -ENOMEM;
    if (request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return map_place_fixed(aspace, request, length);
    vaddr_t hint = page_down(request->addr);
    if (hint >= USER_START && hint <= USER_END - length && range_is_free(aspace, hint, hint + length))
        return hint;
    vaddr_t addr = vma_find_gap(&aspace->vmas, length, USER_START, aspace->mmap_top);
    if (!addr)
        addr = vma_find_gap(&aspace->vmas, length, USER_START, USER_END);
    return addr ? (int64_t)addr : -ENOMEM;
}

/* The VMA that the request asks for, without a place yet, not yet charged. NULL: out of memory. */
static struct vma *map_make_vma(const struct map_request *request, uint64_t length)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    struct pagecache *cache = request->cache ? pagecache_get(request->cache) : NULL;
    const struct vma_ops *ops = cache ? &filemap_ops : shared ? &shm_ops : &anon_ops;
    unsigned flags = (shared ? VMA_SHARED : 0) | (request->flags & MAP_NORESERVE ? VMA_NORESERVE : 0) |
                     (request->flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
                     (request->never_write && shared ? VMA_NEVER_WRITE : 0);

    if (!cache && shared) {
        cache = shm_create(length, request->flags & MAP_NORESERVE ? SHM_RESERVE_NOTHING : SHM_RESERVE_WHOLE);
        if (!cache)
            return NULL;
    }
    if (vma_is_accountable(request->prot, flags))
        flags |= VMA_ACCOUNTED;
    struct vma *vma = vma_create(0, length, request->prot & (PROT_READ | PROT_WRITE | PROT_EXEC), flags, ops, cache,
                                 request->offset >> PAGE_SHIFT);
    if (cache)
        pagecache_put(cache); /* the VMA has its own reference */
    return vma;
}

/* Charge the new VMA and clear its place; then it goes in. 0 or -ENOMEM, then the VMA is still the caller's. */
static int map_insert(struct aspace *aspace, struct vma *vma, vaddr_t addr)
{
    uint64_t length = vma->end - vma->start, charge = vma->flags & VMA_ACCOUNTED ? length >> PAGE_SHIFT : 0;

    if (commit_charge(charge))
        return -ENOMEM;
    if (range_unmap(aspace, addr, addr + length)) {
        commit_refund(charge);
        return -ENOMEM;
    }
    vma->start = addr;
    vma->end = addr + length;
    vma_insert(&aspace->vmas, vma);
    return 0;
}

static void map_remove(struct aspace *aspace, struct vma *vma)
{
    vma_remove(&aspace->vmas, vma);
    if (vma->flags & VMA_ACCOUNTED)
        commit_refund(vma_pages(vma));
}

/* zfod=off: all pages now, or none and -ENOMEM. The edges are owned first, so that giving up cannot fail. */
static int map_fill(struct aspace *aspace, const struct vma *vma)
{
    if (pagetable_prepare_release(&aspace->tree, vma->start, vma->end))
        return -ENOMEM;
    int error = aspace_populate_locked(aspace, vma->start, vma->end - vma->start, vma->prot & PROT_WRITE);
    if (error)
        range_release_pages(aspace, vma->start, vma->end);
    return error;
}

/* zfod=off must be paid. MAP_POPULATE is a wish: what cannot be had now comes by fault (mmap(2)). 0 or -ENOMEM. */
static int map_pay_now(struct aspace *aspace, const struct map_request *request, const struct vma *vma)
{
    if (!vma->prot)
        return 0;
    if (!lazy.zfod && !request->cache)
        return map_fill(aspace, vma);
    if (request->flags & (MAP_POPULATE | MAP_LOCKED)) {
        bool write = vma->prot & PROT_WRITE && !(vma->flags & VMA_SHARED);
        int unfulfilled = aspace_populate_locked(aspace, vma->start, vma->end - vma->start, write);
        (void)unfulfilled;
    }
    return 0;
}

static int64_t map_locked(struct aspace *aspace, const struct map_request *request)
{
    uint64_t length = page_up(request->length);

    if (!length)
        return -ENOMEM; /* wrapped around */
    int64_t addr = map_place(aspace, request, length);
    if (addr < 0)
        return addr;
    struct vma *vma = map_make_vma(request, length);
    if (!vma)
        return -ENOMEM;
    if (map_insert(aspace, vma, addr))
        goto out_vma;
    if (map_pay_now(aspace, request, vma))
        goto out_remove;
    vma_merge(&aspace->vmas, vma);
    return addr;

out_remove:
    map_remove(aspace, vma);
out_vma:
    vma_destroy(vma);
    return -ENOMEM;
}

int64_t aspace_map(struct aspace *aspace, const struct map_request *request)
{
    if (!map_request_valid(request))
        return -EINVAL;
    if (request->never_write && (request->flags & MAP_TYPE) != MAP_PRIVATE && request->prot & PROT_WRITE)
        return -EACCES;
    mutex_lock(&aspace->lock);
    int64_t result = map_locked(aspace, request);
    mutex_unlock(&aspace->lock);
    return result;
}

/* ---- munmap ---- */

int aspace_unmap(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    if (!is_aligned(addr, PAGE_SIZE) || !length || addr > USER_END || length > USER_END - addr)
        return -EINVAL;
    mutex_lock(&aspace->lock);
    int error = range_unmap(aspace, addr, addr + page_up(length));
    mutex_unlock(&aspace->lock);
    return error;
}

/* ---- mprotect ---- */

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
            error = commit_charge(pages);
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
    }
    range_merge(aspace, start, end);
}

static int protect_locked(struct aspace *aspace, vaddr_t start, vaddr_t end, unsigned prot)
{
    uint64_t charged;

    if (!range_is_mapped(aspace, start, end))
        return -ENOMEM;
    int error = protect_charge(aspace, start, end, prot, &charged);
    if (error)
        return error;
    if (pagetable_own_range(&aspace->tree, start, end) || range_cut(aspace, start, end)) {
        commit_refund(charged);
        return -ENOMEM;
    }
    protect_apply(aspace, start, end, prot);
    return 0;
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

/* ---- brk ---- */

/* Grow the heap from `from` to `to`, page aligned. 0 or -ENOMEM. */
static int brk_grow(struct aspace *aspace, vaddr_t from, vaddr_t to)
{
    struct map_request request = {
        .addr = from,
        .length = to - from,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
    };
    struct vma *next = vma_find_first(&aspace->vmas, from);

    if (next && next->flags & VMA_GROWSDOWN && to + VMA_GUARD_GAP > next->start)
        return -ENOMEM;
    return map_locked(aspace, &request) < 0 ? -ENOMEM : 0;
}

static int brk_move(struct aspace *aspace, vaddr_t brk)
{
    vaddr_t from = page_up(aspace->brk), to = page_up(brk);

    if (brk < aspace->brk_start || brk > USER_END)
        return -EINVAL;
    if (to == from)
        return 0;
    return to > from ? brk_grow(aspace, from, to) : range_unmap(aspace, to, from);
}

vaddr_t aspace_brk(struct aspace *aspace, vaddr_t brk)
{
    mutex_lock(&aspace->lock);
    if (!brk_move(aspace, brk))
        aspace->brk = brk;
    vaddr_t result = aspace->brk;
    mutex_unlock(&aspace->lock);
    return result;
}
