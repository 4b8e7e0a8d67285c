// SPDX-License-Identifier: MIT
/*
 * release.c: taking a range out of a tree of tables, and giving back what was in it after the flush.
 */
#include "kernel/lib/errno.h"
#include "mm/pagetable.h"
#include "mm/table.h"

/* Flush what has gone, page by page while that is cheaper than all at once. */
static void gather_flush(const struct gather *gather)
{
    for (unsigned i = 0; i < gather->count; i++) {
        if (gather->count > TLB_SINGLE_PAGES || gather->item[i].frame->kind == FRAME_TABLE) {
            tlb_flush_user();
            return;
        }
        tlb_flush_page(gather->item[i].addr);
    }
}

void gather_finish(struct gather *gather)
{
    struct frame_run run = { 0 };

    gather_flush(gather);
    for (unsigned i = 0; i < gather->count; i++) {
        struct frame *frame = gather->item[i].frame;
        if (frame->kind == FRAME_TABLE)
            table_put(frame);
        else
            frame_run_put(&run, frame);
    }
    frame_run_finish(&run);
    gather->count = 0;
}

void gather_add(struct gather *gather, struct frame *frame, vaddr_t addr)
{
    if (gather->count == GATHER_MAX)
        gather_finish(gather);
    gather->item[gather->count].frame = frame;
    gather->item[gather->count].addr = addr;
    gather->count++;
}

static bool leaf_holds(const struct frame *table, vaddr_t start, vaddr_t end)
{
    unsigned first = pte_index(start, PTE_LEAF_LEVEL), stop = first + (unsigned)((end - start) >> PAGE_SHIFT);

    return table_search(table, first, stop) < stop;
}

static bool upper_holds(const struct frame *table, vaddr_t start, vaddr_t end);

/* Is there an entry in the range, or nothing at all in the table, which then goes with the range? */
static bool table_holds(const struct frame *table, vaddr_t start, vaddr_t end)
{
    if (!table->used)
        return true;
    return table_is_leaf(table) ? leaf_holds(table, start, end) : upper_holds(table, start, end);
}

static __noinline bool upper_holds(const struct frame *table, vaddr_t start, vaddr_t end)
{
    struct stretch stretch;

    for (vaddr_t addr = start; (addr = table_seek(table, addr, end)) < end; addr = stretch.end) {
        stretch = table_stretch(table, addr, start, end);
        const struct frame *below = entry_frame(pte_load(stretch.slot));
        if (stretch.whole || table_holds(below, stretch.start, stretch.end))
            return true;
    }
    return false;
}

bool pagetable_holds(const struct pagetable *tree, vaddr_t start, vaddr_t end)
{
    const struct frame *table = table_over(tree->root, start, end);

    return table && table_holds(table, start, end);
}

/* lab tables: begin */
/* Own the tables on the way to `addr` that [start, end) covers only in part. */
static int edge_own(struct pagetable *tree, vaddr_t addr, vaddr_t start, vaddr_t end)
{
    struct frame *table = tree->root;

    while (!table_is_leaf(table)) {
        struct stretch stretch = table_stretch(table, addr, start, end);
        if (stretch.whole || pte_is_none(pte_load(stretch.slot)))
            break;
        table = entry_own(table, addr);
        if (!table)
            return -ENOMEM;
    }
    return 0;
}

int pagetable_prepare_release(struct pagetable *tree, vaddr_t start, vaddr_t end)
{
    int error = edge_own(tree, start, start, end);
    return error ? error : edge_own(tree, end - 1, start, end);
}
/* lab tables: instead pagetable_prepare_release.c */

/* lab walk: begin */
/* There is nothing in [start, end) any more: of the leaf table's groups, those that lie inside whole are empty. */
static void leaf_note_release(struct frame *table, vaddr_t start, vaddr_t end)
{
    unsigned shift = PAGE_SHIFT + LEAF_GROUP_SHIFT;
    vaddr_t first = (start + (1ul << shift) - 1) >> shift, last = end >> shift;
    unsigned groups = PTE_ENTRIES >> LEAF_GROUP_SHIFT;

    if (first < last)
        table->table.leaf.groups &= ~(((1u << (last - first)) - 1) << first % groups);
}

static void table_release(struct frame *table, vaddr_t start, vaddr_t end, struct gather *gather)
{
    struct stretch stretch;

    for (vaddr_t addr = start; table->used && (addr = table_seek(table, addr, end)) < end; addr = stretch.end) {
        stretch = table_stretch(table, addr, start, end);
        pte_t entry = pte_load(stretch.slot);
        struct frame *below = entry_frame(entry);
        /* lab tables: begin */
        bool goes_whole = table_is_leaf(table) || stretch.whole;
        /* lab tables: instead
         * // May all that this entry points at go in one piece, unseen? pagetable_prepare_release() must know the same.
         * bool goes_whole = table_is_leaf(table);
         */
        if (!goes_whole) {
            BUG_ON(!pte_is_writable(entry), "release of [0x%lx, 0x%lx) was not prepared", start, end);
            table_release(below, stretch.start, stretch.end, gather);
            if (below->used)
                continue;
        }
        table_set(table, stretch.slot, pte_none());
        gather_add(gather, below, stretch.start);
    }
    if (table_is_leaf(table))
        leaf_note_release(table, start, end);
}
/* lab walk: instead table_release.c */

void pagetable_release(struct pagetable *tree, vaddr_t start, vaddr_t end, struct gather *gather)
{
    table_release(tree->root, start, end, gather);
}
