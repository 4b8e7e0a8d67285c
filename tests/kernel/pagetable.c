// SPDX-License-Identifier: MIT
/*
 * pagetable.c: tests of the tree of tables: own, share, copy step by step, release, move, visit, figures.
 *
 * The trees here are loaded by no CPU; the kernel's own paths through them are what is tested.
 */
#include "mm/pagetable.h"

#include "kernel/selftest.h"

#define LOW 0x400000ul            /* root entry 0 */
#define HIGH 0x7f0000000000ul     /* root entry 254 */
#define TABLE_SPAN (2ul << 20)    /* what a leaf table covers */

/* Map a new anonymous frame with all rights; the entry holds its one reference. NULL: it failed. */
static struct frame *page_map(struct pagetable *tree, vaddr_t addr)
{
    struct frame *frame = frame_alloc(FRAME_ANON);
    pte_t *slot = frame ? pagetable_own(tree, addr, NULL) : NULL;

    if (slot)
        pagetable_set(slot, pte_make(frame_pfn(frame), RIGHT_READ | RIGHT_WRITE));
    else if (frame)
        frame_put(frame);
    return slot ? frame : NULL;
}

static struct pagetable_figures figures_of(const struct pagetable *tree)
{
    struct pagetable_figures figures;
    pagetable_figures(tree, &figures);
    return figures;
}

/* The table of `level` on the path to addr; level 4 is the root. */
static struct frame *table_at(const struct pagetable *tree, vaddr_t addr, unsigned level)
{
    struct frame *table = tree->root;

    for (unsigned at = PTE_ROOT_LEVEL; at > level; at--) {
        const pte_t *entries = frame_address(table);
        table = frame_at(pte_pfn(entries[pte_index(addr, at)]));
    }
    return table;
}

static bool entry_is_writable(const struct pagetable *tree, vaddr_t addr, unsigned level)
{
    const pte_t *entries = frame_address(table_at(tree, addr, level));
    return pte_is_writable(entries[pte_index(addr, level)]);
}

KTEST(pagetable, empty_tree)
{
    struct pagetable tree;

    REQUIRE(!pagetable_init(&tree));
    EXPECT_EQUAL(figures_of(&tree).tables, 1);
    EXPECT(!pagetable_find(&tree, LOW));
    EXPECT_EQUAL(tree.root->used, 0);
    const pte_t *root = frame_address(tree.root), *kernel = direct_address(mmu_kernel_root());
    for (unsigned i = 0; i < PTE_ENTRIES; i++)
        EXPECT_EQUAL(root[i].bits, kernel[i].bits); /* the kernel's own lower half is empty */
    pagetable_destroy(&tree);
}

KTEST(pagetable, own_makes_a_path)
{
    struct pagetable tree;
    bool regained = true;

    REQUIRE(!pagetable_init(&tree));
    pte_t *slot = pagetable_own(&tree, LOW, &regained);
    REQUIRE(slot);
    EXPECT(!regained);
    EXPECT(pte_is_none(*slot));
    EXPECT_EQUAL(figures_of(&tree).tables, 4);
    EXPECT(pagetable_find(&tree, LOW) == slot);
    pagetable_trim(&tree, LOW);
    EXPECT_EQUAL(figures_of(&tree).tables, 1);
    pagetable_destroy(&tree);
}

KTEST(pagetable, counts_entries_by_kind)
{
    struct pagetable tree;
    struct frame *shm = frame_alloc(FRAME_SHM);

    REQUIRE(shm && !pagetable_init(&tree));
    REQUIRE(page_map(&tree, LOW) && page_map(&tree, LOW + PAGE_SIZE) && page_map(&tree, HIGH));
    pte_t *slot = pagetable_own(&tree, LOW + 5 * PAGE_SIZE, NULL);
    REQUIRE(slot);
    pagetable_set(slot, pte_make(frame_pfn(shm), RIGHT_READ));
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_ANON], 3);
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_SHM], 1);
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_FILE], 0);
    EXPECT_EQUAL(figures_of(&tree).leaf_tables, 2);
    EXPECT_EQUAL(table_at(&tree, LOW, 1)->used, 3);
    pagetable_set(slot, pte_none());
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_SHM], 0);
    EXPECT_EQUAL(table_at(&tree, LOW, 1)->used, 2);
    frame_put(shm);
    pagetable_destroy(&tree);
}

KTEST(pagetable, share_takes_one_reference_a_root_entry)
{
    struct pagetable parent, child;

    REQUIRE(!pagetable_init(&parent) && !pagetable_init(&child));
    REQUIRE(page_map(&parent, LOW) && page_map(&parent, LOW + TABLE_SPAN) && page_map(&parent, HIGH));
    uint64_t before = frame_free_count();
    pagetable_share(&child, &parent);
    EXPECT_EQUAL(frame_free_count(), before);
    EXPECT_EQUAL(table_at(&parent, LOW, 3)->refs, 2);
    EXPECT_EQUAL(table_at(&parent, HIGH, 3)->refs, 2);
    EXPECT_EQUAL(table_at(&parent, LOW, 2)->refs, 1);
    EXPECT(!entry_is_writable(&parent, LOW, 4) && !entry_is_writable(&child, LOW, 4));
    EXPECT(!entry_is_writable(&parent, HIGH, 4) && !entry_is_writable(&child, HIGH, 4));
    EXPECT(entry_is_writable(&parent, LOW, 1)); /* the path says no, not the entry */
    EXPECT_EQUAL(figures_of(&child).resident[RESIDENT_ANON], 3);
    EXPECT_EQUAL(figures_of(&child).shared_tables, 2);
    pagetable_destroy(&child);
    EXPECT_EQUAL(table_at(&parent, LOW, 3)->refs, 1);
    pagetable_destroy(&parent);
}

KTEST(pagetable, own_copies_one_path_step_by_step)
{
    struct pagetable parent, child;
    bool regained = false;

    REQUIRE(!pagetable_init(&parent) && !pagetable_init(&child));
    struct frame *first = page_map(&parent, LOW), *second = page_map(&parent, LOW + TABLE_SPAN);
    REQUIRE(first && second);
    pagetable_share(&child, &parent);
    uint64_t copies = pagetable_copies;
    REQUIRE(pagetable_own(&child, LOW, &regained));
    EXPECT(regained);
    EXPECT_EQUAL(pagetable_copies - copies, 3);
    for (unsigned level = 1; level < PTE_ROOT_LEVEL; level++) {
        EXPECT(table_at(&child, LOW, level) != table_at(&parent, LOW, level));
        EXPECT_EQUAL(table_at(&child, LOW, level)->refs, 1);
        EXPECT_EQUAL(table_at(&parent, LOW, level)->refs, 1);
    }
    /* Beside the path, one table and no page is shared; on it, the page itself, read-only on both sides. */
    EXPECT(table_at(&child, LOW + TABLE_SPAN, 1) == table_at(&parent, LOW + TABLE_SPAN, 1));
    EXPECT_EQUAL(table_at(&child, LOW + TABLE_SPAN, 1)->refs, 2);
    EXPECT_EQUAL(first->refs, 2);
    EXPECT_EQUAL(second->refs, 1);
    EXPECT(!entry_is_writable(&parent, LOW, 1) && !entry_is_writable(&child, LOW, 1));
    EXPECT(entry_is_writable(&child, LOW, 2) && !entry_is_writable(&parent, LOW, 2));
    pagetable_destroy(&child);
    EXPECT_EQUAL(first->refs, 1);
    /* Alone again: the write bits come back without a copy. */
    copies = pagetable_copies;
    REQUIRE(pagetable_own(&parent, LOW, &regained));
    EXPECT(regained);
    EXPECT(entry_is_writable(&parent, LOW, 2) && entry_is_writable(&parent, LOW, 4));
    EXPECT_EQUAL(pagetable_copies, copies);
    pagetable_destroy(&parent);
}

KTEST(pagetable, shared_pages_keep_their_write_bit)
{
    struct pagetable parent, child;
    struct frame *shm = frame_alloc(FRAME_SHM);

    REQUIRE(shm && !pagetable_init(&parent) && !pagetable_init(&child));
    pte_t *slot = pagetable_own(&parent, LOW, NULL);
    REQUIRE(slot);
    pagetable_set(slot, pte_make(frame_pfn(shm), RIGHT_READ | RIGHT_WRITE));
    pagetable_share(&child, &parent);
    REQUIRE(pagetable_own(&child, LOW, NULL));
    EXPECT(entry_is_writable(&child, LOW, 1) && entry_is_writable(&parent, LOW, 1));
    EXPECT_EQUAL(shm->refs, 2);
    pagetable_destroy(&child);
    pagetable_destroy(&parent);
}

KTEST(pagetable, release_of_shared_subtrees_copies_nothing_inside)
{
    struct pagetable parent, child;
    struct gather gather = { 0 };

    REQUIRE(!pagetable_init(&parent) && !pagetable_init(&child));
    for (unsigned i = 0; i < 4; i++)
        REQUIRE(page_map(&parent, LOW + i * TABLE_SPAN));
    pagetable_share(&child, &parent);
    uint64_t copies = pagetable_copies;
    REQUIRE(!pagetable_prepare_release(&child, LOW, LOW + 4 * TABLE_SPAN));
    pagetable_release(&child, LOW, LOW + 4 * TABLE_SPAN, &gather);
    gather_finish(&gather);
    EXPECT_EQUAL(pagetable_copies - copies, 2); /* levels 3 and 2, whose edges lie outside; no leaf table */
    EXPECT_EQUAL(figures_of(&child).tables, 1);
    EXPECT_EQUAL(figures_of(&parent).resident[RESIDENT_ANON], 4);
    for (unsigned i = 0; i < 4; i++)
        EXPECT_EQUAL(table_at(&parent, LOW + i * TABLE_SPAN, 1)->refs, 1);
    pagetable_destroy(&child);
    pagetable_destroy(&parent);
}

KTEST(pagetable, release_of_a_part)
{
    struct pagetable tree;
    struct gather gather = { 0 };

    REQUIRE(!pagetable_init(&tree));
    for (unsigned i = 0; i < 100; i++)
        REQUIRE(page_map(&tree, LOW + TABLE_SPAN - 50 * PAGE_SIZE + i * PAGE_SIZE));
    vaddr_t start = LOW + TABLE_SPAN - 40 * PAGE_SIZE, end = LOW + TABLE_SPAN + 45 * PAGE_SIZE;
    REQUIRE(!pagetable_prepare_release(&tree, start, end));
    pagetable_release(&tree, start, end, &gather);
    gather_finish(&gather);
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_ANON], 15);
    EXPECT(!pte_is_none(*pagetable_find(&tree, start - PAGE_SIZE)));
    EXPECT(pte_is_none(*pagetable_find(&tree, start)));
    EXPECT(pte_is_none(*pagetable_find(&tree, end - PAGE_SIZE)));
    EXPECT(!pte_is_none(*pagetable_find(&tree, end)));
    pagetable_destroy(&tree);
}

KTEST(pagetable, move_carries_frames_over)
{
    struct pagetable tree;

    REQUIRE(!pagetable_init(&tree));
    struct frame *first = page_map(&tree, LOW), *last = page_map(&tree, LOW + TABLE_SPAN + 3 * PAGE_SIZE);
    REQUIRE(first && last);
    REQUIRE(!pagetable_move(&tree, LOW, HIGH, TABLE_SPAN + 4 * PAGE_SIZE));
    EXPECT_EQUAL(pte_pfn(*pagetable_find(&tree, HIGH)), frame_pfn(first));
    EXPECT_EQUAL(pte_pfn(*pagetable_find(&tree, HIGH + TABLE_SPAN + 3 * PAGE_SIZE)), frame_pfn(last));
    EXPECT(!pagetable_find(&tree, LOW));
    EXPECT_EQUAL(first->refs, 1);
    EXPECT_EQUAL(figures_of(&tree).resident[RESIDENT_ANON], 2);
    EXPECT_EQUAL(figures_of(&tree).tables, 5);
    pagetable_destroy(&tree);
}

struct seen {
    unsigned count;
    vaddr_t last;
    bool ordered;
};

static int note_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct seen *seen = arg;
    seen->ordered = seen->ordered && (!seen->count || addr > seen->last) && !pte_is_none(entry);
    seen->last = addr;
    return ++seen->count == 3 ? 77 : 0;
}

KTEST(pagetable, visit_is_in_order_and_stops)
{
    struct pagetable tree;
    struct seen seen = { .ordered = true };

    REQUIRE(!pagetable_init(&tree));
    REQUIRE(page_map(&tree, HIGH) && page_map(&tree, LOW) && page_map(&tree, LOW + TABLE_SPAN));
    EXPECT_EQUAL(pagetable_visit(&tree, LOW, HIGH, note_entry, &seen), 0);
    EXPECT_EQUAL(seen.count, 2);
    seen.count = 0;
    EXPECT_EQUAL(pagetable_visit(&tree, LOW, HIGH + PAGE_SIZE, note_entry, &seen), 77);
    EXPECT_EQUAL(seen.last, HIGH);
    EXPECT(seen.ordered);
    pagetable_destroy(&tree);
}

/*
 * Each allocation of an unshare in turn fails; whatever was copied by then, both trees show what they
 * showed.
 */
KTEST(pagetable, unshare_that_fails_changes_nothing)
{
    struct pagetable parent, child;

    REQUIRE(!pagetable_init(&parent) && !pagetable_init(&child));
    struct frame *frame = page_map(&parent, LOW);
    REQUIRE(frame);
    pagetable_share(&child, &parent);
    for (unsigned n = 1; n <= 3; n++) {
        frame_fail_nth(n == 1 ? 1 : 2); /* one level more is ours after each round */
        pte_t *slot = pagetable_own(&child, LOW, NULL);
        frame_fail_nth(0);
        EXPECT(!slot);
        EXPECT_EQUAL(pte_pfn(*pagetable_find(&child, LOW)), frame_pfn(frame));
        EXPECT_EQUAL(pte_pfn(*pagetable_find(&parent, LOW)), frame_pfn(frame));
        EXPECT_EQUAL(figures_of(&child).resident[RESIDENT_ANON], 1);
    }
    pagetable_destroy(&child);
    EXPECT_EQUAL(frame->refs, 1);
    pagetable_destroy(&parent);
}
