// SPDX-License-Identifier: MIT
/*
 * model.c: see model.h. Everything is a loop over an array; nothing is clever.
 */
#include "tests/host/model.h"

#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/assert.h"
#include "mm/commit.h"

uint64_t model_anon_frames, model_shm_frames, model_file_frames;
uint64_t model_shm_committed;

static void *must(void *memory)
{
    BUG_ON(!memory, "the host is out of memory");
    return memory;
}

/* ---- frames and objects ---- */

static struct model_frame *frame_new(void)
{
    struct model_frame *frame = must(calloc(1, sizeof(*frame)));
    frame->refs = 1;
    model_anon_frames++;
    return frame;
}

static void frame_release(struct model_frame *frame)
{
    if (--frame->refs)
        return;
    model_anon_frames--;
    free(frame);
}

static uint64_t object_pages(const struct model_object *object)
{
    return page_up(object->size) >> PAGE_SHIFT;
}

static struct model_object *object_create(uint64_t size)
{
    struct model_object *object = must(calloc(1, sizeof(*object)));
    object->refs = 1;
    object->size = size;
    object->page = must(calloc(object_pages(object), sizeof(*object->page)));
    return object;
}

struct model_object *model_file_create(uint64_t size, uint8_t number)
{
    struct model_object *object = object_create(size);
    object->is_file = true;
    object->number = number;
    return object;
}

struct model_object *model_shm_create(uint64_t size, bool commit_by_page)
{
    struct model_object *object = object_create(size);
    object->commit_by_page = commit_by_page;
    model_shm_committed += commit_by_page ? 0 : object_pages(object);
    return object;
}

void model_object_put(struct model_object *object)
{
    if (!object || --object->refs)
        return;
    for (uint64_t i = 0; i < object_pages(object); i++) {
        if (object->page[i])
            (*(object->is_file ? &model_file_frames : &model_shm_frames))--;
        model_shm_committed -= object->page[i] && object->commit_by_page;
        free(object->page[i]);
    }
    model_shm_committed -= object->is_file || object->commit_by_page ? 0 : object_pages(object);
    free(object->page);
    free(object);
}

void model_file_page(uint8_t number, uint64_t index, uint8_t *page)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        page[i] = 31 * number + 7 * index + (i >> 4);
}

/* Pages that the ledger counts for it. */
static uint64_t object_committed(const struct model_object *object)
{
    uint64_t made = 0;

    for (uint64_t i = 0; i < object_pages(object); i++)
        made += object->page[i] != NULL;
    return object->is_file ? 0 : object->commit_by_page ? made : object_pages(object);
}

/* The object's page, brought into its cache. */
static uint8_t *object_page(struct model_object *object, uint64_t index)
{
    uint8_t **page = &object->page[index];

    if (!*page) {
        *page = must(calloc(1, PAGE_SIZE));
        if (object->is_file)
            model_file_page(object->number, index, *page);
        (*(object->is_file ? &model_file_frames : &model_shm_frames))++;
        model_shm_committed += object->commit_by_page;
    }
    return *page;
}

/* ---- ranges ---- */

struct model_range *model_range_at(const struct model *model, vaddr_t addr)
{
    for (unsigned i = 0; i < model->ranges; i++)
        if (addr >= model->range[i].start && addr < model->range[i].end)
            return &model->range[i];
    return NULL;
}

static void range_insert(struct model *model, unsigned at, struct model_range range)
{
    if (model->ranges == model->ranges_room) {
        model->ranges_room = model->ranges_room * 2 + 16;
        model->range = must(realloc(model->range, model->ranges_room * sizeof(range)));
    }
    memmove(&model->range[at + 1], &model->range[at], (model->ranges - at) * sizeof(range));
    model->range[at] = range;
    model->ranges++;
}

static void range_delete(struct model *model, unsigned at)
{
    model->ranges--;
    memmove(&model->range[at], &model->range[at + 1], (model->ranges - at) * sizeof(struct model_range));
}

/* Make `addr` a border between ranges. */
static void range_split(struct model *model, vaddr_t addr)
{
    for (unsigned i = 0; i < model->ranges; i++) {
        struct model_range lower = model->range[i];
        if (addr <= lower.start || addr >= lower.end)
            continue;
        struct model_range upper = lower;
        upper.start = model->range[i].end = addr;
        if (upper.object) {
            upper.index += (addr - lower.start) >> PAGE_SHIFT;
            upper.object->refs++;
        }
        range_insert(model, i + 1, upper);
        return;
    }
}

bool model_is_free(const struct model *model, vaddr_t start, vaddr_t end)
{
    for (unsigned i = 0; i < model->ranges; i++)
        if (model->range[i].start < end && model->range[i].end > start)
            return false;
    return true;
}

bool model_is_mapped(const struct model *model, vaddr_t start, vaddr_t end)
{
    for (unsigned i = 0; i < model->ranges && start < end; i++)
        if (model->range[i].start <= start && model->range[i].end > start)
            start = model->range[i].end;
    return start >= end;
}

/* Where free room below this range ends. */
static vaddr_t room_end(const struct model_range *range)
{
    if (!(range->flags & VMA_GROWSDOWN))
        return range->start;
    return range->start > VMA_GUARD_GAP ? range->start - VMA_GUARD_GAP : 0;
}

vaddr_t model_find_gap(const struct model *model, uint64_t length, vaddr_t low, vaddr_t high)
{
    for (int i = model->ranges; i >= 0; i--) {
        vaddr_t start = i > 0 ? model->range[i - 1].end : 0;
        vaddr_t end = i < (int)model->ranges ? room_end(&model->range[i]) : high;
        start = MAX(start, low);
        end = MIN(end, high);
        if (start < end && end - start >= length)
            return end - length;
    }
    return 0;
}

/* ---- pages ---- */

/* The index of the first page at or above addr. */
static unsigned page_index(const struct model *model, vaddr_t addr)
{
    unsigned low = 0, high = model->pages;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (model->page[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct model_page *model_page_at(const struct model *model, vaddr_t addr)
{
    unsigned at = page_index(model, page_down(addr));
    return at < model->pages && model->page[at].addr == page_down(addr) ? &model->page[at] : NULL;
}

static void page_put(struct model *model, struct model_page page)
{
    unsigned at = page_index(model, page.addr);

    if (at < model->pages && model->page[at].addr == page.addr) {
        if (model->page[at].frame)
            frame_release(model->page[at].frame);
        model->page[at] = page;
        return;
    }
    if (model->pages == model->pages_room) {
        model->pages_room = model->pages_room * 2 + 64;
        model->page = must(realloc(model->page, model->pages_room * sizeof(page)));
    }
    memmove(&model->page[at + 1], &model->page[at], (model->pages - at) * sizeof(page));
    model->page[at] = page;
    model->pages++;
}

void model_drop(struct model *model, vaddr_t start, vaddr_t end)
{
    unsigned first = page_index(model, start), last = page_index(model, end);

    if (first == last)
        return;
    for (unsigned i = first; i < last; i++)
        if (model->page[i].frame)
            frame_release(model->page[i].frame);
    memmove(&model->page[first], &model->page[last], (model->pages - last) * sizeof(struct model_page));
    model->pages -= last - first;
}

/* ---- calls ---- */

void model_init(struct model *model) { *model = (struct model){ 0 }; }

void model_clear(struct model *model)
{
    model_unmap(model, 0, USER_END);
    free(model->range);
    free(model->page);
    model_init(model);
}

void model_fork(struct model *child, struct model *parent)
{
    *child = *parent;
    child->range = must(malloc((parent->ranges + 1) * sizeof(struct model_range)));
    child->page = must(malloc((parent->pages + 1) * sizeof(struct model_page)));
    child->ranges_room = parent->ranges;
    child->pages_room = parent->pages;
    for (unsigned i = 0; i < parent->ranges; i++) {
        child->range[i] = parent->range[i];
        child->range[i].flags &= ~(VMA_LOCKED | VMA_LOCK_ONFAULT);
        if (child->range[i].object)
            child->range[i].object->refs++;
    }
    for (unsigned i = 0; i < parent->pages; i++) {
        child->page[i] = parent->page[i];
        if (child->page[i].frame)
            child->page[i].frame->refs++;
    }
    child->lock_future = 0;
    for (unsigned i = 0; i < parent->ranges; i++) {
        const struct model_range *range = &parent->range[i];
        if (range->flags & VMA_DONTFORK)
            model_unmap(child, range->start, range->end);
        else if (range->flags & VMA_WIPEONFORK)
            model_drop(child, range->start, range->end);
    }
}

void model_unmap(struct model *model, vaddr_t start, vaddr_t end)
{
    range_split(model, start);
    range_split(model, end);
    for (unsigned i = 0; i < model->ranges;) {
        if (model->range[i].start >= start && model->range[i].end <= end) {
            model_object_put(model->range[i].object);
            range_delete(model, i);
        } else {
            i++;
        }
    }
    model_drop(model, start, end);
}

/* Does the ledger count this range? Private writable memory, unless asked not to. */
static bool is_accountable(unsigned prot, unsigned flags)
{
    return prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_NORESERVE));
}

void model_map(struct model *model, vaddr_t start, vaddr_t end, unsigned prot, unsigned flags,
               struct model_object *object, uint64_t index)
{
    unsigned at = 0;

    model_unmap(model, start, end);
    while (at < model->ranges && model->range[at].start < start)
        at++;
    if (is_accountable(prot, flags))
        flags |= VMA_ACCOUNTED;
    range_insert(model, at, (struct model_range){ start, end, prot, flags, object, index });
}

/* Are both of one VMA, as far as their own properties go? */
static bool is_alike(const struct model_range *a, const struct model_range *b)
{
    return a->prot == b->prot && a->flags == b->flags && a->object == b->object &&
           (!a->object || a->index - (a->start >> PAGE_SHIFT) == b->index - (b->start >> PAGE_SHIFT));
}

vaddr_t model_vma_end(const struct model *model, vaddr_t addr)
{
    const struct model_range *range = model_range_at(model, addr), *next = range + 1;

    for (; next < model->range + model->ranges && next->start == range->end && is_alike(range, next); next++)
        range = next;
    return range->end;
}

void model_protect(struct model *model, vaddr_t start, vaddr_t end, unsigned prot)
{
    range_split(model, start);
    range_split(model, end);
    for (unsigned i = 0; i < model->ranges; i++) {
        struct model_range *range = &model->range[i];
        if (range->start < start || range->end > end)
            continue;
        range->prot = prot;
        if (is_accountable(prot, range->flags))
            range->flags |= VMA_ACCOUNTED;
    }
}

void model_set_flags(struct model *model, vaddr_t start, vaddr_t end, unsigned set, unsigned clear)
{
    range_split(model, start);
    range_split(model, end);
    for (unsigned i = 0; i < model->ranges; i++)
        if (model->range[i].start >= start && model->range[i].end <= end)
            model->range[i].flags = (model->range[i].flags & ~clear) | set;
}

void model_free_lazily(struct model *model, vaddr_t start, vaddr_t end)
{
    for (unsigned i = page_index(model, start); i < model->pages && model->page[i].addr < end; i++)
        model->page[i].lazy_free = model->page[i].state == MODEL_ANON;
}

void model_punch(struct model_object *object, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i < last && i < object_pages(object); i++) {
        if (!object->page[i])
            continue;
        free(object->page[i]);
        object->page[i] = NULL;
        model_shm_frames--;
        model_shm_committed -= object->commit_by_page;
    }
}

void model_punch_unmap(struct model *model, const struct model_object *object, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < model->ranges; i++) {
        const struct model_range *range = &model->range[i];
        uint64_t pages = (range->end - range->start) >> PAGE_SHIFT;
        if (range->object != object || first >= range->index + pages || last <= range->index)
            continue;
        uint64_t from = MAX(first, range->index) - range->index, to = MIN(last - range->index, pages);
        model_drop(model, range->start + (from << PAGE_SHIFT), range->start + (to << PAGE_SHIFT));
    }
}

/* Range and pages of [from, from + old_length) go to `to`, which is free, and become new_length long. */
void model_move(struct model *model, vaddr_t from, vaddr_t to, uint64_t old_length, uint64_t new_length)
{
    struct model_range range = *model_range_at(model, from);
    unsigned first = page_index(model, from), last = page_index(model, from + old_length),
             count = last - first;
    struct model_page *moved = must(malloc((count + 1) * sizeof(struct model_page)));

    for (unsigned i = 0; i < count; i++) {
        moved[i] = model->page[first + i];
        if (moved[i].frame)
            moved[i].frame->refs++;
    }
    if (range.object) {
        range.object->refs++;
        range.index += (from - range.start) >> PAGE_SHIFT;
    }
    model_unmap(model, from, from + old_length);
    model_map(model, to, to + new_length, range.prot, range.flags, range.object, range.index);
    for (unsigned i = 0; i < count; i++) {
        moved[i].addr += to - from;
        page_put(model, moved[i]);
    }
    free(moved);
}

/* ---- sums ---- */

/* Pages charged to shared objects that end when [start, end) is unmapped. */
static uint64_t model_last_of_objects(const struct model *model, vaddr_t start, vaddr_t end)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < model->ranges; i++) {
        const struct model_object *object = model->range[i].object;
        unsigned inside = 0, first = model->ranges;
        if (!object || object->is_file || model->range[i].start >= end || model->range[i].end <= start)
            continue;
        for (unsigned j = 0; j < model->ranges; j++) {
            const struct model_range *range = &model->range[j];
            if (range->object != object || range->start < start || range->end > end)
                continue;
            inside++;
            first = MIN(first, j);
        }
        if (first == i && inside == object->refs)
            sum += object_committed(object);
    }
    return sum;
}

uint64_t model_total(const struct model *model)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < model->ranges; i++)
        sum += (model->range[i].end - model->range[i].start) >> PAGE_SHIFT;
    return sum;
}

/* Pages of [start, end) in ranges that have all of these flags. */
static uint64_t count_pages(const struct model *model, vaddr_t start, vaddr_t end, unsigned flags)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < model->ranges; i++) {
        const struct model_range *range = &model->range[i];
        if (range->start < end && range->end > start && (range->flags & flags) == flags)
            sum += (MIN(range->end, end) - MAX(range->start, start)) >> PAGE_SHIFT;
    }
    return sum;
}

uint64_t model_committed(const struct model *model) { return count_pages(model, 0, USER_END, VMA_ACCOUNTED); }

uint64_t model_committed_in(const struct model *model, vaddr_t start, vaddr_t end)
{
    return count_pages(model, start, end, VMA_ACCOUNTED) + model_last_of_objects(model, start, end);
}

uint64_t model_pages_in(const struct model *model, vaddr_t start, vaddr_t end)
{
    return count_pages(model, start, end, 0);
}

uint64_t model_resident(const struct model *model, enum resident_kind kind)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < model->pages; i++) {
        const struct model_page *page = &model->page[i];
        if (page->state == MODEL_ANON)
            count += kind == RESIDENT_ANON;
        else if (page->state == MODEL_OBJECT)
            count +=
                kind == (model_range_at(model, page->addr)->object->is_file ? RESIDENT_FILE : RESIDENT_SHM);
    }
    return count;
}

/* ---- limits ---- */

bool model_commit_refuses(uint64_t pages, uint64_t size) { return model_commit_refuses_after(pages, size, 0); }

bool model_commit_refuses_after(uint64_t pages, uint64_t size, uint64_t refunded)
{
    uint64_t reserve = MIN(size / 32, commit_policy.user_reserve_kbytes / 4);

    if (!pages || commit_policy.overcommit_memory == COMMIT_ALWAYS)
        return false;
    if (commit_policy.overcommit_memory == COMMIT_HEURISTIC)
        return pages > frame_total_count();
    return model_committed_in_all() - refunded + pages + reserve >= commit_limit();
}

static bool is_data(unsigned prot, unsigned flags)
{
    return prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

bool model_size_refuses(const struct model *model, uint64_t pages, unsigned prot, unsigned flags)
{
    const struct aspace *limits = model->aspace; /* they are set from outside: here we may look */
    uint64_t data = pages, data_limit = limits->data_limit ? limits->data_limit : limits->data_limit_hard;

    if (limits->size_limit != UINT64_MAX && (model_total(model) + pages) * PAGE_SIZE > limits->size_limit)
        return true;
    for (unsigned i = 0; i < model->ranges; i++)
        if (is_data(model->range[i].prot, model->range[i].flags))
            data += (model->range[i].end - model->range[i].start) >> PAGE_SHIFT;
    return is_data(prot, flags) && data_limit != UINT64_MAX && data * PAGE_SIZE > data_limit;
}

/* ---- accesses ---- */

/* The range that would grow down to addr, if one may. */
static struct model_range *stack_for(const struct model *model, vaddr_t addr)
{
    struct model_range *above = NULL, *below = NULL;

    for (unsigned i = 0; i < model->ranges; i++) {
        if (model->range[i].end <= addr)
            below = &model->range[i];
        else if (!above)
            above = &model->range[i];
    }
    vaddr_t start = page_down(addr);
    if (!above || !(above->flags & VMA_GROWSDOWN) || start < USER_START || start >= above->start)
        return NULL;
    bool guarded =
        !below || below->flags & VMA_GROWSDOWN || !below->prot || start >= below->end + VMA_GUARD_GAP;
    vaddr_t end = above->end;
    /* Ranges that are alike are one VMA to the kernel. */
    for (struct model_range *next = above + 1; next < model->range + model->ranges; next++) {
        if (next->start != end || next->prot != above->prot || next->flags != above->flags ||
            next->object != above->object)
            break;
        end = next->end;
    }
    uint64_t pages = (above->start - start) >> PAGE_SHIFT;
    if (!guarded || end - start > model->stack_limit ||
        model_size_refuses(model, pages, above->prot, above->flags))
        return NULL;
    return model_commit_refuses(above->flags & VMA_ACCOUNTED ? pages : 0, model_total(model)) ? NULL : above;
}

static model_kinds predict_absent(const struct model_range *range, vaddr_t addr, enum fault_access access)
{
    struct model_object *object = range->object;
    uint64_t index = range->index + ((page_down(addr) - range->start) >> PAGE_SHIFT);

    if (!object)
        return access == ACCESS_WRITE || !lazy.zeropage ? KIND(FAULT_ZERO_FILL) : KIND(FAULT_ZERO_READ);
    if (index >= object_pages(object))
        return KIND(FAULT_BUS);
    if (!object->is_file && !object->page[index] && object->commit_by_page && model_commit_refuses(1, 0))
        return KIND(FAULT_BUS);
    if (!object->is_file)
        return object->page[index] ? KIND(FAULT_FILE_MAP) : KIND(FAULT_ZERO_FILL);
    if (access == ACCESS_WRITE)
        return KIND(FAULT_COW_COPY);
    return object->page[index] ? KIND(FAULT_FILE_MAP) : KIND(FAULT_FILE_READ);
}

/* Writing where rights on the path may have gone and come back without the model knowing. */
#define MAYBE_REUSE (NO_FAULT | KIND(FAULT_COW_REUSE) | KIND(FAULT_SPURIOUS))

static model_kinds predict_present(const struct model_range *range, const struct model_page *page,
                                   enum fault_access access)
{
    if (access != ACCESS_WRITE)
        return NO_FAULT | KIND(FAULT_SPURIOUS);
    switch (page->state) {
    case MODEL_ZERO:
        return KIND(FAULT_ZERO_UPGRADE);
    case MODEL_ANON:
        return page->frame->refs > 1 ? KIND(FAULT_COW_COPY) : MAYBE_REUSE;
    default:
        return range->flags & VMA_SHARED ? MAYBE_REUSE : KIND(FAULT_COW_COPY);
    }
}

model_kinds model_predict(const struct model *model, vaddr_t addr, enum fault_access access)
{
    const struct model_range *range = addr < USER_END ? model_range_at(model, addr) : NULL;

    if (!range) {
        const struct model_range *stack = addr < USER_END ? stack_for(model, addr) : NULL;
        if (!stack)
            return KIND(FAULT_SEGV_MAPERR);
        bool allowed = access == ACCESS_WRITE  ? stack->prot & PROT_WRITE
                       : access == ACCESS_READ ? stack->prot
                                               : stack->prot & PROT_EXEC;
        return allowed ? KIND(FAULT_STACK_GROW) : KIND(FAULT_SEGV_ACCERR);
    }
    if ((access == ACCESS_WRITE && !(range->prot & PROT_WRITE)) ||
        (access == ACCESS_EXEC && !(range->prot & PROT_EXEC)) || !range->prot)
        return KIND(FAULT_SEGV_ACCERR);
    const struct model_page *page = model_page_at(model, addr);
    return page ? predict_present(range, page, access) : predict_absent(range, addr, access);
}

/* A private page gets a frame of its own with these contents (NULL: zeroes). */
static void page_make_private(struct model *model, vaddr_t addr, const uint8_t *contents)
{
    struct model_frame *frame = frame_new();

    if (contents)
        memcpy(frame->data, contents, PAGE_SIZE);
    page_put(model, (struct model_page){ addr, MODEL_ANON, frame, false });
}

/* Where the VMA that this page belongs to ends in the direction of `step`, at most at `limit`. */
static vaddr_t around_limit(const struct model *model, const struct model_range *range, vaddr_t addr,
                            int64_t step, vaddr_t limit)
{
    while (addr != limit) {
        const struct model_range *next = model_range_at(model, addr + (uint64_t)step);
        if (!next || !is_alike(next, range))
            break;
        addr += (uint64_t)step;
    }
    return addr;
}

/* A read that found its page in the cache maps what else the cache has of the same 16 pages. */
static void map_around(struct model *model, const struct model_range *range, vaddr_t addr)
{
    const vaddr_t window = 16 * PAGE_SIZE, low = align_down(addr, window), high = low + window - PAGE_SIZE;
    vaddr_t first = around_limit(model, range, addr, -(int64_t)PAGE_SIZE, low);
    vaddr_t last = around_limit(model, range, addr, PAGE_SIZE, high);

    for (vaddr_t at = first; at <= last; at += PAGE_SIZE) {
        uint64_t index = range->index + (at >> PAGE_SHIFT) - (range->start >> PAGE_SHIFT);
        if (index < object_pages(range->object) && range->object->page[index] && !model_page_at(model, at))
            page_put(model, (struct model_page){ at, MODEL_OBJECT, NULL, false });
    }
}

static void touch_object(struct model *model, struct model_range *range, vaddr_t addr, bool write)
{
    uint64_t index = range->index + ((addr - range->start) >> PAGE_SHIFT);
    bool hit = range->object->page[index] && !model_page_at(model, addr);
    uint8_t *contents = object_page(range->object, index);

    if (write && !(range->flags & VMA_SHARED))
        page_make_private(model, addr, contents);
    else if (!model_page_at(model, addr))
        page_put(model, (struct model_page){ addr, MODEL_OBJECT, NULL, false });
    if (hit && !write)
        map_around(model, range, addr);
}

void model_touch(struct model *model, vaddr_t addr, enum fault_access access)
{
    vaddr_t at = page_down(addr);
    bool write = access == ACCESS_WRITE;
    struct model_range *range = model_range_at(model, addr);

    if (!range) {
        range = stack_for(model, addr);
        range->index -= range->object ? (range->start - at) >> PAGE_SHIFT : 0;
        range->start = at;
    }
    struct model_page *page = model_page_at(model, at);
    if (page && page->state == MODEL_ANON) {
        page->lazy_free = page->lazy_free && !write;
        if (write && page->frame->refs > 1)
            page_make_private(model, at, page->frame->data);
    } else if (range->object) {
        touch_object(model, range, at, write);
    } else if (write || !lazy.zeropage) {
        page_make_private(model, at, NULL);
    } else if (!page) {
        page_put(model, (struct model_page){ at, MODEL_ZERO, NULL, false });
    }
}

uint8_t *model_bytes(struct model *model, vaddr_t addr, uint8_t scratch[PAGE_SIZE])
{
    const struct model_range *range = model_range_at(model, addr);
    const struct model_page *page = model_page_at(model, addr);

    if (page && page->state == MODEL_ANON)
        return page->frame->data;
    if (!range->object) {
        memset(scratch, 0, PAGE_SIZE);
        return scratch;
    }
    return object_page(range->object, range->index + ((page_down(addr) - range->start) >> PAGE_SHIFT));
}
