// SPDX-License-Identifier: MIT
/*
 * check.c: the invariants of mm/, checked against each other: promises, tables, counts, references.
 */
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/aspace_list.h"
#include "mm/blank.h"
#include "mm/fault.h"
#include "mm/table.h"
#include "mm/zero.h"

/* ---- one address space ---- */

/* A leaf entry, seen through a VMA: it gives no right that the VMA does not give, and none to a page of others. */
static void leaf_check(const struct vma *vma, vaddr_t addr, pte_t entry)
{
    const struct frame *frame = entry_frame(entry);

    BUG_ON(!vma || addr < vma->start, "entry 0x%lx at 0x%lx without a VMA", entry.bits, addr);
    BUG_ON(frame->refs == 0, "entry 0x%lx at 0x%lx points at a free frame", entry.bits, addr);
    BUG_ON(pte_is_executable(entry) && pte_is_present(entry) && !(vma->prot & RIGHT_EXEC), "0x%lx executable at 0x%lx",
           entry.bits, addr);
    if (!pte_is_writable(entry))
        return;
    BUG_ON(!(vma->prot & RIGHT_WRITE), "entry 0x%lx writable at 0x%lx, the VMA is not", entry.bits, addr);
    BUG_ON(!(vma->flags & VMA_SHARED) && (frame->kind != FRAME_ANON || frame->refs != 1),
           "entry 0x%lx at 0x%lx may write a frame of kind %u with %u references", entry.bits, addr, frame->kind,
           frame->refs);
}

/* A table's record agrees with its entries; a writable entry points at a table of ours alone. */
static void table_check(struct aspace *aspace, const struct frame *table, vaddr_t base)
{
    unsigned used = 0, resident[RESIDENT_KINDS + 1] = { 0 };
    struct table_groups groups = table_groups(table);
    uint64_t seen = 0;

    for (unsigned i = 0; i < table_size(table); i++) {
        pte_t entry = pte_load(&table_entries(table)[i]);
        vaddr_t addr = base + i * pte_span(table->level);
        if (pte_is_none(entry))
            continue;
        const struct frame *below = entry_frame(entry);
        used++;
        BUG_ON(!(groups.bits & 1ul << (i >> groups.shift)), "walks pass over 0x%lx", addr);
        seen |= 1ul << (i >> groups.shift);
        if (table_is_leaf(table)) {
            leaf_check(vma_find(&aspace->vmas, addr), addr, entry);
            resident[frame_resident_kind(below)]++;
            continue;
        }
        BUG_ON(below->kind != FRAME_TABLE || below->level != table->level - 1,
               "entry 0x%lx for 0x%lx: kind %u", entry.bits, addr, below->kind);
        BUG_ON(pte_is_writable(entry) && below->refs != 1, "table for 0x%lx is writable and has %u references", addr,
               below->refs);
        table_check(aspace, below, addr);
    }
    BUG_ON(used != table->used, "table for 0x%lx has %u entries, its record says %u", base, used, table->used);
    BUG_ON(!table_is_leaf(table) && seen != groups.bits, "walks look for 0x%lx in vain", groups.bits & ~seen);
    for (unsigned kind = 0; table_is_leaf(table) && kind < RESIDENT_KINDS; kind++)
        BUG_ON(resident[kind] != table->table.leaf.resident[kind], "table for 0x%lx: %u of kind %u, its record says %u", base,
               resident[kind], kind, table->table.leaf.resident[kind]);
}

static void aspace_check_locked(struct aspace *aspace)
{
    vma_set_check(&aspace->vmas);
    BUG_ON(aspace->tree.root->refs != 1, "root table with %u references", aspace->tree.root->refs);
    table_check(aspace, aspace->tree.root, 0);
}

void aspace_check(struct aspace *aspace)
{
    mutex_lock(&aspace->lock);
    aspace_check_locked(aspace);
    mutex_unlock(&aspace->lock);
}

/* ---- all of them ---- */

/* Count each entry of each table once, however many trees the table is part of. */
static void table_tally(const struct frame *table, uint32_t *entries_to)
{
    for (unsigned i = 0; i < table_size(table); i++) {
        pte_t entry = pte_load(&table_entries(table)[i]);
        if (pte_is_none(entry))
            continue;
        bool first = entries_to[pte_pfn(entry)]++ == 0;
        if (first && !table_is_leaf(table))
            table_tally(entry_frame(entry), entries_to);
    }
}

/* References that a frame has besides entries: its pins. */
static uint32_t frame_pins(const struct frame *frame, uint32_t entries)
{
    switch (frame->kind) {
    case FRAME_ZERO: /* the permanent pin */
    case FRAME_SHM:  /* the page cache */
    case FRAME_FILE:
        return 1;
    case FRAME_TABLE: /* a root belongs to its address space */
        return frame->level == PTE_ROOT_LEVEL && entries == 0;
    default:
        return 0;
    }
}

static void frames_check(const uint32_t *entries_to)
{
    for (pfn_t pfn = 0; pfn < frame_count; pfn++) {
        const struct frame *frame = frame_at(pfn);
        if (frame->kind < FRAME_TABLE) {
            BUG_ON(entries_to[pfn], "frame 0x%lx of kind %u is mapped by %u entries", pfn, frame->kind, entries_to[pfn]);
            continue;
        }
        uint32_t expected = entries_to[pfn] + frame_pins(frame, entries_to[pfn]);
        BUG_ON(frame->refs != expected, "frame 0x%lx of kind %u has %u references, not %u", pfn, frame->kind, frame->refs,
               expected);
    }
}

/* All that is free can be found. */
static void free_check(void)
{
    struct frame_figures figures;
    uint64_t in_blocks = 0;

    frame_figures(&figures);
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        in_blocks += figures.free_blocks[order] << order;
    BUG_ON(in_blocks != figures.free, "%lu frames are free, %lu can be found", figures.free, in_blocks);
}

static unsigned order_for(uint64_t bytes)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < bytes)
        order++;
    return order;
}

int mm_check(void)
{
    struct aspace *aspace;
    unsigned order = order_for(frame_count * sizeof(uint32_t));

    if (order >= FRAME_ORDERS)
        return -ENOMEM;
    struct frame *tally = frame_alloc_order(FRAME_KERNEL, order);
    if (!tally)
        return -ENOMEM;
    uint32_t *entries_to = frame_address(tally);
    for (pfn_t pfn = 0; pfn < frame_count; pfn++)
        entries_to[pfn] = 0;
    LIST_FOREACH(aspace, &aspace_list, all) {
        aspace_check(aspace);
        table_tally(aspace->tree.root, entries_to);
    }
    frames_check(entries_to);
    free_check();
    blank_check();
    frame_put(tally);
    return 0;
}
