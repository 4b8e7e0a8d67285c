// SPDX-License-Identifier: MIT
/*
 * random_advice.c: the random test's madvise, mlock and mincore, and memory that is taken back.
 */
#include <errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/reclaim.h"
#include "tests/host/random.h"
#include "tests/kernel/space.h"

#define FETCH_PAGES 64 /* more are not fetched at once: mappings may be large */

#define LOCK_FLAGS (VMA_LOCKED | VMA_LOCK_ONFAULT)

/* ---- advice ---- */

static bool is_private_anonymous(const struct model_range *range)
{
    return !(range->flags & VMA_SHARED) && !range->object;
}

static int advise_remove(const struct model_range *range, vaddr_t start, vaddr_t end)
{
    if (range->flags & VMA_LOCKED || !range->object)
        return -EINVAL;
    if (!(range->flags & VMA_SHARED) || range->flags & VMA_NEVER_WRITE)
        return -EACCES;
    if (range->object->is_file)
        return -EOPNOTSUPP;
    uint64_t first = range->index + ((start - range->start) >> PAGE_SHIFT);
    uint64_t last = first + ((end - start) >> PAGE_SHIFT);
    model_punch(range->object, first, last);
    for (unsigned i = 0; i < SPACES; i++)
        if (model[i].aspace)
            model_punch_unmap(&model[i], range->object, first, last);
    return 0;
}

/* One range, or a part of it. */
static int model_advise(const struct model_range *range, vaddr_t start, vaddr_t end, int advice)
{
    switch (advice) {
    case MADV_NORMAL:
        return model_set_flags(now, start, end, 0, VMA_SEQUENTIAL | VMA_RANDOM), 0;
    case MADV_SEQUENTIAL:
        return model_set_flags(now, start, end, VMA_SEQUENTIAL, VMA_RANDOM), 0;
    case MADV_RANDOM:
        return model_set_flags(now, start, end, VMA_RANDOM, VMA_SEQUENTIAL), 0;
    case MADV_DONTFORK:
        return model_set_flags(now, start, end, VMA_DONTFORK, 0), 0;
    case MADV_DOFORK:
        return model_set_flags(now, start, end, 0, VMA_DONTFORK), 0;
    case MADV_KEEPONFORK:
        return model_set_flags(now, start, end, 0, VMA_WIPEONFORK), 0;
    case MADV_WIPEONFORK:
        if (!is_private_anonymous(range))
            return -EINVAL;
        return model_set_flags(now, start, end, VMA_WIPEONFORK, 0), 0;
    case MADV_FREE:
        if (range->flags & VMA_LOCKED || !is_private_anonymous(range))
            return -EINVAL;
        return model_free_lazily(now, start, end), 0;
    case MADV_REMOVE:
        return advise_remove(range, start, end);
    case MADV_DONTDUMP:
        return model_set_flags(now, start, end, VMA_DONTDUMP, 0), 0;
    case MADV_DODUMP:
        return model_set_flags(now, start, end, 0, VMA_DONTDUMP), 0;
    case MADV_DONTNEED_LOCKED:
        return model_drop(now, start, end), 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return range->flags & VMA_LOCKED ? -EINVAL : 0;
    default: /* MADV_WILLNEED */
        return 0;
    }
}

/* Range after range, up to the first that refuses; a hole is told at the end. */
static int model_advise_all(vaddr_t start, vaddr_t end, int advice)
{
    bool hole = !model_is_mapped(now, start, end);

    for (unsigned i = 0; i < now->ranges; i++) {
        struct model_range range = now->range[i]; /* marks may split it: twice does no harm */
        if (range.end <= start || range.start >= end)
            continue;
        vaddr_t from = MAX(range.start, start), to = MIN(range.end, end);
        int error = model_advise(&range, from, to, advice);
        if (error)
            return error;
    }
    return hole ? -ENOMEM : 0;
}

/* VMA after VMA, up to a hole, or one without the right, or one whose pages cannot be had. */
static int model_advise_populate(vaddr_t start, vaddr_t end, bool write)
{
    while (start < end) {
        const struct model_range *range = model_range_at(now, start);
        if (!range)
            return -ENOMEM;
        if (!(range->prot & (write ? PROT_WRITE : PROT_READ)))
            return -EINVAL;
        vaddr_t part_end = MIN(range->end, end);
        if (model_populate(now, start, part_end, write))
            return -EFAULT;
        start = part_end;
    }
    return 0;
}

static bool is_all_or_nothing(vaddr_t start, vaddr_t end, int advice)
{
    const struct model_range *range = model_range_at(now, start);

    return range && range->end >= end && advice != MADV_POPULATE_READ && advice != MADV_POPULATE_WRITE;
}

void op_advise(void)
{
    static const int advices[] = {
        MADV_NORMAL,   MADV_RANDOM, MADV_SEQUENTIAL,    MADV_WILLNEED,       MADV_FREE,       MADV_FREE,
        MADV_FREE,     MADV_REMOVE, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTFORK,   MADV_DOFORK,
        MADV_DOFORK,   MADV_REMOVE, MADV_WIPEONFORK,    MADV_KEEPONFORK,     MADV_KEEPONFORK, MADV_DONTDUMP,
        MADV_DODUMP,   MADV_COLD,   MADV_PAGEOUT,       MADV_DONTNEED_LOCKED,
    };
    int advice = advices[below(ARRAY_SIZE(advices))];
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        pages = MIN(pages, FETCH_PAGES);
    vaddr_t end = start + (pages << PAGE_SHIFT);
    if (!is_roomy())
        return;
    inject_only_if(is_all_or_nothing(start, end, advice));
    note("madvise 0x%lx, %lu pages, advice %d", start, pages, advice);
    int error = aspace_advise(now->aspace, start, end - start, advice);
    if (failed_as_told(error) && model_is_mapped(now, start, end))
        return;
    bool populate = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
    int wanted = populate ? model_advise_populate(start, end, advice == MADV_POPULATE_WRITE)
                          : model_advise_all(start, end, advice);
    CHECK(error == wanted, "result %d, not %d", error, wanted);
}

/* ---- locks ---- */

/* Fetch VMA by VMA, as the rights of each say. `wish`: what cannot be had is left out. */
static bool fetch(struct model *space, vaddr_t start, vaddr_t end, bool wish)
{
    while (start < end) {
        const struct model_range *range = NULL;
        for (unsigned i = 0; i < space->ranges && !range; i++)
            if (space->range[i].end > start)
                range = &space->range[i];
        if (!range || range->start >= end)
            return true;
        start = MAX(start, range->start);
        vaddr_t part_end = MIN(model_vma_end(space, start), end);
        bool write = range->prot & PROT_WRITE && !(range->flags & VMA_SHARED);
        if (!(range->flags & VMA_LOCK_ONFAULT) && model_populate(space, start, part_end, write) && !wish)
            return false;
        start = part_end;
    }
    return true;
}

void model_fetch(struct model *space, vaddr_t start, vaddr_t end) { fetch(space, start, end, true); }

static uint64_t locked_pages(vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < now->ranges; i++)
        if (now->range[i].flags & VMA_LOCKED && now->range[i].start < end && now->range[i].end > start)
            pages += (MIN(now->range[i].end, end) - MAX(now->range[i].start, start)) >> PAGE_SHIFT;
    return pages;
}

/* Up to the first hole. */
static int model_mark(vaddr_t start, vaddr_t end, unsigned flags)
{
    vaddr_t at = start;

    while (at < end && model_range_at(now, at))
        at = MIN(model_range_at(now, at)->end, end);
    model_set_flags(now, start, at, flags, LOCK_FLAGS);
    return at < end ? -ENOMEM : 0;
}

static int model_lock(vaddr_t start, vaddr_t end, enum lock_mode mode, uint64_t limit)
{
    uint64_t after = locked_pages(0, USER_END) - locked_pages(start, end) + ((end - start) >> PAGE_SHIFT);

    if (!limit)
        return -EPERM;
    if (after > limit >> PAGE_SHIFT)
        return -ENOMEM;
    int error = model_mark(start, end, mode == LOCK_NOW ? VMA_LOCKED : LOCK_FLAGS);
    if (error || mode == LOCK_ON_FAULT)
        return error;
    return fetch(now, start, end, false) ? 0 : -ENOMEM;
}

/* With a limit, as one who is not privileged. */
static void limit_set(uint64_t limit)
{
    now->aspace->lock_limit = limit;
    now->aspace->unprivileged = limit != UINT64_MAX;
}

void op_lock(void)
{
    enum lock_mode mode = one_in(3) ? LOCK_ON_FAULT : LOCK_NOW;
    uint64_t limit = one_in(6) ? below(200) << PAGE_SHIFT : UINT64_MAX;
    vaddr_t start;
    uint64_t pages;

    if (!is_roomy())
        return;
    pick_range(&start, &pages);
    pages = MIN(pages, FETCH_PAGES);
    vaddr_t end = start + (pages << PAGE_SHIFT);
    inject_only_if(mode == LOCK_ON_FAULT && model_is_mapped(now, start, end));
    note("mlock 0x%lx, %lu pages, mode %u, limit %lu", start, pages, mode, limit >> PAGE_SHIFT);
    uint64_t odd = below(PAGE_SIZE); /* both ends are rounded outwards */
    limit_set(limit);
    int error = aspace_lock(now->aspace, start + odd, end - start - odd, mode);
    limit_set(UINT64_MAX);
    if (failed_as_told(error))
        return;
    int wanted = model_lock(start, end, mode, limit);
    CHECK(error == wanted, "result %d, not %d", error, wanted);
}

void op_unlock(void)
{
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    vaddr_t end = start + (pages << PAGE_SHIFT);
    inject_only_if(model_is_mapped(now, start, end));
    note("munlock 0x%lx, %lu pages", start, pages);
    int error = aspace_unlock(now->aspace, start, end - start);
    if (failed_as_told(error))
        return;
    int wanted = model_mark(start, end, 0);
    CHECK(error == wanted, "result %d, not %d", error, wanted);
}

static bool has_large_range(void)
{
    for (unsigned i = 0; i < now->ranges; i++)
        if (now->range[i].end - now->range[i].start >= LARGE / 2)
            return true;
    return false;
}

static void op_unlock_all(void)
{
    note("munlockall");
    aspace_unlock_all(now->aspace);
    model_set_flags(now, 0, USER_END, 0, LOCK_FLAGS);
    now->lock_future = 0;
}

void op_lock_all(void)
{
    static const int choices[] = { MCL_CURRENT, MCL_FUTURE, MCL_CURRENT | MCL_FUTURE, MCL_ONFAULT, 0 };
    int flags = choices[below(ARRAY_SIZE(choices))];
    bool fits = is_roomy() && !has_large_range() && model_total(now) < 1000;

    if (one_in(2) || now->lock_future)
        return op_unlock_all();
    flags |= one_in(2) || !fits ? MCL_ONFAULT : 0;
    uint64_t limit = one_in(4) ? below(3000) << PAGE_SHIFT : UINT64_MAX;
    note("mlockall %d, limit %lu", flags, limit >> PAGE_SHIFT);
    limit_set(limit);
    int error = aspace_lock_all(now->aspace, flags), wanted = 0;
    limit_set(UINT64_MAX);
    if (!(flags & (MCL_CURRENT | MCL_FUTURE)))
        wanted = -EINVAL;
    else if (!limit)
        wanted = -EPERM;
    else if (flags & MCL_CURRENT && model_total(now) > limit >> PAGE_SHIFT)
        wanted = -ENOMEM;
    CHECK(error == wanted, "result %d, not %d", error, wanted);
    if (error)
        return;
    unsigned locked = flags & MCL_ONFAULT ? LOCK_FLAGS : VMA_LOCKED;
    now->lock_future = flags & MCL_FUTURE ? locked : 0;
    if (!(flags & MCL_CURRENT))
        return;
    model_set_flags(now, 0, USER_END, locked, LOCK_FLAGS);
    if (!(flags & MCL_ONFAULT))
        model_fetch(now, 0, USER_END);
}

/* ---- what is there ---- */

void op_in_core(void)
{
    static unsigned char in_core[512];
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    pages = MIN(pages, sizeof(in_core));
    note("mincore 0x%lx, %lu pages", start, pages);
    memset(in_core, 0xee, sizeof(in_core));
    bool mapped = model_is_mapped(now, start, start + (pages << PAGE_SHIFT));
    int error = aspace_sync(now->aspace, start, pages << PAGE_SHIFT, MS_SYNC);
    CHECK(error == (mapped ? 0 : -ENOMEM), "msync sees it otherwise: %d", error);
    uint64_t wanted = model_range_at(now, start) ? (model_vma_end(now, start) - start) >> PAGE_SHIFT : 0;
    int64_t count = aspace_in_core(now->aspace, start, pages, in_core);
    CHECK(count == (wanted ? (int64_t)MIN(wanted, pages) : -ENOMEM), "result %ld", count);
    for (int64_t i = 0; i < count; i++) {
        vaddr_t addr = start + (i << PAGE_SHIFT);
        const struct model_range *range = model_range_at(now, addr);
        uint64_t index = range->index + ((addr - range->start) >> PAGE_SHIFT);
        const struct model_object *object = range->object;
        bool cached = object && index < page_up(object->size) >> PAGE_SHIFT && object->page[index];
        bool there = model_page_at(now, addr) || cached;
        CHECK(in_core[i] == there, "0x%lx: %u, not %u", addr, in_core[i], there);
    }
}

/* ---- memory taken back ---- */

/* What was given up and not written since goes, and nothing else: everywhere, shared or not. */
static void reclaimed_from(struct model *space)
{
    for (unsigned i = 0; i < space->pages;) {
        const struct model_page *page = &space->page[i];
        bool gone = pte_is_none(space_entry(space->aspace, page->addr));
        CHECK(gone == page->lazy_free, "0x%lx was %staken", page->addr, gone ? "" : "not ");
        if (gone)
            model_drop(space, page->addr, page->addr + PAGE_SIZE);
        else
            i++;
    }
}

void op_reclaim(void)
{
    uint64_t before = model_anon_frames, free_before = frame_free_count();

    note("take back what was given up");
    uint64_t told = reclaim_lazy_free();
    for (unsigned i = 0; i < SPACES; i++)
        if (model[i].aspace)
            reclaimed_from(&model[i]);
    CHECK(told == before - model_anon_frames, "%lu frames, not %lu", told, before - model_anon_frames);
    CHECK(frame_free_count() == free_before + told, "%lu frames free, %lu before", frame_free_count(),
          free_before);
}
