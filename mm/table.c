// SPDX-License-Identifier: MIT
/*
 * table.c: one page table: make, count, copy, give up; and the step from one to the table below, entry_own().
 */
#include "mm/table.h"

#include "mm/pagetable.h"
#include "mm/trace.h"

struct spinlock table_share_lock = SPINLOCK_INIT;

uint64_t pagetable_copies;

static struct frame *table_create(unsigned level)
{
    struct frame *table = frame_alloc_blank(FRAME_TABLE);
    if (table)
        table->level = level;
    return table;
}

unsigned table_search(const struct frame *table, unsigned i)
{
    const pte_t *entries = table_entries(table);

    for (;;) {
        if (i % FRAME_GROUP == 0)
            i += (unsigned)__builtin_ctz((unsigned)table->table.groups >> i / FRAME_GROUP) * FRAME_GROUP;
        ASSERT(i < table_size(table));
        if (i % PTE_GROUP == 0 && pte_group_is_none(&entries[i])) {
            i += PTE_GROUP;
            continue;
        }
        do {
            if (!pte_is_none(pte_load(&entries[i])))
                return i;
        } while (++i % PTE_GROUP);
    }
}

/* Add (`by` 1) or take away (-1) one entry in the counts of its table. */
static void table_count(struct frame *table, pte_t entry, int by)
{
    if (pte_is_none(entry))
        return;
    table->used += by;
    if (table_is_leaf(table)) {
        enum resident_kind kind = frame_resident_kind(entry_frame(entry));
        if (kind != RESIDENT_NONE)
            table->table.resident[kind] += by;
    }
}

void table_set(struct frame *table, pte_t *slot, pte_t entry)
{
    table_count(table, pte_load(slot), -1);
    table_count(table, entry, +1);
    if (!pte_is_none(entry))
        table_note(table, slot);
    pte_store(slot, entry);
}

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

/* All entries of `groups`. What is known of them beforehand need not be asked: `full`, none of them is none. */
static inline void groups_share(pte_t *from, pte_t *to, unsigned groups, bool full, bool may_keep)
{
    struct frame *const records = frame_array;

    for (; groups; groups &= groups - 1) {
        size_t first = (size_t)__builtin_ctz(groups) * FRAME_GROUP;
        pte_t *one = from + first, *other = to + first;
#pragma GCC unroll 8
        for (size_t i = 0; i < FRAME_GROUP; i++) {
            pte_t entry = pte_load(&one[i]);
            if (full || !pte_is_none(entry))
                entry_share(&one[i], &other[i], entry, entry_frame_in(records, entry), may_keep);
        }
    }
}

void table_share(struct frame *table, struct frame *with)
{
    pte_t *from = table_entries(table), *to = table_entries(with);
    unsigned groups = table->table.groups;

    if (table_is_leaf(table) && (table->table.resident[RESIDENT_SHM] || table->table.resident[RESIDENT_FILE]))
        groups_share(from, to, groups, false, true);
    else if (table_is_full(table))
        groups_share(from, to, groups, true, false);
    else
        groups_share(from, to, groups, false, false);
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

/* Clear what entries have been in: the frame is blank again. */
static void table_clear(struct frame *table)
{
    pte_t *entries = table_entries(table);

    for (unsigned groups = table->table.groups; groups; groups &= groups - 1)
        page_clear_words(&entries[(unsigned)__builtin_ctz(groups) * FRAME_GROUP], FRAME_GROUP);
}

/* Give up what the entries of a leaf table point at. A pointer walks: by table_next() an entry costs a fifth more. */
static void leaf_put_pages(const struct frame *table)
{
    const pte_t *entries = table_entries(table), *slot = entries;
    struct frame_run run = { 0 };

    for (unsigned left = table->used; left; slot++, left--) {
        if (unlikely(pte_is_none(pte_load(slot))))
            slot = &entries[table_search(table, (unsigned)(slot - entries))];
        frame_run_put(&run, entry_frame(pte_load(slot)));
    }
    frame_run_finish(&run);
}

static void table_put_tables(const struct frame *table)
{
    const pte_t *entries = table_entries(table);

    for (unsigned i = 0, left = table->used; left; i++, left--) {
        i = table_next(table, i);
        table_put(entry_frame(pte_load(&entries[i])));
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
