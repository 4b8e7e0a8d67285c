// SPDX-License-Identifier: MIT
/*
 * random.c: the model-based random test: calls and accesses at random, in several address spaces that fork
 * and exit, each compared with the model (model.h): results, addresses, bytes, kinds of faults, and all
 * counts.
 *
 *     SEED=N OPS=N ring random
 *
 * One operation in sixteen runs with an allocation that is made to fail: then it must succeed or leave all as
 * it was. When something differs, the seed and the last operations are printed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/x86_64/cpu.h"
#include "kernel/lib/params.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/usercopy.h"
#include "tests/host/machine.h"
#include "tests/host/random.h"
#include "tests/kernel/space.h"

#define FILES 3
#define FRAMES_WANTED 5000  /* above this many frames in use, new mappings wait for old ones to go */
#define PAGES_WANTED 6000   /* the same for the pages of one address space's ordinary mappings */

static uint64_t random_state, seed;
struct model model[SPACES];
struct model *now;
static struct model_object *file[FILES];
bool injecting;
static uint64_t operation;

/* ---- what is printed when something is wrong ---- */

#define HISTORY 12
static char history[HISTORY][160];

static void history_print(void)
{
    fprintf(stderr, "# SEED=%lu, operation %lu; the last ones:\n", seed, operation);
    for (unsigned i = 1; i <= HISTORY; i++) /* the oldest first */
        if (history[(operation + i) % HISTORY][0])
            fprintf(stderr, "#   %s\n", history[(operation + i) % HISTORY]);
}

void note(const char *fmt, ...)
{
    char *line = history[operation % HISTORY];
    va_list args;

    va_start(args, fmt);
    int length = snprintf(line, sizeof(history[0]), "%lu [space %ld%s] ", operation, now - model,
                          injecting ? ", failing" : "");
    vsnprintf(line + length, sizeof(history[0]) - length, fmt, args);
    va_end(args);
    if (getenv("TRACE"))
        fprintf(stderr, "# %s\n", line);
}

/* ---- randomness ---- */

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dul;
}

uint64_t below(uint64_t limit) { return (random_next() >> 11) % limit; }
bool one_in(unsigned n) { return below(n) == 0; }

/* Small numbers often, large ones sometimes: 1 to 2^bits. */
uint64_t pages_up_to(unsigned bits) { return below(1ul << below(bits + 1)) + 1; }

/* MIN() evaluates its arguments twice: not for random ones. */
static uint64_t at_most(uint64_t value, uint64_t limit) { return MIN(value, limit); }

/* Places where borders of tables of every level lie, and both ends of user space. */
static const struct {
    vaddr_t start;
    unsigned pages;
} windows[] = {
    { USER_START, 60 },
    { 0x20000000ul, 1200 },                        /* three leaf tables */
    { (1ul << 30) - 400 * PAGE_SIZE, 800 },        /* two tables of level 2 */
    { (1ul << 39) - 150 * PAGE_SIZE, 300 },        /* two entries of the root */
    { USER_END - 100 * PAGE_SIZE, 100 },
};

static void pick_window(vaddr_t *start, uint64_t *pages)
{
    unsigned w = below(ARRAY_SIZE(windows)), first = below(windows[w].pages);

    *start = windows[w].start + ((uint64_t)first << PAGE_SHIFT);
    *pages = at_most(pages_up_to(9), windows[w].pages - first);
}

/* A range that touches something mapped, usually. */
void pick_range(vaddr_t *start, uint64_t *pages)
{
    if (!now->ranges || one_in(4))
        return pick_window(start, pages);
    const struct model_range *range = &now->range[below(now->ranges)];
    uint64_t size = (range->end - range->start) >> PAGE_SHIFT;
    if (one_in(4)) { /* the whole of it */
        *start = range->start;
        *pages = size;
        return;
    }
    *start = range->start + (below(size) << PAGE_SHIFT);
    *pages = at_most(one_in(3) ? pages_up_to(18) : pages_up_to(7), (USER_END - *start) >> PAGE_SHIFT);
}

/* An address, usually mapped and usually where something has been touched. */
static vaddr_t pick_address(void)
{
    vaddr_t start;
    uint64_t pages;

    if (now->pages && !one_in(3))
        return now->page[below(now->pages)].addr + (one_in(6) ? PAGE_SIZE : 0) + below(PAGE_SIZE);
    if (one_in(40))
        return random_next() >> below(20);
    pick_range(&start, &pages);
    return start + (below(MIN(pages, 300ul)) << PAGE_SHIFT) + below(PAGE_SIZE);
}

static unsigned pick_prot(void)
{
    static const unsigned prots[] = {
        READ_WRITE, READ_WRITE, READ_WRITE, READ_WRITE,
        PROT_READ, PROT_READ, PROT_NONE, PROT_WRITE, PROT_READ | PROT_EXEC, READ_WRITE | PROT_EXEC,
    };
    return prots[below(ARRAY_SIZE(prots))];
}

bool is_roomy(void)
{
    return model_anon_frames + model_shm_frames < FRAMES_WANTED && frame_free_count() > FRAMES_WANTED / 2;
}

/* ---- counts ---- */

static uint64_t frames_of(enum frame_kind kind)
{
    struct frame_figures figures;
    frame_figures(&figures);
    return figures.by_kind[kind];
}

uint64_t model_committed_in_all(void)
{
    uint64_t committed = model_shm_committed;

    for (unsigned i = 0; i < SPACES; i++)
        if (model[i].aspace)
            committed += model_committed(&model[i]);
    return committed;
}

static void check_sums(void)
{
    uint64_t committed = model_committed_in_all();

    CHECK(frames_of(FRAME_ANON) == model_anon_frames, "%lu anonymous frames, not %lu", frames_of(FRAME_ANON),
          model_anon_frames);
    CHECK(frames_of(FRAME_SHM) == model_shm_frames, "%lu shared frames, not %lu", frames_of(FRAME_SHM),
          model_shm_frames);
    CHECK(frames_of(FRAME_FILE) == model_file_frames, "%lu file frames, not %lu", frames_of(FRAME_FILE),
          model_file_frames);
    CHECK(commit_total() == committed, "%lu pages committed, not %lu", commit_total(), committed);
}

static void check_usage(const struct model *space)
{
    struct aspace_usage usage;

    aspace_usage(space->aspace, &usage);
    CHECK(usage.total == model_total(space), "VSZ %lu, not %lu", usage.total, model_total(space));
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        CHECK(usage.resident[kind] == model_resident(space, kind), "resident of kind %u: %lu, not %lu", kind,
              usage.resident[kind], model_resident(space, kind));
    CHECK(space->aspace->brk == space->brk, "break 0x%lx, not 0x%lx", space->aspace->brk, space->brk);
}

/* ---- VMAs and pages against the model ---- */

static void check_vma(const struct model *space, const struct vma *vma, vaddr_t from)
{
    for (vaddr_t at = from; at < vma->end;) {
        const struct model_range *range = model_range_at(space, at);
        CHECK(range, "VMA at 0x%lx where nothing should be", at);
        CHECK(vma->prot == range->prot && vma->flags == range->flags,
              "VMA at 0x%lx: prot %u flags %u, not %u %u", at, vma->prot, vma->flags, range->prot,
              range->flags);
        CHECK(vma->cache == (range->object ? range->object->cache : NULL),
              "VMA at 0x%lx shows another object", at);
        CHECK(!vma->cache || vma_index_of(vma, at) == range->index + ((at - range->start) >> PAGE_SHIFT),
              "VMA at 0x%lx shows index %lu", at, vma_index_of(vma, at));
        at = range->end;
    }
}

static void check_vmas(const struct model *space)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &space->aspace->vmas.list, link)
        check_vma(space, vma, vma->start);
}

struct page_check {
    struct model *space;
    unsigned next;
};

static int check_entry(vaddr_t addr, pte_t entry, void *arg)
{
    static uint8_t scratch[PAGE_SIZE];
    struct page_check *check = arg;
    const struct model_page *page = &check->space->page[check->next++];
    const struct frame *frame = frame_at(pte_pfn(entry));

    CHECK(check->next <= check->space->pages && page->addr == addr, "entry at 0x%lx that should not be",
          addr);
    CHECK((frame->kind == FRAME_ZERO) == (page->state == MODEL_ZERO), "0x%lx: frame of kind %u", addr,
          frame->kind);
    CHECK((frame->kind == FRAME_ANON) == (page->state == MODEL_ANON), "0x%lx: frame of kind %u", addr,
          frame->kind);
    bool is_open = model_range_at(check->space, addr)->prot != PROT_NONE;
    CHECK(pte_is_present(entry) == is_open, "0x%lx: entry 0x%lx, rights %u", addr, entry.bits, is_open);
    CHECK(!memcmp(frame_address(frame), model_bytes(check->space, addr, scratch), PAGE_SIZE),
          "0x%lx: other bytes", addr);
    return 0;
}

static void check_pages(struct model *space)
{
    struct page_check check = { .space = space };

    pagetable_visit(&space->aspace->tree, 0, USER_END, check_entry, &check);
    CHECK(check.next == space->pages, "0x%lx should have an entry", space->page[check.next].addr);
}

static void check_everything(void)
{
    for (unsigned i = 0; i < SPACES; i++) {
        if (!model[i].aspace)
            continue;
        check_usage(&model[i]);
        check_vmas(&model[i]);
        check_pages(&model[i]);
    }
    CHECK(mm_check() == 0, "mm_check() had no memory");
}

/* ---- accesses ---- */

static void check_kind(vaddr_t addr, enum fault_access access, model_kinds allowed)
{
    enum fault_kind kind = last_access.count ? last_access.kind[0] : FAULT_KINDS;
    const char *name = kind == FAULT_KINDS ? "no fault" : fault_kind_name(kind);

    if (injecting && kind == FAULT_OOM)
        return;
    CHECK(allowed & KIND(kind), "%s at 0x%lx, access %u; may be 0x%x", name, addr, access, allowed);
}

/*
 * A private write to a file's page that ran out of memory may have got as far as reading the page into the
 * cache, where it stays: no one sees a difference but the counts.
 */
static void file_page_sync(vaddr_t addr)
{
    static uint8_t scratch[PAGE_SIZE];
    const struct model_range *range = model_range_at(now, addr);

    if (range && range->object && range->object->is_file && frames_of(FRAME_FILE) == model_file_frames + 1)
        model_bytes(now, addr, scratch);
}

/* ---- faultahead= ---- */

/*
 * The kernel may map empty pages of anonymous memory right behind one that is there, in the same VMA and the same table.
 * The model cannot know how far, so it follows; it takes no others.
 */
static int follow_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct model *space = arg;
    const struct model_range *range = model_range_at(space, addr);

    if (model_page_at(space, addr) || !range || range->object)
        return 0;
    CHECK(model_page_at(space, addr - PAGE_SIZE) && addr < model_vma_end(space, addr - PAGE_SIZE) &&
              addr % (PAGE_SIZE * PTE_ENTRIES), "0x%lx is mapped, and not ahead of anything", addr);
    model_touch(space, addr, frame_at(pte_pfn(entry))->kind == FRAME_ZERO ? ACCESS_READ : ACCESS_WRITE);
    return 0;
}

static void follow_ahead(struct model *space)
{
    if (space->aspace && params_ulong("faultahead", 0))
        pagetable_visit(&space->aspace->tree, 0, USER_END, follow_entry, space);
}

/* One access within a page. True: it succeeded, and the model has followed. */
static bool access_page(vaddr_t addr, uint8_t *buffer, size_t n, enum fault_access access)
{
    static uint8_t scratch[PAGE_SIZE];
    model_kinds allowed = model_predict(now, addr, access);
    size_t done = access == ACCESS_WRITE  ? user_write(addr, buffer, n)
                  : access == ACCESS_READ ? user_read(addr, buffer, n)
                                          : user_execute(addr, n);

    check_kind(addr, access, allowed);
    CHECK(done == n || done == 0, "%lu of %lu bytes within a page", done, n);
    if (!done) {
        if (injecting && !(allowed & FAILED_KINDS))
            file_page_sync(addr);
        return false;
    }
    CHECK(!(allowed & FAILED_KINDS), "access %u at 0x%lx went through", access, addr);
    model_touch(now, addr, access);
    uint8_t *bytes = model_bytes(now, addr, scratch) + page_offset(addr);
    if (access == ACCESS_WRITE)
        memcpy(bytes, buffer, n);
    else if (access == ACCESS_READ)
        CHECK(!memcmp(bytes, buffer, n), "read at 0x%lx: 0x%02x, not 0x%02x", addr, buffer[0], bytes[0]);
    follow_ahead(now);
    return true;
}

static uint8_t buffer[4 * PAGE_SIZE];

static void buffer_fill(size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = random_next();
        memcpy(buffer + i, &word, 8);
    }
}

static size_t pick_length(void) { return one_in(8) ? below(3 * PAGE_SIZE) + 1 : below(64) + 1; }

static void op_access(void)
{
    static const enum fault_access kinds[] = { ACCESS_READ,  ACCESS_READ,  ACCESS_WRITE,
                                               ACCESS_WRITE, ACCESS_WRITE, ACCESS_EXEC };
    enum fault_access access = kinds[below(ARRAY_SIZE(kinds))];
    vaddr_t addr = pick_address();
    size_t n = pick_length();

    if (access == ACCESS_WRITE && !is_roomy())
        access = ACCESS_READ;
    if (addr >= 1ul << 47)
        addr |= 0xffff800000000000ul; /* canonical, else it is no page fault */
    note("access %u at 0x%lx, %lu bytes", access, addr, n);
    buffer_fill(n);
    for (size_t done = 0, part; done < n && addr + done >= addr; done += part) {
        part = MIN(n - done, PAGE_SIZE - page_offset(addr + done));
        if (!access_page(addr + done, buffer + done, part, access))
            break;
    }
}

/*
 * What a copy by the kernel does to the model: page after page up to the first that cannot be had. Bytes
 * that go through.
 */
static size_t model_copy(struct model *space, vaddr_t addr, uint8_t *bytes, size_t n,
                         enum fault_access access)
{
    static uint8_t scratch[PAGE_SIZE];

    for (size_t done = 0, part; done < n; done += part) {
        part = MIN(n - done, PAGE_SIZE - page_offset(addr + done));
        if (model_predict(space, addr + done, access) & FAILED_KINDS)
            return done;
        model_touch(space, addr + done, access);
        uint8_t *page = model_bytes(space, addr + done, scratch) + page_offset(addr + done);
        if (access == ACCESS_WRITE)
            memcpy(page, bytes + done, part);
        else
            memcpy(bytes + done, page, part);
    }
    return n;
}

static bool is_user_range(vaddr_t addr, size_t n) { return addr < USER_END && n <= USER_END - addr; }

static void op_copy_to_user(void)
{
    vaddr_t addr = pick_address();
    size_t n = pick_length();
    bool clear = one_in(3);

    note("%s 0x%lx, %lu bytes", clear ? "clear_user" : "copy_to_user", addr, n);
    buffer_fill(n);
    if (clear)
        memset(buffer, 0, n);
    int error = clear ? clear_user(addr, n) : copy_to_user(addr, buffer, n);
    bool whole = is_user_range(addr, n) && model_copy(now, addr, buffer, n, ACCESS_WRITE) == n;
    CHECK(error == (whole ? 0 : -EFAULT), "result %d", error);
}

static void op_copy_from_user(void)
{
    static uint8_t wanted[sizeof(buffer)];
    vaddr_t addr = pick_address();
    size_t n = pick_length();

    note("copy_from_user_part 0x%lx, %lu bytes", addr, n);
    ssize_type result = copy_from_user_part(buffer, addr, n);
    size_t done = is_user_range(addr, n) ? model_copy(now, addr, wanted, n, ACCESS_READ) : 0;
    CHECK(result == (done ? (ssize_type)done : -EFAULT), "result %ld, not %lu", result, done);
    CHECK(!memcmp(buffer, wanted, done), "other bytes");
}

struct model *pick_space(void)
{
    for (;;) {
        struct model *space = &model[below(SPACES)];
        if (space->aspace)
            return space;
    }
}

static void op_remote(void)
{
    static uint8_t wanted[sizeof(buffer)];
    vaddr_t addr = pick_address();
    size_t n = pick_length();
    struct model *space = pick_space();
    bool write = one_in(2) && is_roomy();
    int error;

    note("remote %s of space %ld at 0x%lx, %lu bytes", write ? "write" : "read", space - model, addr, n);
    buffer_fill(n);
    memcpy(wanted, buffer, n);
    error =
        write ? aspace_write(space->aspace, addr, buffer, n) : aspace_read(space->aspace, addr, buffer, n);
    bool whole = model_copy(space, addr, wanted, n, write ? ACCESS_WRITE : ACCESS_READ) == n;
    CHECK(error == (whole ? 0 : -EFAULT), "result %d", error);
    CHECK(!whole || !memcmp(buffer, wanted, n), "other bytes");
}

/* ---- calls ---- */

/*
 * Did the call fail for the allocation that was made to fail? Then nothing may have changed, which the
 * checks see.
 */
bool failed_as_told(int64_t result) { return injecting && (result == -ENOMEM || result == -EAGAIN); }

/* Some calls are not all or nothing when they run out of memory: those go without. */
void inject_only_if(bool atomic)
{
    injecting = injecting && atomic;
    if (injecting)
        return;
    frame_fail_nth(0);
    vm_max_map_count = UINT32_MAX;
}

model_kinds model_populate(struct model *space, vaddr_t start, vaddr_t end, bool write)
{
    enum fault_access access = write ? ACCESS_WRITE : ACCESS_READ;

    for (vaddr_t addr = start; addr < end; addr += PAGE_SIZE) {
        model_kinds failed = model_predict(space, addr, access) & FAILED_KINDS;
        if (failed)
            return failed;
        model_touch(space, addr, access);
    }
    return 0;
}

/* Is the room free, and no stack above close? */
static bool hint_fits(vaddr_t addr, uint64_t length)
{
    const struct model_range *above = NULL;

    if (addr > USER_END - length || !model_is_free(now, addr, addr + length))
        return false;
    for (unsigned i = 0; i < now->ranges && !above; i++)
        if (now->range[i].end > addr)
            above = &now->range[i];
    return !above || !(above->flags & VMA_GROWSDOWN) || addr + length + VMA_GUARD_GAP <= above->start;
}

/* Where the kernel must put what may go anywhere; or the error. */
static int64_t predict_gap(vaddr_t hint, uint64_t length)
{
    vaddr_t low = MAX(USER_START, page_up(vm_mmap_min_addr));

    if (hint >= low && hint_fits(hint, length))
        return hint;
    vaddr_t addr = model_find_gap(now, length, low, now->aspace->mmap_top);
    if (!addr)
        addr = model_find_gap(now, length, low, USER_END);
    return addr ? (int64_t)addr : -ENOMEM;
}

/* Where the kernel must put the mapping; or the error. */
static int64_t predict_place(const struct map_request *request)
{
    uint64_t length = page_up(request->length);
    vaddr_t addr = page_down(request->addr);

    if (request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        bool replace = !(request->flags & MAP_FIXED_NOREPLACE);
        return replace || model_is_free(now, addr, addr + length) ? (int64_t)addr : -EEXIST;
    }
    return predict_gap(addr, length);
}

static unsigned model_flags(const struct map_request *request)
{
    bool shared = (request->flags & MAP_TYPE) == MAP_SHARED;
    bool noreserve = request->flags & MAP_NORESERVE && commit_policy.overcommit_memory != COMMIT_NEVER;
    return (shared ? VMA_SHARED : 0) | (noreserve ? VMA_NORESERVE : 0) | now->lock_future |
           (request->flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
           (request->flags & MAP_LOCKED ? VMA_LOCKED : 0) |
           (shared && request->never_write ? VMA_NEVER_WRITE : 0);
}

/* Do limits on sizes refuse the mapping? What MAP_FIXED replaces counts for it, once that is needed. */
static bool map_is_too_large(const struct map_request *request, vaddr_t addr)
{
    uint64_t length = page_up(request->length), pages = length >> PAGE_SHIFT;
    unsigned flags = model_flags(request);

    return model_size_refuses(now, pages, request->prot, flags) &&
           model_size_refuses(now, pages - model_pages_in(now, addr, addr + length), request->prot, flags);
}

/* Does the ledger refuse it, once its place is clear? */
static bool map_is_refused(const struct map_request *request, const struct model_object *object, vaddr_t addr)
{
    uint64_t length = page_up(request->length), pages = length >> PAGE_SHIFT;
    unsigned flags = model_flags(request);
    bool charged = flags & VMA_SHARED ? !object : request->prot & PROT_WRITE;
    uint64_t total = model_total(now), committed = model_committed_in(now, addr, addr + length);

    return model_commit_refuses_after(charged && !(flags & VMA_NORESERVE) ? pages : 0,
                                      total - model_pages_in(now, addr, addr + length), committed);
}

/* The pages that come at once. */
static void model_pay_now(const struct map_request *request, vaddr_t start, vaddr_t end)
{
    if (!request->prot)
        return;
    if (!lazy.zfod && !request->cache)
        model_populate(now, start, end, request->prot & PROT_WRITE);
    else if (request->flags & (MAP_POPULATE | MAP_LOCKED) || now->lock_future == VMA_LOCKED)
        model_fetch(now, start, end);
}

/* Do it and compare. `object`: what it maps (one reference given away), NULL: anonymous. */
static void map(const struct map_request *request, struct model_object *object)
{
    uint64_t length = page_up(request->length);
    bool shared = (request->flags & MAP_TYPE) == MAP_SHARED;
    int64_t place = predict_place(request), wanted = place;
    if (place >= 0 && map_is_too_large(request, place))
        wanted = -ENOMEM;
    bool refused = wanted >= 0 && map_is_refused(request, object, place);
    inject_only_if(!refused);
    int64_t addr = aspace_map(now->aspace, request);

    if (refused) {
        CHECK(addr == -ENOMEM, "mapped at 0x%lx", addr);
        model_unmap(now, place, place + length); /* as on Linux */
        return model_object_put(object);
    }

    if (addr < 0 && (addr == wanted || failed_as_told(addr)))
        return model_object_put(object);
    CHECK(addr == wanted, "mapped at 0x%lx, not 0x%lx", addr, wanted);
    if (shared && !object) {
        object = model_shm_create(length, model_flags(request) & VMA_NORESERVE);
        object->cache = vma_find(&now->aspace->vmas, addr)->cache;
    }
    model_map(now, addr, addr + length, request->prot, model_flags(request), object,
              request->offset >> PAGE_SHIFT);
    model_pay_now(request, addr, addr + length);
}

static void pick_place(struct map_request *request)
{
    uint64_t pages;

    switch (below(4)) {
    case 0:
        request->length = pages_up_to(8) << PAGE_SHIFT;
        break;
    case 1: /* a hint */
        pick_range(&request->addr, &pages);
        request->length = MIN(pages, 600ul) << PAGE_SHIFT;
        request->addr += below(2) * 123;
        break;
    default:
        pick_window(&request->addr, &pages);
        request->length = pages << PAGE_SHIFT;
        request->flags |= one_in(4) ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    }
    request->length -= below(PAGE_SIZE);
}

static void op_map(void)
{
    struct map_request request = { .prot = pick_prot(), .flags = MAP_ANONYMOUS };

    if (!is_roomy() || model_total(now) > PAGES_WANTED)
        return;
    request.flags |= one_in(4) ? MAP_SHARED : MAP_PRIVATE;
    request.flags |= one_in(8) ? MAP_NORESERVE : 0;
    request.flags |= one_in(16) && !injecting ? MAP_POPULATE : 0;
    request.flags |= one_in(24) && !injecting ? MAP_LOCKED : 0;
    request.flags |= one_in(24) && request.flags & MAP_PRIVATE ? MAP_GROWSDOWN : 0;
    pick_place(&request);
    inject_only_if(lazy.zfod && !now->lock_future);
    note("map 0x%lx, %lu pages, prot %u, flags 0x%x", request.addr, page_up(request.length) >> PAGE_SHIFT,
         request.prot, request.flags);
    map(&request, NULL);
}

static void op_map_large(void)
{
    struct map_request request = { .prot = pick_prot(),
                                   .flags = MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE };
    unsigned count = 0;

    for (unsigned i = 0; i < now->ranges; i++)
        count += now->range[i].end - now->range[i].start >= LARGE;
    if (!lazy.zfod || count > 3 || now->lock_future || commit_policy.overcommit_memory == COMMIT_NEVER)
        return;
    request.length = (LARGE << below(10)) + (below(2000) << PAGE_SHIFT);
    note("map large, 0x%lx bytes, prot %u", request.length, request.prot);
    map(&request, NULL);
}

static void op_map_file(void)
{
    struct map_request request = { .prot = pick_prot() };
    struct model_object *object = file[below(FILES)];

    if (!is_roomy() || model_total(now) > PAGES_WANTED)
        return;
    request.flags = one_in(3) ? MAP_SHARED : MAP_PRIVATE;
    request.never_write = request.flags & MAP_SHARED;
    if (request.never_write)
        request.prot &= ~PROT_WRITE;
    pick_place(&request);
    request.length = MIN(request.length, object->size + 2 * PAGE_SIZE);
    request.offset = below(page_up(object->size) >> PAGE_SHIFT) << PAGE_SHIFT;
    request.cache = object->cache;
    inject_only_if(!now->lock_future);
    note("map file %u, 0x%lx, %lu pages from %lu, prot %u, flags 0x%x", object->number, request.addr,
         page_up(request.length) >> PAGE_SHIFT, request.offset >> PAGE_SHIFT, request.prot, request.flags);
    object->refs++;
    map(&request, object);
}

static void op_unmap(void)
{
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    note("unmap 0x%lx, %lu pages", start, pages);
    int error = aspace_unmap(now->aspace, start, (pages << PAGE_SHIFT) - below(PAGE_SIZE));
    if (failed_as_told(error))
        return;
    CHECK(error == 0, "result %d", error);
    model_unmap(now, start, start + (pages << PAGE_SHIFT));
}

/* The rights of a part of one VMA. */
static int model_protect_part(const struct model_range *range, vaddr_t start, vaddr_t end, unsigned prot)
{
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    bool charged = !(range->flags & (VMA_ACCOUNTED | VMA_SHARED | VMA_NORESERVE));

    if (range->prot == prot)
        return 0;
    if (prot & PROT_WRITE && range->flags & VMA_NEVER_WRITE)
        return -EACCES;
    if (prot & PROT_WRITE && model_size_refuses(now, pages, prot, range->flags) &&
        !model_size_refuses(now, pages, range->prot, range->flags))
        return -ENOMEM;
    if (prot & PROT_WRITE && charged && model_commit_refuses(pages, model_total(now)))
        return -ENOMEM;
    model_protect(now, start, end, prot);
    return 0;
}

/* VMA by VMA, until one refuses or there is a hole. */
static int model_protect_all(vaddr_t start, vaddr_t end, unsigned prot)
{
    int error = 0;

    while (start < end && !error) {
        const struct model_range *range = model_range_at(now, start);
        if (!range)
            return -ENOMEM;
        vaddr_t part_end = MIN(model_vma_end(now, start), end);
        struct model_range copy = *range; /* which protecting may split */
        error = model_protect_part(&copy, start, part_end, prot);
        start = part_end;
    }
    return error;
}

static void op_protect(void)
{
    unsigned prot = pick_prot();
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    note("protect 0x%lx, %lu pages, prot %u", start, pages, prot);
    vaddr_t end = start + (pages << PAGE_SHIFT);
    inject_only_if(!model_range_at(now, start) || model_vma_end(now, start) >= end);
    int error = aspace_protect(now->aspace, start, end - start, prot);
    if (failed_as_told(error))
        return;
    int wanted = model_protect_all(start, end, prot);
    CHECK(error == wanted, "result %d, not %d", error, wanted);
}

/* Where the first locked memory of the range starts, or its end. */
static vaddr_t first_locked(vaddr_t start, vaddr_t end)
{
    for (unsigned i = 0; i < now->ranges; i++)
        if (now->range[i].flags & VMA_LOCKED && now->range[i].start < end && now->range[i].end > start)
            return MAX(now->range[i].start, start);
    return end;
}

static void op_drop(void)
{
    vaddr_t start;
    uint64_t pages;

    pick_range(&start, &pages);
    note("MADV_DONTNEED 0x%lx, %lu pages", start, pages);
    vaddr_t end = start + (pages << PAGE_SHIFT);
    uint64_t free_before = frame_free_count();
    int error = aspace_advise(now->aspace, start, end - start, MADV_DONTNEED);
    bool mapped = model_is_mapped(now, start, end);
    if (failed_as_told(error) && mapped)
        return;
    vaddr_t locked = first_locked(start, end);
    if (locked < end && error == -EINVAL)
        return model_drop(now, start, locked);
    CHECK(error == (mapped ? 0 : -ENOMEM), "result %d", error);
    CHECK(frame_free_count() + 16 >= free_before, "dropping pages takes memory");
    if (!injecting || mapped)
        return model_drop(now, start, end);
    /* A hole ends in -ENOMEM with the rest dropped, so does memory being out half way: the tables tell. */
    for (vaddr_t addr = start; addr < end && now->pages; addr += PAGE_SIZE)
        if (pte_is_none(space_entry(now->aspace, addr)))
            model_drop(now, addr, addr + PAGE_SIZE);
}

struct remap_call {
    vaddr_t old, new_addr;
    uint64_t old_length, new_length;
    unsigned flags;
};

/* Whether it grows, where, at what price, once what goes first has gone. `in_place`: nothing is behind. */
static int64_t predict_remap(const struct remap_call *call, bool in_place)
{
    const struct model_range *range = model_range_at(now, call->old);
    bool grows = call->new_length > call->old_length;
    uint64_t more = grows ? (call->new_length - call->old_length) >> PAGE_SHIFT : 0;

    if (!(call->flags & MREMAP_FIXED) && !more)
        return call->old;
    if (model_size_refuses(now, more, range->prot, range->flags))
        return -ENOMEM;
    bool refused = model_commit_refuses(range->flags & VMA_ACCOUNTED ? more : 0, model_total(now));
    if (call->flags & MREMAP_FIXED)
        return refused ? -ENOMEM : (int64_t)call->new_addr;
    if (in_place)
        return refused ? -ENOMEM : (int64_t)call->old;
    if (!(call->flags & MREMAP_MAYMOVE) || refused)
        return -ENOMEM;
    return predict_gap(0, call->new_length);
}

/* May the old range grow where it is? The kernel's VMA may reach further than the model's range. */
static bool remap_fits_in_place(const struct remap_call *call)
{
    vaddr_t old_end = call->old + call->old_length, new_end = call->old + call->new_length;

    return vma_find(&now->aspace->vmas, call->old)->end == old_end && new_end <= USER_END &&
           model_is_free(now, old_end, new_end);
}

/* What goes before anything else: the memory at the new place, and what is cut off. */
static void model_remap_clear(const struct remap_call *call)
{
    if (call->flags & MREMAP_FIXED)
        model_unmap(now, call->new_addr, call->new_addr + call->new_length);
    if (call->new_length < call->old_length)
        model_unmap(now, call->old + call->new_length, call->old + call->old_length);
}

/* The model's part of a remap that went to `target`. */
static void model_remap(const struct remap_call *call, vaddr_t target)
{
    struct model_range range = *model_range_at(now, call->old);

    model_move(now, call->old, target, MIN(call->old_length, call->new_length), call->new_length);
    if ((range.flags & (VMA_LOCKED | VMA_LOCK_ONFAULT)) == VMA_LOCKED && call->new_length > call->old_length)
        model_fetch(now, target + call->old_length, target + call->new_length);
}

/* Is [old, old + length) part of one range, so that it may be moved, and the new place not in its way? */
static bool remap_pick(struct remap_call *call)
{
    uint64_t pages;

    if (!now->ranges)
        return false;
    const struct model_range *range = &now->range[below(now->ranges)];
    uint64_t size = (range->end - range->start) >> PAGE_SHIFT, first = below(size);
    call->old = range->start + (first << PAGE_SHIFT);
    call->old_length = (one_in(2) ? size - first : below(size - first) + 1) << PAGE_SHIFT;
    call->new_length = one_in(3) ? call->old_length : pages_up_to(9) << PAGE_SHIFT;
    call->flags = one_in(4) ? 0 : MREMAP_MAYMOVE;
    if (one_in(3)) {
        pick_window(&call->new_addr, &pages);
        call->new_length = pages << PAGE_SHIFT;
        call->flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    }
    return true;
}

static bool remap_overlaps(const struct remap_call *call)
{
    return call->flags & MREMAP_FIXED && call->new_addr < call->old + call->old_length &&
           call->old < call->new_addr + call->new_length;
}

static void op_remap(void)
{
    struct remap_call call = { 0 };

    if (!is_roomy() || model_total(now) > PAGES_WANTED || !remap_pick(&call))
        return;
    /* MREMAP_FIXED and shrinking unmap first, as on Linux, and may then fail: not all or nothing. */
    inject_only_if(!(call.flags & MREMAP_FIXED) && call.new_length >= call.old_length &&
                   !(model_range_at(now, call.old)->flags & VMA_LOCKED));
    note("remap 0x%lx, %lu to %lu pages, flags %u, 0x%lx", call.old, call.old_length >> PAGE_SHIFT,
         call.new_length >> PAGE_SHIFT, call.flags, call.new_addr);
    bool overlaps = remap_overlaps(&call), in_place = remap_fits_in_place(&call);
    if (!overlaps)
        model_remap_clear(&call);
    int64_t wanted = overlaps ? -EINVAL : predict_remap(&call, in_place);
    int64_t result =
        aspace_remap(now->aspace, call.old, call.old_length, call.new_length, call.flags, call.new_addr);
    if (result < 0 && (result == wanted || failed_as_told(result)))
        return;
    CHECK(result == wanted, "result 0x%lx, not 0x%lx", result, wanted);
    model_remap(&call, result);
}

static int64_t predict_brk(vaddr_t brk)
{
    vaddr_t from = page_up(now->brk), to = page_up(brk);

    if (brk < now->brk_start || brk > USER_END || brk - now->brk_start > now->aspace->data_limit)
        return now->brk;
    if (to <= from)
        return to < from && model_is_free(now, to, from) ? now->brk : brk;
    for (unsigned i = 0; i < now->ranges; i++) { /* a page stays free, below a stack the guard */
        const struct model_range *range = &now->range[i];
        vaddr_t room = to + PAGE_SIZE + (range->flags & VMA_GROWSDOWN ? VMA_GUARD_GAP : 0);
        if (range->end > from && range->start < room && (i == 0 || now->range[i - 1].end <= from))
            return now->brk;
    }
    uint64_t more = (to - from) >> PAGE_SHIFT;
    bool refused =
        model_size_refuses(now, more, READ_WRITE, 0) || model_commit_refuses(more, model_total(now));
    return refused ? now->brk : brk;
}

static void op_brk(void)
{
    vaddr_t brk = now->brk_start + below(200 * PAGE_SIZE) - (one_in(20) ? PAGE_SIZE : 0), old = now->brk;

    if (!is_roomy())
        return;
    inject_only_if(lazy.zfod && !now->lock_future);
    note("brk 0x%lx, was 0x%lx", brk, old);
    vaddr_t wanted = predict_brk(brk), result = aspace_brk(now->aspace, brk);
    if (injecting && result == old)
        return;
    CHECK(result == wanted, "break 0x%lx, not 0x%lx", result, wanted);
    now->brk = result;
    if (page_up(result) < page_up(old)) {
        model_unmap(now, page_up(result), page_up(old));
    } else if (page_up(result) > page_up(old)) {
        struct map_request request = { .prot = READ_WRITE, .flags = MAP_PRIVATE };
        model_map(now, page_up(old), page_up(result), READ_WRITE, now->lock_future, NULL, 0);
        model_pay_now(&request, page_up(old), page_up(result));
    }
}

static void op_populate(void)
{
    bool write = one_in(2);
    vaddr_t start;
    uint64_t pages;

    if (!is_roomy())
        return;
    pick_range(&start, &pages);
    pages = MIN(pages, 64ul);
    note("populate 0x%lx, %lu pages, %s", start, pages, write ? "write" : "read");
    vaddr_t end = start + (pages << PAGE_SHIFT);
    mutex_lock(&now->aspace->lock);
    int error = aspace_populate_locked(now->aspace, start, end - start, write);
    mutex_unlock(&now->aspace->lock);
    bool whole = !model_populate(now, start, end, write);
    CHECK(error == (whole ? 0 : -EFAULT), "result %d", error);
}

/* cow=off: private pages that may be written part at once. */
static void model_part(struct model *space)
{
    for (unsigned i = 0; i < space->pages; i++) {
        const struct model_range *range = model_range_at(space, space->page[i].addr);
        if (space->page[i].state == MODEL_ANON && !(range->flags & VMA_SHARED) && range->prot & PROT_WRITE)
            model_touch(space, space->page[i].addr, ACCESS_WRITE);
    }
}

static bool fork_is_refused(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < now->ranges; i++)
        if (now->range[i].flags & VMA_ACCOUNTED && !(now->range[i].flags & VMA_DONTFORK))
            pages += (now->range[i].end - now->range[i].start) >> PAGE_SHIFT;
    return commit_policy.overcommit_memory == COMMIT_NEVER && model_commit_refuses(pages, model_total(now));
}

static void op_fork(void)
{
    struct model *child = NULL;

    for (unsigned i = 0; i < SPACES; i++)
        if (!model[i].aspace)
            child = &model[i];
    if (!child || !is_roomy() || (!lazy.cow && model_anon_frames > FRAMES_WANTED / 4))
        return;
    inject_only_if(lazy.cow);
    note("fork to space %ld", child - model);
    struct aspace *aspace = NULL;
    int error = aspace_fork(now->aspace, &aspace);
    if (failed_as_told(error))
        return;
    bool refused = fork_is_refused();
    CHECK(error == (refused ? -ENOMEM : 0), "result %d", error);
    if (refused)
        return;
    model_fork(child, now);
    child->aspace = aspace;
    if (!lazy.cow) {
        model_part(child);
        model_part(now);
    }
}

static void op_exit(void)
{
    struct model *dying = pick_space(), *next = pick_space();

    if (dying == next)
        return;
    note("exit of space %ld", dying - model);
    if (dying == now) {
        now = next;
        aspace_switch(now->aspace);
    }
    aspace_put(dying->aspace);
    model_clear(dying);
}

static void op_switch(void)
{
    now = pick_space();
    note("switch");
    aspace_switch(now->aspace);
}

/* Everything goes but the address space itself: what an unmap of all user memory leaves. */
static void op_unmap_all(void)
{
    note("unmap all");
    int error = aspace_unmap(now->aspace, USER_START, USER_END - USER_START);
    CHECK(error == 0, "result %d", error);
    model_unmap(now, 0, USER_END);
    struct pagetable_figures figures;
    pagetable_figures(&now->aspace->tree, &figures);
    CHECK(figures.tables == 1, "%lu tables are left of nothing", figures.tables);
}

static void op_check(void)
{
    note("check everything");
    check_everything();
}

static const struct {
    void (*run)(void);
    unsigned weight;
    bool may_inject;
} operations[] = {
    { op_access, 420, true },      { op_copy_to_user, 40, false }, { op_copy_from_user, 40, false },
    { op_remote, 40, false },      { op_map, 90, true },           { op_map_large, 8, true },
    { op_map_file, 30, true },     { op_unmap, 50, true },         { op_protect, 70, true },
    { op_drop, 30, true },         { op_remap, 45, true },         { op_brk, 30, true },
    { op_populate, 15, false },    { op_fork, 40, true },          { op_exit, 30, false },
    { op_switch, 40, false },      { op_unmap_all, 2, false },     { op_check, 6, false },
    { op_advise, 60, true },       { op_lock, 20, true },          { op_unlock, 20, true },
    { op_lock_all, 4, false },     { op_in_core, 10, false },      { op_reclaim, 8, false },
    { op_commit_policy, 6, false }, { op_size_limits, 6, false },
};

static void operation_run(void)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
        sum += operations[i].weight;
    unsigned pick = below(sum), i = 0;
    while (pick >= operations[i].weight)
        pick -= operations[i++].weight;
    injecting = operations[i].may_inject && one_in(16);
    unsigned vmas = now->aspace->vmas.count;
    const struct model *before = now;
    if (injecting && one_in(4))
        vm_max_map_count = vmas + below(3);
    else
        frame_fail_nth(injecting ? below(8) + 1 : 0);
    history[operation % HISTORY][0] = '\0';
    operations[i].run();
    CHECK(now != before || now->aspace->vmas.count <= MAX(vmas, vm_max_map_count + 1), "%u VMAs, at most %lu",
          now->aspace->vmas.count, vm_max_map_count);
    frame_fail_nth(0);
    vm_max_map_count = UINT32_MAX;
    for (i = 0; i < SPACES; i++)
        follow_ahead(&model[i]);
    tlb_check();
    check_sums();
    check_usage(now);
    if (operation % 32 == 0)
        aspace_check(now->aspace);
}

/* ---- start and end ---- */

static int file_read(struct pagecache *cache, uint64_t index, void *page)
{
    const struct model_object *object = cache->owner;
    model_file_page(object->number, index, page);
    return 0;
}

static const struct pagecache_ops file_ops = { .read_page = file_read };

static void world_begin(void)
{
    static const uint64_t sizes[FILES] = { 100, 10 * PAGE_SIZE + 7, 600 * PAGE_SIZE };

    for (unsigned i = 0; i < FILES; i++) {
        file[i] = model_file_create(sizes[i], i);
        file[i]->cache = pagecache_create(FRAME_FILE, sizes[i], &file_ops, file[i], "file", i);
        CHECK(file[i]->cache, "no memory for a file");
    }
    vm_mmap_min_addr = USER_START; /* the model knows no limit but page 0 */
    now = &model[0];
    model_init(now);
    now->aspace = aspace_create();
    CHECK(now->aspace, "no memory for an address space");
    now->stack_limit = 300 * PAGE_SIZE;
    CHECK(!aspace_map_stack(now->aspace, USER_END - (1ul << 32), 8 * PAGE_SIZE, now->stack_limit),
          "no stack");
    model_map(now, USER_END - (1ul << 32) - 8 * PAGE_SIZE, USER_END - (1ul << 32), READ_WRITE, VMA_GROWSDOWN,
              NULL, 0);
    now->brk_start = now->brk = 0x10000000ul;
    aspace_set_brk(now->aspace, now->brk_start);
    aspace_switch(now->aspace);
}

static void world_end(void)
{
    aspace_switch(NULL);
    for (unsigned i = 0; i < SPACES; i++) {
        if (model[i].aspace)
            aspace_put(model[i].aspace);
        model_clear(&model[i]);
    }
    for (unsigned i = 0; i < FILES; i++) {
        pagecache_put(file[i]->cache);
        model_object_put(file[i]);
    }
}

static void random_run(uint64_t with_seed)
{
    const char *ops = getenv("OPS");
    uint64_t count = ops ? strtoull(ops, NULL, 0) : 8000;

    machine_start(64ul << 20);
    machine_at_panic(history_print);
    uint64_t free_frames = frame_free_count();
    seed = with_seed;
    random_state = seed * 0x9e3779b97f4a7c15ul | 1;
    ktest_note("SEED=%lu OPS=%lu", seed, count);
    world_begin();
    check_everything();
    for (operation = 0; operation < count; operation++) {
        operation_run();
        if (operation % 2)
            frame_make_blank(); /* with prezero=N: as if all had slept for a moment */
    }
    check_everything();
    limits_reset();
    world_end();
    EXPECT_EQUAL(mm_check(), 0);
    EXPECT_EQUAL(frame_free_count(), free_frames);
    EXPECT_EQUAL(commit_total(), 0);
    EXPECT_EQUAL(model_anon_frames + model_shm_frames + model_file_frames, 0);
}

/* Always the same operations: what is broken stays broken until it is mended. SEED= takes its place. */
KTEST(bare, random_fixed_seed)
{
    const char *text = getenv("SEED");
    random_run(text ? strtoull(text, NULL, 0) : 1);
}

/* Pages that nobody has asked for must disturb nothing else. */
KTEST(bare, random_with_fault_ahead)
{
    const char *text = getenv("SEED");
    machine_set_params("faultahead=5");
    random_run(text ? strtoull(text, NULL, 0) : 2);
}

/* Other operations each time: what no one has thought of. */
KTEST(bare, random_new_seed)
{
    struct timespec time;

    if (getenv("SEED"))
        return;
    clock_gettime(CLOCK_REALTIME, &time);
    random_run((time.tv_sec * 1000000000ul + time.tv_nsec) % 1000000007ul);
}
