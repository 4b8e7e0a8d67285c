// SPDX-License-Identifier: MIT
/*
 * vma.c: tests of the set of VMAs, against an array with one element a page.
 *
 * The universe is WORLD pages. The model knows for each page the number of the VMA that covers it; everything
 * that the set answers is compared with what a search over the array says.
 */
#include "mm/vma.h"

#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/fault.h"

#define WORLD 192
#define ADDRESS(page) (USER_START + ((uint64_t)(page) << PAGE_SHIFT))

/* The random test's pages are larger, so that a guard gap is a few of them. */
#define PLACE_SHIFT (PAGE_SHIFT + 6)
#define PLACE(page) (USER_START + ((uint64_t)(page) << PLACE_SHIFT))
#define PLACE_OF(addr) ((unsigned)(((addr) - USER_START) >> PLACE_SHIFT))
#define GUARD (unsigned)(VMA_GUARD_GAP >> PLACE_SHIFT)

static struct vma *vma_new(unsigned first, unsigned last, unsigned prot)
{
    return vma_create(ADDRESS(first), ADDRESS(last), prot, 0, &anon_ops, NULL, 0);
}

static void set_clear(struct vma_set *set)
{
    struct vma *vma;
    while ((vma = TAILQ_FIRST(&set->list))) {
        vma_remove(set, vma);
        vma_destroy(vma);
    }
    EXPECT(!set->root);
    EXPECT_EQUAL(set->pages, 0);
}

static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525 + 1013904223; /* Knuth 2, 3.3.4 */
    return (random_state >> 8) % limit;
}

/* covered[p]: 0 free, else 1 + rights of the VMA there; down[p]: it grows down; starts[p]: a VMA starts here. */
static uint8_t covered[WORLD], down[WORLD], starts[WORLD];

static bool range_is_free(unsigned first, unsigned last)
{
    for (unsigned i = first; i < last; i++)
        if (covered[i])
            return false;
    return true;
}

/* Where the room that begins at the free page `first` ends, guard included; WORLD: nowhere. */
static unsigned room_end(unsigned first)
{
    unsigned next = first;

    while (next < WORLD && !covered[next])
        next++;
    if (next == WORLD || !down[next])
        return next;
    return next > GUARD ? next - GUARD : 0;
}

/* The highest start of `length` free pages in [low, high), or -1. */
static int gap_by_search(unsigned length, unsigned low, unsigned high)
{
    for (int start = (int)high - (int)length; start >= (int)low; start--)
        if (range_is_free(start, start + length) && start + length <= room_end(start))
            return start;
    return -1;
}

static void compare_finds(struct vma_set *set)
{
    for (unsigned page = 0; page < WORLD; page++) {
        struct vma *vma = vma_find(set, PLACE(page) + 5);
        unsigned first = page;
        if (!EXPECT(!vma == !covered[page]))
            return;
        if (vma) {
            EXPECT_EQUAL(vma->prot, covered[page] - 1);
            EXPECT(vma->start != PLACE(page) || starts[page]);
        }
        while (first < WORLD && !covered[first])
            first++;
        struct vma *above = vma_find_first(set, PLACE(page));
        EXPECT(first == WORLD ? !above : above && above->start <= PLACE(first) && above->end > PLACE(first));
        EXPECT(vma_find_near(set, PLACE(page)) == above);
    }
}

static void compare_gap(struct vma_set *set)
{
    unsigned low = random_below(WORLD), high = low + random_below(WORLD - low) + 1,
             length = random_below(20) + 1;
    int wanted = gap_by_search(length, low, high);
    vaddr_t found = vma_find_gap(set, (uint64_t)length << PLACE_SHIFT, PLACE(low), PLACE(high));
    EXPECT_EQUAL(found, wanted < 0 ? 0 : PLACE(wanted));
}

/* The look-aside is a VMA of the set, or the one that holds no address. */
static void check_last(struct vma_set *set)
{
    struct vma *vma;

    TAILQ_FOREACH(vma, &set->list, link)
        if (vma == set->last)
            return;
    EXPECT_EQUAL(set->last->end, 0);
}

static void model_clear(const struct vma *vma)
{
    unsigned first = PLACE_OF(vma->start), last = PLACE_OF(vma->end);

    memset(&covered[first], 0, last - first);
    memset(&down[first], 0, last - first);
    memset(&starts[first], 0, last - first);
}

/* The VMA stands in the set as it is now: note it, and join it with its neighbours. */
static void model_note(struct vma_set *set, struct vma *vma)
{
    unsigned first = PLACE_OF(vma->start), last = PLACE_OF(vma->end);

    memset(&covered[first], (int)(1 + vma->prot), last - first);
    memset(&down[first], !!(vma->flags & VMA_GROWSDOWN), last - first);
    starts[first] = 1;
    vma = vma_merge(set, vma);
    EXPECT(vma->start <= PLACE(first) && vma->end >= PLACE(last));
    if (vma->start < PLACE(first))
        starts[first] = 0;
    if (last < WORLD && vma->end > PLACE(last))
        starts[last] = 0;
}

static void model_insert(struct vma_set *set, unsigned first, unsigned last)
{
    unsigned prot = random_below(2) ? PROT_READ : PROT_READ | PROT_WRITE, flags = random_below(4) ? 0 : VMA_GROWSDOWN;
    struct vma *vma = vma_create(PLACE(first), PLACE(last), prot, flags, &anon_ops, NULL, 0);

    if (!EXPECT(vma))
        return;
    vma_insert(set, vma);
    model_note(set, vma);
}

static void model_remove(struct vma_set *set, struct vma *vma)
{
    model_clear(vma);
    vma_remove(set, vma);
    vma_destroy(vma);
}

/* Move both ends, within what is free around it. */
static void model_resize(struct vma_set *set, struct vma *vma)
{
    unsigned low = PLACE_OF(vma->start), high = PLACE_OF(vma->end);

    while (low > 0 && !covered[low - 1])
        low--;
    while (high < WORLD && !covered[high])
        high++;
    unsigned first = low + random_below(high - low), last = first + 1 + random_below(MIN(high - first, 12u));
    model_clear(vma);
    vma_resize(set, vma, PLACE(first), PLACE(last));
    model_note(set, vma);
}

/*
 * Split in the middle, change the upper half's rights, so that it stays apart unless its next neighbour is
 * alike.
 */
static void model_split(struct vma_set *set, struct vma *vma)
{
    unsigned middle = (PLACE_OF(vma->start) + PLACE_OF(vma->end)) / 2;
    struct vma *upper = vma_clone(vma);

    if (!EXPECT(upper))
        return;
    vma_split(set, vma, PLACE(middle), upper);
    upper->prot ^= PROT_WRITE;
    model_note(set, upper);
}

static void model_change(struct vma_set *set)
{
    unsigned first = random_below(WORLD - 1), last = MIN(first + random_below(12) + 1, WORLD - 1);
    struct vma *vma = vma_find(set, PLACE(first));

    if (!vma && range_is_free(first, last))
        model_insert(set, first, last);
    else if (vma && random_below(3) == 0)
        model_resize(set, vma);
    else if (vma && vma->end - vma->start > PLACE(1) - PLACE(0) && random_below(2))
        model_split(set, vma);
    else if (vma)
        model_remove(set, vma);
}

/* Now and then a copy takes the place of the set, as a child's does. */
KTEST(vma, random_set_against_an_array)
{
    struct vma_set sets[2], *set = sets, *other = sets + 1;

    vma_set_init(set);
    random_state = 7;
    memset(covered, 0, sizeof(covered));
    memset(down, 0, sizeof(down));
    memset(starts, 0, sizeof(starts));
    for (unsigned round = 0; round < 1500; round++) {
        model_change(set);
        vma_set_check(set);
        check_last(set);
        compare_gap(set);
        if (round % 16 == 0)
            compare_finds(set);
        if (round % 50)
            continue;
        vma_set_init(other);
        REQUIRE(vma_set_clone(other, set));
        set_clear(set);
        struct vma_set *copy = other;
        other = set;
        set = copy;
    }
    set_clear(set);
}

/* What faultahead= goes by: where the last fault has ended, of which there was none. */
KTEST(vma, new_one_has_had_no_fault)
{
    struct vma *vma = vma_new(10, 20, PROT_READ);

    REQUIRE(vma);
    vma->fault_next = ADDRESS(15);
    vma_destroy(vma);
    vma = vma_new(10, 20, PROT_READ);
    REQUIRE(vma);
    EXPECT_EQUAL(vma->fault_next, 0);
    vma_destroy(vma);
}

KTEST(vma, alike_neighbours_become_one)
{
    struct vma_set set;
    struct vma *left = vma_new(10, 20, PROT_READ), *middle = vma_new(20, 30, PROT_READ),
               *right = vma_new(30, 40, PROT_READ);

    REQUIRE(left && middle && right);
    vma_set_init(&set);
    vma_insert(&set, left);
    vma_insert(&set, right);
    vma_insert(&set, middle);
    struct vma *all = vma_merge(&set, middle);
    EXPECT_EQUAL(set.count, 1);
    EXPECT_EQUAL(all->start, ADDRESS(10));
    EXPECT_EQUAL(all->end, ADDRESS(40));
    EXPECT_EQUAL(set.pages, 30);
    vma_set_check(&set);
    set_clear(&set);
}

KTEST(vma, different_neighbours_stay_apart)
{
    struct vma_set set;
    struct vma *left = vma_new(10, 20, PROT_READ), *right = vma_new(20, 30, PROT_READ | PROT_WRITE);
    struct vma *shared =
        vma_create(ADDRESS(30), ADDRESS(40), PROT_READ | PROT_WRITE, VMA_NORESERVE, &anon_ops, NULL, 0);

    REQUIRE(left && right && shared);
    vma_set_init(&set);
    vma_insert(&set, left);
    vma_insert(&set, shared);
    vma_insert(&set, right);
    EXPECT(vma_merge(&set, right) == right);
    EXPECT_EQUAL(set.count, 3);
    vma_set_check(&set);
    set_clear(&set);
}

KTEST(vma, cache_index_follows_split_and_merge)
{
    struct pagecache *cache = pagecache_create(FRAME_SHM, 100 * PAGE_SIZE, NULL, NULL, "test", 1);
    struct vma_set set;

    REQUIRE(cache);
    vma_set_init(&set);
    struct vma *vma = vma_create(ADDRESS(10), ADDRESS(30), PROT_READ, VMA_SHARED, &shm_ops, cache, 5);
    REQUIRE(vma);
    struct vma *upper = vma_clone(vma);
    REQUIRE(upper);
    vma_insert(&set, vma);
    vma_split(&set, vma, ADDRESS(18), upper);
    EXPECT_EQUAL(upper->index, 13);
    EXPECT_EQUAL(vma_index_of(upper, ADDRESS(20)), 15);
    EXPECT_EQUAL(cache->refs, 3);
    vma_resize(&set, upper, ADDRESS(20), ADDRESS(30));
    EXPECT_EQUAL(upper->index, 15);
    vma_resize(&set, upper, ADDRESS(18), ADDRESS(30));
    EXPECT(vma_merge(&set, upper) == vma);
    EXPECT_EQUAL(set.count, 1);
    EXPECT_EQUAL(cache->refs, 2);
    set_clear(&set);
    pagecache_put(cache);
}

KTEST(vma, peak_stays)
{
    struct vma_set set;
    struct vma *vma = vma_new(10, 20, PROT_READ);

    REQUIRE(vma);
    vma_set_init(&set);
    vma_insert(&set, vma);
    vma_resize(&set, vma, ADDRESS(10), ADDRESS(12));
    EXPECT_EQUAL(set.pages, 2);
    EXPECT_EQUAL(set.peak_pages, 10);
    set_clear(&set);
}

KTEST(vma, failed_allocation)
{
    struct pagecache *cache = pagecache_create(FRAME_SHM, PAGE_SIZE, NULL, NULL, "test", 1);

    REQUIRE(cache);
    frame_fail_nth(1);
    struct vma *vma = vma_create(ADDRESS(1), ADDRESS(2), 0, VMA_SHARED, &shm_ops, cache, 0);
    if (vma) /* a slab had room: no frame was asked for */
        vma_destroy(vma);
    frame_fail_nth(0);
    EXPECT_EQUAL(cache->refs, 1);
    pagecache_put(cache);
}

KTEST(vma, what_the_ledger_counts)
{
    EXPECT(vma_is_accountable(PROT_READ | PROT_WRITE, 0));
    EXPECT(!vma_is_accountable(PROT_READ, 0));
    EXPECT(!vma_is_accountable(PROT_READ | PROT_WRITE, VMA_NORESERVE));
    EXPECT(!vma_is_accountable(PROT_READ | PROT_WRITE, VMA_SHARED));
}
