// SPDX-License-Identifier: MIT
/*
 * table.c: one page table: make, count, copy, give up; and the step from one to the table below, entry_own().
 */
#include "mm/table.h"

#include "mm/pagetable.h"
#include "mm/trace.h"

struct spinlock table_share_lock = SPINLOCK_INIT;

uint64_t pagetable_copies;

/* lab walk: begin */
static struct frame *table_create(unsigned level)
{
    struct frame *table = frame_alloc_blank(FRAME_TABLE);
    if (table)
        table->level = level;
    return table;
}
/* lab walk: instead */

/* The first slot from `slot` on that is not none; `end` or beyond: there is none below it. */
static inline const pte_t *slots_search(const pte_t *slot, const pte_t *end)
{
    for (; slot < end && !pte_group_starts(slot); slot++)
        if (!pte_is_none(pte_load(slot)))
            return slot;
    while (slot < end && pte_group_is_none(slot))
        slot += PTE_GROUP;
    while (slot < end && pte_is_none(pte_load(slot)))
        slot++;
    return slot;
}

unsigned table_search(const struct frame *table, unsigned i, unsigned stop)
{
    const pte_t *entries = table_entries(table);
    struct table_groups groups = table_groups(table);

    for (uint64_t bits = groups.bits & ~0ul << (i >> groups.shift); bits; bits &= bits - 1) {
        unsigned first = (unsigned)__builtin_ctzl(bits) << groups.shift, end = MIN(first + (1u << groups.shift), stop);
        const pte_t *slot = slots_search(&entries[MAX(i, first)], &entries[end]);
        if (slot < &entries[end])
            return (unsigned)(slot - entries);
    }
    return stop;
}

/* lab walk: begin */
/* Add (`by` 1) or take away (-1) one entry in the counts of its table. */
static void table_count(struct frame *table, pte_t entry, int by)
{
    if (pte_is_none(entry))
        return;
    table->used += by;
    if (table_is_leaf(table)) {
        enum resident_kind kind = frame_resident_kind(entry_frame(entry));
        if (kind != RESIDENT_NONE)
            table->table.leaf.resident[kind] += by;
    }
}
/* lab walk: instead */

/* An entry of an upper table has changed: set its group's bit, or clear it. */
static __noinline void table_note(struct frame *table, const pte_t *slot)
{
    unsigned i = entry_index(slot);
    uint64_t bit = 1ul << (i >> GROUP_SHIFT);

    if (pte_group_is_none(slot - i % PTE_GROUP))
        table->table.groups &= ~bit;
    else
        table->table.groups |= bit;
}

/* lab walk: begin */
void table_set(struct frame *table, pte_t *slot, pte_t entry)
{
    table_count(table, pte_load(slot), -1);
    table_count(table, entry, +1);
    pte_store(slot, entry);
    if (unlikely(!table_is_leaf(table)))
        table_note(table, slot);
    else if (!pte_is_none(entry))
        leaf_note(table, slot);
}
/* lab walk: instead table_set.c */

/* lab cow: begin */
/*
 * Let `entry`, read at `from`, stand in two tables, what it points at (`child`) gaining a reference. The write bit goes, so that
 * the first write finds out. Pages of shared objects keep it where they `may_keep` it: writing to them is what they are for.
 */
static inline void entry_share(pte_t *from, pte_t *to, pte_t entry, struct frame *child, bool may_keep)
{
    frame_get(child);
    if (!may_keep || child->kind == FRAME_ANON)
        entry = pte_read_only(entry);
    pte_store(from, entry);
    pte_store(to, entry);
}
/* lab cow: instead entry_share.c */

/*
 * All entries of the groups in `bits`. Their size is a constant of the caller's, and so is what need not be asked: `full`, no
 * entry is none.
 */
static inline void groups_share(pte_t *from, pte_t *to, uint64_t bits, unsigned shift, bool full, bool may_keep)
{
    struct frame *const records = frame_array;
    size_t size = 1ul << shift;

    for (; bits; bits &= bits - 1) {
        size_t first = (size_t)__builtin_ctzl(bits) << shift;
        pte_t *one = from + first, *other = to + first;
#pragma GCC unroll 8
        for (size_t i = 0; i < size; i++) {
            pte_t entry = pte_load(&one[i]);
            if (full || !pte_is_none(entry))
                entry_share(&one[i], &other[i], entry, entry_frame_in(records, entry), may_keep);
        }
    }
}

void table_share(struct frame *table, struct frame *with)
{
    pte_t *from = table_entries(table), *to = table_entries(with);
    uint64_t groups = table_groups(table).bits;

    if (!table_is_leaf(table))
        groups_share(from, to, groups, GROUP_SHIFT, false, false);
    else if (table->table.leaf.resident[RESIDENT_SHM] || table->table.leaf.resident[RESIDENT_FILE])
        groups_share(from, to, groups, LEAF_GROUP_SHIFT, false, true);
    else if (table_is_full(table))
        groups_share(from, to, groups, LEAF_GROUP_SHIFT, true, false);
    else
        groups_share(from, to, groups, LEAF_GROUP_SHIFT, false, false);
    with->used = table->used;
    with->table = table->table;
}

/* lab tables: begin */
/* A copy of a shared table, with one reference; NULL: out of memory. The original keeps its references. */
static struct frame *table_copy(struct frame *shared)
{
    struct frame *copy = table_is_full(shared) ? frame_alloc(FRAME_TABLE) : frame_alloc_blank(FRAME_TABLE);
    if (!copy)
        return NULL;
    copy->level = shared->level;
    table_share(shared, copy);
    pagetable_copies++;
    return copy;
}
/* lab tables: instead table_copy.c */

/* Clear what entries have been in, a run of groups at a time: the frame is blank again. */
static void table_clear(struct frame *table)
{
    pte_t *entries = table_entries(table);
    struct table_groups groups = table_groups(table);

    for (uint64_t bits = groups.bits, after; bits; bits &= after) {
        unsigned first = (unsigned)__builtin_ctzl(bits);
        after = bits + (1ul << first); /* the run is gone, and the bit above it set, if there is one */
        unsigned stop = after ? (unsigned)__builtin_ctzl(after) : 64;
        page_clear_words(&entries[(size_t)first << groups.shift], (size_t)(stop - first) << groups.shift);
    }
}

/* Give up what the entries of a leaf table point at. A pointer walks: by table_next() an entry costs a fifth more. */
static void leaf_put_pages(const struct frame *table)
{
    const pte_t *entries = table_entries(table), *slot = entries;
    struct frame_run run = { 0 };

    for (unsigned left = table->used; left; slot++, left--) {
        if (unlikely(pte_is_none(pte_load(slot))))
            slot = &entries[table_search(table, (unsigned)(slot - entries), PTE_ENTRIES)];
        frame_run_put(&run, entry_frame(pte_load(slot)));
    }
    frame_run_finish(&run);
}

static void table_put_tables(const struct frame *table)
{
    for (uint64_t bits = table->table.groups; bits; bits &= bits - 1) {
        const pte_t *slot = table_group(table, bits);
        for (unsigned i = 0; i < PTE_GROUP; i++)
            if (!pte_is_none(pte_load(&slot[i])))
                table_put(entry_frame(pte_load(&slot[i])));
    }
}

void table_put(struct frame *table)
{
    /* lab tables: begin */
    if (!frame_drop(table))
        return;
    /* lab tables: instead
     * //
     * // One reference less. So far each table stands under one entry, and goes with it. Under what condition does what it
     * // refers to go, once that may be several?
     * //
     * bool is_last = frame_drop(table);
     * if (!is_last)
     *     lab_missing_panic("tables", "table_put");
     */
    if (table_is_leaf(table))
        leaf_put_pages(table);
    else
        table_put_tables(table);
    if (frame_keeps_blanks()) {
        table_clear(table);
        frame_free_blank(table);
    } else {
        frame_free(table);
    }
}

/* lab tables: begin */
/* `slot` points at a shared table or at one that was: replace it by a copy, or take the write bit back. */
static struct frame *entry_unshare(pte_t *slot, vaddr_t addr)
{
    pte_t entry = pte_load(slot);
    struct frame *table = entry_frame(entry), *shared = NULL;

    spin_lock(&table_share_lock);
    if (table->refs > 1) {
        shared = table;
        table = table_copy(shared);
    }
    if (table) {
        pte_store(slot, shared ? pte_make_table(frame_pfn(table)) : pte_writable(entry));
        tlb_flush_page(addr);
        trace_entry(TRACE_TABLE, slot, entry, pte_load(slot), shared);
    }
    if (table && shared)
        table_put(shared);
    spin_unlock(&table_share_lock);
    return table;
}
/* lab tables: instead entry_unshare.c */

/* lab walk: begin */
struct frame *entry_own(struct frame *table, vaddr_t addr)
{
    pte_t *slot = &table_entries(table)[pte_index(addr, table->level)];
    pte_t entry = pte_load(slot);

    if (pte_is_writable(entry))
        return entry_frame(entry);
    if (!pte_is_none(entry))
        return entry_unshare(slot, addr);
    struct frame *below = table_create(table->level - 1);
    if (below) {
        table_set(table, slot, pte_make_table(frame_pfn(below)));
        trace_entry(TRACE_TABLE, slot, entry, pte_load(slot), NULL);
    }
    return below;
}
/* lab walk: instead entry_own.c */
