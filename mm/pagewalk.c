// SPDX-License-Identifier: MIT
/*
 * pagewalk.c: walks over the entries of a range: look, own, change, move, add up.
 */
#include "kernel/lib/errno.h"
#include "mm/pagetable.h"
#include "mm/table.h"
#include "mm/trace.h"

static int table_visit(struct frame *table, vaddr_t start, vaddr_t end,
                       int (*visit)(vaddr_t addr, pte_t entry, void *arg), void *arg)
{
    struct stretch stretch;

    for (vaddr_t addr = start; (addr = table_seek(table, addr, end)) < end; addr = stretch.end) {
        stretch = table_stretch(table, addr, start, end);
        pte_t entry = pte_load(stretch.slot);
        int result = table_is_leaf(table) ? visit(addr, entry, arg)
                                          : table_visit(entry_frame(entry), stretch.start, stretch.end, visit, arg);
        if (result)
            return result;
    }
    return 0;
}

int pagetable_visit(const struct pagetable *tree, vaddr_t start, vaddr_t end,
                    int (*visit)(vaddr_t addr, pte_t entry, void *arg), void *arg)
{
    struct frame *table = start < end ? table_over(tree->root, start, end) : NULL;

    return table ? table_visit(table, start, end, visit, arg) : 0;
}

static int table_own_range(struct frame *table, vaddr_t start, vaddr_t end)
{
    struct stretch stretch;

    if (table_is_leaf(table))
        return 0;
    for (vaddr_t addr = start; (addr = table_seek(table, addr, end)) < end; addr = stretch.end) {
        stretch = table_stretch(table, addr, start, end);
        struct frame *below = entry_own(table, addr);
        int error = below ? table_own_range(below, stretch.start, stretch.end) : -ENOMEM;
        if (error)
            return error;
    }
    return 0;
}

int pagetable_own_range(struct pagetable *tree, vaddr_t start, vaddr_t end)
{
    struct frame *table = tree->root;

    while (!table_is_leaf(table) && start < end && range_has_one_entry(table->level, start, end)) {
        if (pte_is_none(pte_load(&table_entries(table)[pte_index(start, table->level)])))
            return 0;
        table = entry_own(table, start);
        if (!table)
            return -ENOMEM;
    }
    return table_own_range(table, start, end);
}

static void table_update(struct frame *table, vaddr_t start, vaddr_t end,
                         void (*update)(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg), void *arg)
{
    struct stretch stretch;
    vaddr_t addr = table_seek(table, start, end);

    if (table_is_leaf(table)) {
        pte_t *slot = &table_entries(table)[pte_index(addr, PTE_LEAF_LEVEL)];
        if (addr < end)
            update(addr, slot, slot + ((end - addr) >> PAGE_SHIFT), arg);
        return;
    }
    for (; addr < end; addr = table_seek(table, stretch.end, end)) {
        stretch = table_stretch(table, addr, start, end);
        ASSERT(pte_is_writable(pte_load(stretch.slot)));
        table_update(entry_frame(pte_load(stretch.slot)), stretch.start, stretch.end, update, arg);
    }
}

void pagetable_update(struct pagetable *tree, vaddr_t start, vaddr_t end,
                      void (*update)(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg), void *arg)
{
    struct frame *table = start < end ? table_over(tree->root, start, end) : NULL;

    if (table)
        table_update(table, start, end, update, arg);
}

/* What pagetable_move() carries through its two passes. */
struct move {
    struct pagetable *tree;
    uint64_t distance; /* to add, modulo 2^64 */
};

static int move_prepare(vaddr_t addr, pte_t entry, void *arg)
{
    struct move *move = arg;
    (void)entry;
    return pagetable_own(move->tree, addr + move->distance, NULL) ? 0 : -ENOMEM;
}

static void move_entry(const struct move *move, vaddr_t addr, pte_t *slot)
{
    pte_t *target = pagetable_own(move->tree, addr + move->distance, NULL);
    pte_t entry = pte_load(slot);

    BUG_ON(!target, "the path to 0x%lx was prepared", addr + move->distance);
    pagetable_set(slot, pte_none());
    pagetable_set(target, entry);
}

static void move_entries(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg)
{
    for (; slot < stop; slot++, addr += PAGE_SIZE)
        if (!pte_is_none(pte_load(slot)))
            move_entry(arg, addr, slot);
}

/* Drop the tables of [start, end) that are empty; there are only whole ones of ours or none. */
static void range_trim(struct pagetable *tree, vaddr_t start, vaddr_t end)
{
    for (vaddr_t addr = start; addr < end; addr = align_down(addr, pte_span(2)) + pte_span(2))
        pagetable_trim(tree, addr);
}

int pagetable_move(struct pagetable *tree, vaddr_t from, vaddr_t to, uint64_t length)
{
    struct move move = { tree, to - from };
    int error = pagetable_own_range(tree, from, from + length);

    if (!error)
        error = pagetable_visit(tree, from, from + length, move_prepare, &move);
    if (!error) {
        pagetable_update(tree, from, from + length, move_entries, &move);
        trace_range(TRACE_MOVE, tree, from, from + length, to);
    }
    tlb_flush_user();
    range_trim(tree, error ? to : from, (error ? to : from) + length);
    return error;
}

static void table_figures(const struct frame *table, struct pagetable_figures *sum)
{
    const pte_t *entries = table_entries(table);

    sum->tables++;
    if (table_is_leaf(table)) {
        sum->leaf_tables++;
        for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
            sum->resident[kind] += table->table.leaf.resident[kind];
        return;
    }
    for (unsigned i = 0, left = table->used; left; i++, left--) {
        i = table_next(table, i);
        const struct frame *below = entry_frame(pte_load(&entries[i]));
        sum->shared_tables += below->refs > 1;
        table_figures(below, sum);
    }
}

/*
 * What the leaf tables below a directory hold: one look a table. Each exit asks this, however large the process is, so
 * nothing else is done on the way: a leaf's counts are added side by side, as the one word that they are (its own
 * groups in the highest bits run over), and entries are read plainly, since the CPU changes no more than their
 * accessed bits.
 */
static uint64_t directory_resident(const struct frame *directory)
{
    struct frame *const records = frame_array;
    uint64_t sum = 0;

    for (uint64_t bits = directory->table.groups; bits; bits &= bits - 1) {
        const pte_t *slot = table_group(directory, bits);
        uint64_t counts = 0;
#pragma GCC unroll 8
        for (unsigned i = 0; i < PTE_GROUP; i++) {
            pte_t entry = slot[i];
            if (!pte_is_none(entry))
                counts += entry_frame_in(records, entry)->table.groups;
        }
        sum += (counts & 0xffff) + (counts >> 16 & 0xffff) + (counts >> 32 & 0xffff);
    }
    return sum;
}
_Static_assert(offsetof(struct frame, table.leaf.resident) == offsetof(struct frame, table.groups) &&
                   RESIDENT_KINDS * 16 + 16 == 64 && PTE_GROUP * PTE_ENTRIES < 1 << 16, "one word, and no sum runs over");

static uint64_t table_resident(const struct frame *table)
{
    uint64_t sum = 0;

    if (table->level == PTE_LEAF_LEVEL + 1)
        return directory_resident(table);
    for (uint64_t bits = table->table.groups; bits; bits &= bits - 1) {
        const pte_t *slot = table_group(table, bits);
#pragma GCC unroll 8
        for (unsigned i = 0; i < PTE_GROUP; i++) {
            pte_t entry = slot[i];
            if (!pte_is_none(entry))
                sum += table_resident(entry_frame(entry));
        }
    }
    return sum;
}

uint64_t pagetable_resident(const struct pagetable *tree) { return table_resident(tree->root); }

void pagetable_figures(const struct pagetable *tree, struct pagetable_figures *figures)
{
    *figures = (struct pagetable_figures){ 0 };
    table_figures(tree->root, figures);
}
