// SPDX-License-Identifier: MIT
/*
 * map.c: the calls that make and end promises: mmap, munmap, brk.
 *
 * Each call here and in protect.c, remap.c has the same order: check, then take all that can fail (charge, VMAs,
 * owned tables), then change, which cannot fail. So a call that returns an error has changed nothing.
 */
#include <linux/mman.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/range.h"
#include "mm/shm.h"
#include "mm/trace.h"

unsigned long vm_mmap_min_addr = 65536;

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
    vaddr_t low = MAX(USER_START, page_up(vm_mmap_min_addr));
    vaddr_t hint = request->addr ? MAX(page_down(request->addr), low) : 0;
    if (hint && hint <= USER_END - length && range_is_free(aspace, hint, hint + length))
        return hint;
    vaddr_t addr = vma_find_gap(&aspace->vmas, length, low, aspace->mmap_top);
    if (!addr)
        addr = vma_find_gap(&aspace->vmas, length, low, USER_END);
    return addr ? (int64_t)addr : -ENOMEM;
}

/* The VMA flags that a request stands for. Where nothing is overcommitted, MAP_NORESERVE means nothing. */
static unsigned map_flags(const struct aspace *aspace, const struct map_request *request)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    bool noreserve = request->flags & MAP_NORESERVE && commit_policy.overcommit_memory != COMMIT_NEVER;
    unsigned flags = (shared ? VMA_SHARED : 0) | (noreserve ? VMA_NORESERVE : 0) |
                     (request->flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
                     (request->flags & MAP_LOCKED ? VMA_LOCKED : 0) | aspace->lock_future |
                     (request->never_write && shared ? VMA_NEVER_WRITE : 0);

    return vma_is_accountable(request->prot, flags) ? flags | VMA_ACCOUNTED : flags;
}

/* The VMA that the request asks for, without a place yet, not yet charged. NULL: out of memory. */
static struct vma *map_make_vma(const struct aspace *aspace, const struct map_request *request, uint64_t length,
                                unsigned flags)
{
    bool shared = flags & VMA_SHARED, noreserve = flags & VMA_NORESERVE;
    struct pagecache *cache = request->cache ? pagecache_get(request->cache) : NULL;
    const struct vma_ops *ops = cache ? &filemap_ops : shared ? &shm_ops : &anon_ops;

    if (!cache && shared) {
        cache = shm_create(length, noreserve ? SHM_RESERVE_NOTHING : SHM_RESERVE_WHOLE, aspace);
        if (!cache)
            return NULL;
    }
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

    if (commit_charge(charge, aspace))
        return -ENOMEM;
    if (range_unmap(aspace, addr, addr + length)) {
        commit_refund(charge);
        return -ENOMEM;
    }
    vma->start = addr;
    vma->end = addr + length;
    vma_insert(&aspace->vmas, vma);
    trace_vma(TRACE_MAP, &aspace->tree, vma, vma->start, vma->end);
    return 0;
}

static void map_remove(struct aspace *aspace, struct vma *vma)
{
    vma_remove(&aspace->vmas, vma);
    if (vma->flags & VMA_ACCOUNTED)
        commit_refund(vma_pages(vma));
    trace_range(TRACE_UNMAP, &aspace->tree, vma->start, vma->end, 0);
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

static int64_t map_locked(struct aspace *aspace, const struct map_request *request)
{
    uint64_t length = page_up(request->length);

    if (!length)
        return -ENOMEM; /* wrapped around */
    int64_t addr = map_place(aspace, request, length);
    if (addr < 0)
        return addr;
    unsigned flags = map_flags(aspace, request);
    if (!range_may_grow(aspace, length >> PAGE_SHIFT, request->prot, flags) || !range_may_add_vma(aspace))
        return -ENOMEM;
    struct vma *vma = map_make_vma(aspace, request, length, flags);
    if (!vma)
        return -ENOMEM;
    if (map_insert(aspace, vma, addr))
        goto out_vma;
    if (!lazy.zfod && !request->cache && vma->prot && map_fill(aspace, vma))
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
    bool populate = request->flags & (MAP_POPULATE | MAP_LOCKED) || aspace->lock_future == VMA_LOCKED;
    mutex_unlock(&aspace->lock);
    if (result > 0 && populate)
        populate_if_possible(aspace, (vaddr_t)result, (vaddr_t)result + page_up(request->length));
    return result;
}

int aspace_unmap(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    if (!is_aligned(addr, PAGE_SIZE) || !length || addr > USER_END || length > USER_END - addr)
        return -EINVAL;
    mutex_lock(&aspace->lock);
    int error = range_unmap(aspace, addr, addr + page_up(length));
    mutex_unlock(&aspace->lock);
    return error;
}

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
    vaddr_t old = aspace->brk;
    if (!brk_move(aspace, brk))
        aspace->brk = brk;
    vaddr_t result = aspace->brk;
    if (result != old)
        trace_range(TRACE_BRK, &aspace->tree, old, result, 0);
    bool populate = result > old && aspace->lock_future == VMA_LOCKED;
    mutex_unlock(&aspace->lock);
    if (populate)
        populate_if_possible(aspace, page_up(old), page_up(result));
    return result;
}
