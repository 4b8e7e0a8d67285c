// SPDX-License-Identifier: MIT
/*
 * map.c: the calls that make and end promises: mmap, munmap, brk.
 *
 * Each call here and in protect.c, remap.c has the same order: check, then take all that can fail (VMAs, owned tables,
 * charge), then change, which cannot fail. So a call that returns an error has changed nothing; but where Linux asks
 * the ledger late, so do we: MAP_FIXED has then cleared its place.
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

/* Where MAP_32BIT maps (mmap(2): the first 2 GiB; Linux leaves the lower half to programs). */
#define LOW_START (1ul << 30)
#define LOW_END (2ul << 30)

unsigned long vm_mmap_min_addr = 65536;

static bool map_request_valid(const struct map_request *request)
{
    unsigned type = request->flags & MAP_TYPE;

    if (!request->length || !is_aligned(request->offset, PAGE_SIZE))
        return false;
    if (type == MAP_PRIVATE && !request->cache)
        return true;
    bool known = type == MAP_PRIVATE || type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && request->cache);
    return known && !(request->flags & MAP_GROWSDOWN); /* only private anonymous memory grows */
}

/* MAP_FIXED and MAP_FIXED_NOREPLACE: the address, or an error. */
static int64_t map_place_fixed(struct aspace *aspace, const struct map_request *request, uint64_t length)
{
    vaddr_t addr = request->addr;

    if (addr > USER_END - length)
        return -ENOMEM;
    if (!is_aligned(addr, PAGE_SIZE))
        return -EINVAL;
    if (addr < USER_START || (aspace->unprivileged && addr < vm_mmap_min_addr))
        return -EPERM;
    if (request->flags & MAP_FIXED_NOREPLACE && !range_is_free(aspace, addr, addr + length))
        return -EEXIST;
    return addr;
}

/* lab vma: begin */
/* Is [addr, addr + length) free, and out of the guard of what grows down above it? */
static bool hint_fits(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    const struct vma *next = vma_find_first(&aspace->vmas, addr);

    return addr <= USER_END - length && (!next || addr + length <= vma_guard_start(next));
}
/* lab vma: instead hint_fits.c */

/* The lowest address for a mapping whose place the kernel chooses. */
static vaddr_t map_low(void) { return MAX(USER_START, page_up(vm_mmap_min_addr)); }

vaddr_t map_find_gap(struct aspace *aspace, vaddr_t hint, uint64_t length)
{
    vaddr_t addr = hint ? MAX(page_down(hint), map_low()) : 0;

    if (length > USER_END)
        return 0;
    if (addr && hint_fits(aspace, addr, length))
        return addr;
    addr = vma_find_gap(&aspace->vmas, length, map_low(), aspace->mmap_top);
    return addr ? addr : vma_find_gap(&aspace->vmas, length, map_low(), USER_END);
}

/* MAP_32BIT: the same within the first 2 GiB. */
static vaddr_t map_find_low_gap(struct aspace *aspace, vaddr_t hint, uint64_t length)
{
    vaddr_t addr = hint ? MAX(page_down(hint), LOW_START) : 0;

    if (length > LOW_END)
        return 0;
    if (addr && addr <= LOW_END - length && hint_fits(aspace, addr, length))
        return addr;
    return vma_find_gap(&aspace->vmas, length, LOW_START, LOW_END);
}

/* Where the mapping goes: at the fixed address, at the hint if that is free, else in the highest gap. */
static int64_t map_place(struct aspace *aspace, const struct map_request *request, uint64_t length)
{
    if (length > USER_END)
        return -ENOMEM;
    if (request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return map_place_fixed(aspace, request, length);
    vaddr_t addr = request->flags & MAP_32BIT ? map_find_low_gap(aspace, request->addr, length)
                                              : map_find_gap(aspace, request->addr, length);
    return addr ? (int64_t)addr : -ENOMEM;
}

/* The VMA flags that a request stands for. Where nothing is overcommitted, MAP_NORESERVE means nothing. */
static unsigned map_flags(const struct aspace *aspace, const struct map_request *request)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    /* lab commit: begin */
    bool noreserve = request->flags & MAP_NORESERVE && commit_policy.overcommit_memory != COMMIT_NEVER;
    /* lab commit: instead
     * // When does the kernel take a program's word that it needs no reserve, and when not (commit.h)?
     * bool noreserve = request->flags & MAP_NORESERVE && lab_missing("commit", "map_flags");
     */
    unsigned flags = (shared ? VMA_SHARED : 0) | (noreserve ? VMA_NORESERVE : 0) |
                     (request->flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
                     (request->flags & MAP_LOCKED ? VMA_LOCKED : 0) | aspace->lock_future |
                     (request->never_write && shared ? VMA_NEVER_WRITE : 0) |
                     (request->never_exec ? VMA_NEVER_EXEC : 0);

    return vma_is_accountable(request->prot, flags) ? flags | VMA_ACCOUNTED : flags;
}

/* May the mapping be, as far as limits go? 0, or the error. */
static int map_check_limits(struct aspace *aspace, const struct map_request *request, vaddr_t addr, uint64_t length,
                            unsigned flags)
{
    uint64_t pages = length >> PAGE_SHIFT;

    if (request->flags & MAP_LOCKED && aspace->unprivileged && !aspace->lock_limit)
        return -EPERM;
    if (!range_may_lock(aspace, pages, flags))
        return -EAGAIN;
    if (request->cache && request->offset > INT64_MAX - length)
        return -EOVERFLOW; /* beyond what off_t can name */
    if (range_may_grow(aspace, pages, request->prot, flags))
        return 0;
    pages -= range_pages(aspace, addr, addr + length); /* these go: MAP_FIXED */
    return range_may_grow(aspace, pages, request->prot, flags) ? 0 : -ENOMEM;
}

/* The VMA that the request asks for, not yet charged. NULL: out of memory. */
static struct vma *map_make_vma(const struct map_request *request, vaddr_t addr, uint64_t length, unsigned flags)
{
    bool is_shm = !request->cache && flags & VMA_SHARED;
    struct pagecache *cache = is_shm ? shm_create(length) : request->cache;
    const struct vma_ops *ops = is_shm ? &shm_ops : cache ? &filemap_ops : &anon_ops;

    if (is_shm && !cache)
        return NULL;
    struct vma *vma = vma_create(addr, addr + length, request->prot & (PROT_READ | PROT_WRITE | PROT_EXEC), flags, ops,
                                 cache, request->offset >> PAGE_SHIFT);
    if (is_shm)
        pagecache_put(cache); /* the VMA has its own reference */
    return vma;
}

/* Charge for the new VMA, whose place is free; then it goes in. 0 or -ENOMEM, then the VMA is still the caller's. */
static int map_insert(struct aspace *aspace, struct vma *vma)
{
    enum shm_reserve reserve = vma->flags & VMA_NORESERVE ? SHM_RESERVE_NOTHING : SHM_RESERVE_WHOLE;
    int error = 0;

    if (vma->ops == &shm_ops)
        error = shm_charge(vma->cache, reserve, aspace);
    else if (vma->flags & VMA_ACCOUNTED)
        error = commit_charge(vma_pages(vma), aspace);
    if (error)
        return error;
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
    if (!range_may_map(aspace))
        return -ENOMEM;
    int64_t addr = map_place(aspace, request, length);
    if (addr < 0)
        return addr;
    unsigned flags = map_flags(aspace, request);
    int error = map_check_limits(aspace, request, addr, length, flags);
    if (error)
        return error;
    struct vma *vma = map_make_vma(request, addr, length, flags);
    if (!vma)
        return -ENOMEM;
    if (request->flags & MAP_FIXED && range_unmap(aspace, addr, addr + length)) /* any other place is free */
        goto out_vma;
    if (map_insert(aspace, vma))
        goto out_vma;
    /* lab zero: begin */
    if (!lazy.zfod && !request->cache && vma->prot && map_fill(aspace, vma))
    /* lab zero: instead
     * //
     * // A promise is only written down: it takes no frame and no page table, however long it is (1 TiB included). The pages come
     * // one by one, when they are touched: see anon_fault(). With the boot switch zfod=off (!lazy.zfod) the kernel pays at once.
     * // What stands here pays at once always.
     * //
     * lab_missing("zero", "map_locked");
     * if (!request->cache && vma->prot && map_fill(aspace, vma))
     */
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
    bool populate = (request->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || request->flags & MAP_LOCKED ||
                    aspace->lock_future == VMA_LOCKED;
    mutex_unlock(&aspace->lock);
    if (result > 0 && populate)
        populate_if_possible(aspace, (vaddr_t)result, (vaddr_t)result + page_up(request->length));
    return result;
}

/* End the promises of a range at the program's own wish. 0 or -ENOMEM. */
static int give_back(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    int error = range_unmap(aspace, start, end);

    if (error)
        return error;
    if (end != aspace->given_back_start) /* else the two are one */
        aspace->given_back_end = end;
    aspace->given_back_start = start;
    return 0;
}

int aspace_unmap(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    if (!is_aligned(addr, PAGE_SIZE) || !length || addr > USER_END || length > USER_END - addr)
        return -EINVAL;
    mutex_lock(&aspace->lock);
    int error = give_back(aspace, addr, addr + page_up(length));
    mutex_unlock(&aspace->lock);
    return error;
}

/* Does the VMA show its object as one mapping of all of it from `addr` on would? */
static bool vma_is_placed(const struct vma *vma, vaddr_t addr)
{
    return vma->index << PAGE_SHIFT == vma->start - addr;
}

/* The first VMA of such an object that begins at `addr`, in whole or in what is left of it; or NULL. */
static struct vma *object_find(struct aspace *aspace, vaddr_t addr, const struct pagecache_ops *ops)
{
    struct vma *vma = vma_find_first(&aspace->vmas, addr);

    while (vma && !(vma->cache && vma->cache->ops == ops && vma_is_placed(vma, addr)))
        vma = vma_next(vma);
    return vma;
}

int aspace_unmap_object(struct aspace *aspace, vaddr_t addr, const struct pagecache_ops *ops)
{
    mutex_lock(&aspace->lock);
    struct vma *next, *vma = is_aligned(addr, PAGE_SIZE) ? object_find(aspace, addr, ops) : NULL;
    const struct pagecache *cache = vma ? vma->cache : NULL;
    vaddr_t end = vma ? MAX(addr + page_up(cache->size), vma->end) : 0; /* the first as it is, mremap(2) or not */
    int error = vma ? 0 : -EINVAL;
    for (; vma && vma->end <= end && !error; vma = next) {
        next = vma_next(vma);
        if (vma->cache == cache && vma_is_placed(vma, addr))
            error = range_unmap(aspace, vma->start, vma->end);
    }
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

    if (next && to + PAGE_SIZE > vma_guard_start(next)) /* as on Linux, a page stays free */
        return -ENOMEM;
    return map_locked(aspace, &request) < 0 ? -ENOMEM : 0;
}

/* RLIMIT_DATA as brk(2) reads it: the heap and the program's own data. */
static bool brk_is_within_limit(const struct aspace *aspace, vaddr_t brk)
{
    uint64_t data = aspace->data_end - aspace->data_start;

    return aspace->data_limit == UINT64_MAX || brk - aspace->brk_start + data <= aspace->data_limit;
}

static int brk_move(struct aspace *aspace, vaddr_t brk)
{
    vaddr_t from = page_up(aspace->brk), to = page_up(brk);

    if (brk < aspace->brk_start || brk > USER_END || !brk_is_within_limit(aspace, brk))
        return -EINVAL;
    if (to == from)
        return 0;
    if (to > from)
        return brk_grow(aspace, from, to);
    return range_is_free(aspace, to, from) ? -EINVAL : give_back(aspace, to, from); /* the program unmapped it itself */
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
