// SPDX-License-Identifier: MIT
/*
 * sweep.c: every allocation of every call fails once. After each failure the address space and its relative
 * show what they showed, the ledger is the same, and nothing but tables that have become one's own has been
 * taken.
 *
 * Each attempt starts from a fresh scene: memory of all kinds, half touched, in a parent whose tables are all
 * shared with a child, so that every change has to copy its way down first.
 */
#include <errno.h>

#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "tests/kernel/space.h"

#define BIG (1ul << 30)                         /* private memory across a border of level 2 */
#define BIG_START (BIG - 600 * PAGE_SIZE)
#define BIG_PAGES 1200
#define READ_ONLY (2ul << 30)                   /* private, read-only, untouched: 8 pages */
#define SHARED (3ul << 30)                      /* shared: 8 pages, two touched */
#define BY_PAGE (3ul << 30 | 1 << 20)           /* shared, MAP_NORESERVE: 8 pages, one touched */
#define FILE_MAP (4ul << 30)                    /* private, of a file: 8 pages */
#define HEAP (5ul << 30)
#define STACK_TOP (6ul << 30)
#define MANY (7ul << 30)                        /* one page here and there: more VMAs than fit in a slab */
#define MANY_COUNT 40
#define ROOM (20ul << 30)                       /* nothing there */

struct scene {
    struct aspace *parent, *child;
    struct pagecache *file;
};

static int read_page(struct pagecache *cache, uint64_t index, void *page)
{
    (void)cache;
    memset(page, 0x30 + (int)index, PAGE_SIZE);
    return 0;
}

static const struct pagecache_ops file_ops = { .read_page = read_page };

static bool scene_map_file(struct scene *scene)
{
    struct map_request request = { .addr = FILE_MAP, .length = 8 * PAGE_SIZE, .prot = READ_WRITE,
                                   .flags = MAP_PRIVATE | MAP_FIXED, .cache = scene->file };
    return EXPECT_EQUAL(aspace_map(scene->parent, &request), FILE_MAP);
}

static void scene_touch(void)
{
    static const vaddr_t written[] = {
        BIG_START,     BIG - PAGE_SIZE,     BIG, BIG + 300 * PAGE_SIZE, BIG + 599 * PAGE_SIZE, SHARED, HEAP,
        HEAP + 5 * PAGE_SIZE, STACK_TOP - 1, FILE_MAP + PAGE_SIZE, BY_PAGE
    };
    static const vaddr_t read[] = { BIG_START + PAGE_SIZE, SHARED + PAGE_SIZE, FILE_MAP };

    for (unsigned i = 0; i < ARRAY_SIZE(written); i++)
        EXPECT_EQUAL(space_write(written[i], i + 1), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(read); i++)
        EXPECT(space_read(read[i]) >= 0);
}

static bool scene_make(struct scene *scene)
{
    struct aspace *space = scene->parent = space_enter();

    scene->file = pagecache_create(FRAME_FILE, 8 * PAGE_SIZE, &file_ops, NULL, "file", 1);
    if (!EXPECT(space && scene->file))
        return false;
    if (!space_map_at(space, BIG_START, BIG_PAGES, READ_WRITE, MAP_PRIVATE) ||
        !space_map_at(space, READ_ONLY, 8, PROT_READ, MAP_PRIVATE) ||
        !space_map_at(space, SHARED, 8, READ_WRITE, MAP_SHARED) ||
        !space_map_at(space, BY_PAGE, 8, READ_WRITE, MAP_SHARED | MAP_NORESERVE) || !scene_map_file(scene) ||
        !EXPECT(!aspace_map_stack(space, STACK_TOP, 2 * PAGE_SIZE, 100 * PAGE_SIZE)))
        return false;
    for (unsigned i = 0; i < MANY_COUNT; i++)
        if (!space_map_at(space, MANY + 2 * i * PAGE_SIZE, 1, READ_WRITE, MAP_PRIVATE))
            return false;
    aspace_set_brk(space, HEAP);
    EXPECT_EQUAL(aspace_brk(space, HEAP + 10 * PAGE_SIZE), HEAP + 10 * PAGE_SIZE);
    scene_touch();
    return EXPECT(!aspace_fork(space, &scene->child));
}

static void scene_drop(struct scene *scene)
{
    aspace_check(scene->child);
    aspace_put(scene->child);
    space_leave(scene->parent);
    pagecache_put(scene->file);
}

/* ---- what must not change ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x100000001b3ul; /* FNV-1a over words */
    return hash ^ hash >> 29;
}

static int mix_page(vaddr_t addr, pte_t entry, void *arg)
{
    const struct frame *frame = frame_at(pte_pfn(entry));
    const uint64_t *words = frame_address(frame);
    uint64_t *hash = arg;

    *hash = mix(mix(mix(*hash, addr), frame->kind), pte_is_present(entry));
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i += 64)
        *hash = mix(*hash, words[i]);
    return 0;
}

static uint64_t space_hash(struct aspace *space)
{
    uint64_t hash = mix(space->brk, space->vmas.pages);
    struct vma *vma;

    TAILQ_FOREACH(vma, &space->vmas.list, link)
        hash = mix(mix(mix(mix(hash, vma->start), vma->end), vma->prot << 8 | vma->flags), vma->index);
    pagetable_visit(&space->tree, 0, USER_END, mix_page, &hash);
    return hash;
}

struct picture {
    uint64_t parent, child, committed;
    struct frame_figures figures;
};

static struct picture picture_take(const struct scene *scene)
{
    struct picture picture = { space_hash(scene->parent), space_hash(scene->child), commit_total(), { 0 } };
    frame_figures(&picture.figures);
    return picture;
}

/* Frames of every kind but tables: a path that was made one's own stays so. */
static void picture_compare(const struct picture *before, const struct picture *after)
{
    EXPECT_EQUAL(after->parent, before->parent);
    EXPECT_EQUAL(after->child, before->child);
    EXPECT_EQUAL(after->committed, before->committed);
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        if (kind != FRAME_TABLE && kind != FRAME_FREE)
            EXPECT_EQUAL(after->figures.by_kind[kind], before->figures.by_kind[kind]);
}

/* ---- the sweep ---- */

struct call {
    const char *name;
    int64_t (*run)(struct aspace *space);  /* negative: it failed */
    void (*prepare)(struct aspace *space); /* what comes first and shall not fail */
};

static void prepare_nothing(struct aspace *space) { (void)space; }
#define CALL(name, run)                                                                                \
    {                                                                                                  \
        name, run, prepare_nothing                                                                     \
    }

/* One attempt, its n-th allocation failing. True: it succeeded, having made fewer. */
static bool attempt(const struct call *call, uint64_t n)
{
    struct scene scene;
    uint64_t free_before = frame_free_count();

    if (!scene_make(&scene))
        return true;
    call->prepare(scene.parent);
    struct picture before = picture_take(&scene);
    frame_fail_nth(n);
    int64_t result = call->run(scene.parent);
    frame_fail_nth(0);
    aspace_check(scene.parent);
    if (result < 0) {
        struct picture after = picture_take(&scene);
        picture_compare(&before, &after);
        EXPECT(result == -ENOMEM || result == -EFAULT || result == -EAGAIN);
    }
    EXPECT_EQUAL(mm_check(), 0);
    scene_drop(&scene);
    EXPECT_EQUAL(frame_free_count(), free_before);
    return result >= 0;
}

static bool is_lazy(void) { return lazy.zfod && lazy.zeropage && lazy.cow && lazy.sharedtables; }

static void sweep(const struct call *calls, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = 1;
        while (n < 200 && !attempt(&calls[i], n))
            n++;
        if (!EXPECT((n > 1 || !is_lazy()) && n < 200)) /* without laziness many calls find all paid for */
            ktest_note("%s: %lu allocations failed", calls[i].name, n - 1);
    }
}

/* ---- the calls ---- */

static int64_t call_fork(struct aspace *space)
{
    struct aspace *child;
    int error = aspace_fork(space, &child);
    if (!error)
        aspace_put(child);
    return error;
}

static int64_t call_create(struct aspace *space)
{
    struct aspace *fresh = aspace_create();
    (void)space;
    if (!fresh)
        return -ENOMEM;
    aspace_put(fresh);
    return 0;
}

static int64_t map_at(struct aspace *space, vaddr_t addr, uint64_t pages, unsigned prot, unsigned flags)
{
    struct map_request request = { .addr = addr, .length = pages << PAGE_SHIFT, .prot = prot,
                                   .flags = flags | MAP_ANONYMOUS };
    return aspace_map(space, &request);
}

/*
 * Whether one more VMA needs a frame depends on how full its slab is, so as many are made as fill one; those
 * that were made go again.
 */
static int64_t call_map(struct aspace *space)
{
    const unsigned many = 70;
    int64_t addr = 0;

    for (unsigned i = 0; i < many && addr >= 0; i++)
        addr = map_at(space, ROOM + i * 4 * PAGE_SIZE, 2, READ_WRITE, MAP_PRIVATE | MAP_FIXED);
    frame_fail_nth(0);
    EXPECT_EQUAL(aspace_unmap(space, ROOM, 4 * many * PAGE_SIZE), 0);
    return addr;
}

#define MIDDLE (BIG - 50 * PAGE_SIZE)

static int64_t map_over(struct aspace *space, unsigned flags)
{
    return map_at(space, MIDDLE, 100, READ_WRITE, flags | MAP_FIXED);
}

static int64_t call_map_over(struct aspace *space) { return map_over(space, MAP_PRIVATE); }
static int64_t call_map_shared(struct aspace *space) { return map_over(space, MAP_SHARED); }

static int64_t call_unmap_middle(struct aspace *space)
{
    return aspace_unmap(space, MIDDLE, 400 * PAGE_SIZE);
}

static int64_t call_unmap_page(struct aspace *space) { return aspace_unmap(space, BIG_START, PAGE_SIZE); }

static int64_t call_protect(struct aspace *space)
{
    return aspace_protect(space, MIDDLE, 100 * PAGE_SIZE, PROT_READ);
}

static int64_t call_drop(struct aspace *space)
{
    return aspace_advise(space, MIDDLE, 400 * PAGE_SIZE, MADV_DONTNEED);
}

/* Advice that cuts VMAs, or makes tables its own; what was given up (MADV_FREE) is all or nothing, too. */
#define CALL_ADVISE(name, advice, addr, pages)                                                         \
    static int64_t name(struct aspace *space)                                                          \
    {                                                                                                  \
        return aspace_advise(space, addr, (pages) * PAGE_SIZE, advice);                                \
    }
CALL_ADVISE(call_free, MADV_FREE, BIG_START, BIG_PAGES)
CALL_ADVISE(call_populate_write, MADV_POPULATE_WRITE, BIG + 5 * PAGE_SIZE, 1)

/*
 * Pages here and there get a mark and so VMAs of their own, more than fit in a slab. What was marked is taken
 * back.
 */
static int64_t mark_many(struct aspace *space, int (*mark)(struct aspace *, vaddr_t),
                         int (*unmark)(struct aspace *))
{
    int error = 0;

    for (unsigned i = 0; i < 40 && !error; i++)
        error = mark(space, BIG_START + (2 * i + 1) * PAGE_SIZE);
    frame_fail_nth(0);
    EXPECT_EQUAL(unmark(space), 0);
    return error;
}

#define CALL_MARK(name, marking, unmarking)                                                            \
    static int name##_page(struct aspace *space, vaddr_t addr) { return marking; }                     \
    static int name##_undo(struct aspace *space) { return unmarking; }                                 \
    static int64_t name(struct aspace *space) { return mark_many(space, name##_page, name##_undo); }
CALL_MARK(call_dont_fork, aspace_advise(space, addr, PAGE_SIZE, MADV_DONTFORK),
          aspace_advise(space, BIG_START, BIG_PAGES * PAGE_SIZE, MADV_DOFORK))
CALL_MARK(call_wipe, aspace_advise(space, addr, PAGE_SIZE, MADV_WIPEONFORK),
          aspace_advise(space, BIG_START, BIG_PAGES * PAGE_SIZE, MADV_KEEPONFORK))
CALL_MARK(call_random, aspace_advise(space, addr, PAGE_SIZE, MADV_RANDOM),
          aspace_advise(space, BIG_START, BIG_PAGES * PAGE_SIZE, MADV_NORMAL))
CALL_MARK(call_lock_on_fault, aspace_lock(space, addr, PAGE_SIZE, LOCK_ON_FAULT),
          aspace_unlock(space, BIG_START, BIG_PAGES * PAGE_SIZE))

/*
 * mlock(2) marks first and fetches then; the mark stays where fetching fails. Linux does the same, so the
 * mark is taken away before the comparison.
 */
static int64_t call_lock(struct aspace *space)
{
    int error = aspace_lock(space, BIG + 5 * PAGE_SIZE, PAGE_SIZE, LOCK_NOW);
    if (!error)
        return 0;
    frame_fail_nth(0);
    EXPECT(error == -EAGAIN || error == -ENOMEM);
    EXPECT_EQUAL(aspace_unlock(space, BIG + 5 * PAGE_SIZE, PAGE_SIZE), 0);
    return -ENOMEM;
}

/* Before a fork: a child that must not see all; its tables are cut after they are shared. */
static void prepare_cut(struct aspace *space)
{
    EXPECT_EQUAL(aspace_advise(space, BIG - 5 * PAGE_SIZE, 10 * PAGE_SIZE, MADV_DONTFORK), 0);
    EXPECT_EQUAL(aspace_advise(space, BIG + 290 * PAGE_SIZE, 20 * PAGE_SIZE, MADV_WIPEONFORK), 0);
}

static int64_t call_protect_none(struct aspace *space)
{
    return aspace_protect(space, BIG_START, BIG_PAGES * PAGE_SIZE, PROT_NONE);
}

static int64_t call_protect_charge(struct aspace *space)
{
    int64_t error = aspace_protect(space, FILE_MAP + PAGE_SIZE, PAGE_SIZE, PROT_READ);
    if (error)
        return error;
    error = aspace_protect(space, READ_ONLY + PAGE_SIZE, 2 * PAGE_SIZE, READ_WRITE);
    if (error) /* back to the start: joins again, needs nothing */
        EXPECT_EQUAL(aspace_protect(space, FILE_MAP + PAGE_SIZE, PAGE_SIZE, READ_WRITE), 0);
    return error;
}

static int64_t call_remap_move(struct aspace *space)
{
    return aspace_remap(space, BIG - 10 * PAGE_SIZE, 20 * PAGE_SIZE, 20 * PAGE_SIZE,
                        MREMAP_MAYMOVE | MREMAP_FIXED, ROOM);
}

static int64_t call_remap_grow(struct aspace *space)
{
    return aspace_remap(space, BIG - 10 * PAGE_SIZE, 20 * PAGE_SIZE, 40 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
}

static int64_t call_remap_keep(struct aspace *space)
{
    return aspace_remap(space, BIG - 10 * PAGE_SIZE, 20 * PAGE_SIZE, 20 * PAGE_SIZE,
                        MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
}

static int64_t call_remap_view(struct aspace *space)
{
    return aspace_remap(space, SHARED, 0, 8 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
}

/* A second view needs a VMA alone: enough of them need a slab. Those that were made go again. */
static int64_t call_remap_views(struct aspace *space)
{
    const unsigned many = 70;
    int64_t addr[70], result = 0;
    unsigned made = 0;

    while (made < many && (result = addr[made] = call_remap_view(space)) >= 0)
        made++;
    frame_fail_nth(0);
    while (made-- > 0)
        EXPECT_EQUAL(aspace_unmap(space, (vaddr_t)addr[made], 8 * PAGE_SIZE), 0);
    return result;
}

static int64_t call_remap_shrink(struct aspace *space)
{
    return aspace_remap(space, BIG_START, BIG_PAGES * PAGE_SIZE, 10 * PAGE_SIZE, 0, 0);
}

static int64_t call_brk_shrink(struct aspace *space)
{
    return aspace_brk(space, HEAP + PAGE_SIZE) == HEAP + PAGE_SIZE ? 0 : -ENOMEM;
}

static int64_t call_stack_grow(struct aspace *space)
{
    (void)space;
    return space_write(STACK_TOP - 50 * PAGE_SIZE, 1);
}

#define CALL_WRITE(name, addr)                                                                         \
    static int64_t name(struct aspace *space)                                                          \
    {                                                                                                  \
        (void)space;                                                                                   \
        return space_write(addr, 99);                                                                  \
    }
CALL_WRITE(call_write_copy, BIG)
CALL_WRITE(call_write_fill, BIG + 2 * PAGE_SIZE)
CALL_WRITE(call_write_upgrade, BIG_START + PAGE_SIZE)
CALL_WRITE(call_write_file_page, FILE_MAP)
CALL_WRITE(call_write_shared, SHARED + 6 * PAGE_SIZE)
CALL_WRITE(call_write_by_page, BY_PAGE + 6 * PAGE_SIZE)

static int64_t call_read(struct aspace *space)
{
    (void)space;
    return space_read(BIG + 3 * PAGE_SIZE);
}

static int64_t call_populate(struct aspace *space)
{
    mutex_lock(&space->lock);
    int error = aspace_populate_locked(space, BIG + 5 * PAGE_SIZE, PAGE_SIZE, true);
    mutex_unlock(&space->lock);
    return error;
}

static int64_t call_remote_write(struct aspace *space) { return aspace_write(space, BIG + 7, "x", 1); }

static int64_t call_kstack(struct aspace *space)
{
    vaddr_t top = kstack_alloc();
    (void)space;
    if (!top)
        return -ENOMEM;
    kstack_free(top);
    return 0;
}

#define SWEEP(name, ...)                                                                               \
    KTEST(sweep, name)                                                                                 \
    {                                                                                                  \
        static const struct call calls[] = { __VA_ARGS__ };                                            \
        sweep(calls, ARRAY_SIZE(calls));                                                               \
    }

SWEEP(fork_and_create, CALL("fork", call_fork), { "fork cut", call_fork, prepare_cut },
      CALL("create", call_create), CALL("kernel stack", call_kstack))
SWEEP(advice, CALL("free", call_free), CALL("don't fork", call_dont_fork), CALL("wipe", call_wipe),
      CALL("random", call_random), CALL("populate write", call_populate_write))
SWEEP(lock, CALL("lock on fault", call_lock_on_fault), CALL("lock", call_lock))

/*
 * With zfod=off a mapping that cannot be paid for is taken away again, but what MAP_FIXED replaced is gone.
 */
KTEST(sweep, map)
{
    static const struct call calls[] = { CALL("map", call_map), CALL("map over", call_map_over),
                                         CALL("map shared", call_map_shared) };
    sweep(calls, lazy.zfod ? ARRAY_SIZE(calls) : 1);
}

SWEEP(unmap, CALL("unmap middle", call_unmap_middle), CALL("unmap one page", call_unmap_page),
      CALL("drop", call_drop))
SWEEP(protect, CALL("protect", call_protect), CALL("protect all", call_protect_none),
      CALL("charge", call_protect_charge))
SWEEP(remap, CALL("move", call_remap_move), CALL("grow", call_remap_grow),
      CALL("shrink", call_remap_shrink), CALL("keep", call_remap_keep), CALL("view", call_remap_views))
SWEEP(brk_and_stack, CALL("brk shrink", call_brk_shrink), CALL("stack grow", call_stack_grow))
SWEEP(faults, CALL("copy", call_write_copy), CALL("fill", call_write_fill),
      CALL("upgrade", call_write_upgrade), CALL("file page", call_write_file_page),
      CALL("shared", call_write_shared), CALL("shared by page", call_write_by_page),
      CALL("read", call_read))
SWEEP(from_outside, CALL("populate", call_populate), CALL("remote write", call_remote_write))
