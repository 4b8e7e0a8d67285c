// SPDX-License-Identifier: MIT
/*
 * table.h: one page table: a frame full of entries, with a record that counts them. Inside of pagetable.h: only the
 * files that make up the tree of tables (pagetable.c, release.c, pagewalk.c) and the checker include this.
 *
 * Locks: as pagetable.h says; table_share_lock is the page-table lock.
 */
#ifndef MM_TABLE_H
#define MM_TABLE_H

#include "arch/x86_64/mmu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"
#include "mm/frame.h"

extern struct spinlock table_share_lock;

static inline pte_t *table_entries(const struct frame *table) { return frame_address(table); }
static inline struct frame *entry_frame_in(struct frame *records, pte_t entry)
{
    return (struct frame *)((char *)records + pte_record_offset(entry, FRAME_SHIFT));
}
static inline struct frame *entry_frame(pte_t entry) { return entry_frame_in(frame_array, entry); }
static inline pte_t *entry_table(pte_t entry) { return direct_address(pte_pfn(entry) << PAGE_SHIFT); }
static inline bool table_is_leaf(const struct frame *table) { return table->level == PTE_LEAF_LEVEL; }

/* Entries of the user half: all of a table, but the lower half of the root. */
static inline unsigned table_size(const struct frame *table)
{
    return table->level == PTE_ROOT_LEVEL ? PTE_USER_ENTRIES : PTE_ENTRIES;
}

static inline bool table_is_full(const struct frame *table) { return table->used == PTE_ENTRIES; }

/*
 * Where a table has entries, as far as its record tells: bit i of `bits` stands for the entries from i << shift on. What is not
 * none lies in a group whose bit is set. In a leaf table, whose groups are larger, a set bit may stand for nothing any more.
 */
struct table_groups {
    uint64_t bits;
    unsigned shift;
};
static inline struct table_groups table_groups(const struct frame *table)
{
    return table_is_leaf(table) ? (struct table_groups){ table->table.leaf.groups, LEAF_GROUP_SHIFT }
                                : (struct table_groups){ table->table.groups, GROUP_SHIFT };
}

/* The entries of an upper table's group: that of the lowest bit in `bits`, which is not empty. There are PTE_GROUP of them. */
static inline pte_t *table_group(const struct frame *table, uint64_t bits)
{
    return &table_entries(table)[(size_t)__builtin_ctzl(bits) << GROUP_SHIFT];
}
_Static_assert(1 << GROUP_SHIFT == PTE_GROUP && PTE_ENTRIES >> GROUP_SHIFT == 64, "a bit for each group");

/* The first entry in [i, stop) that is not none, or `stop`. */
unsigned table_search(const struct frame *table, unsigned i, unsigned stop);

/* The same for who knows from `used` that there is one. */
static inline unsigned table_next(const struct frame *table, unsigned i)
{
    return likely(!pte_is_none(pte_load(&table_entries(table)[i]))) ? i : table_search(table, i, PTE_ENTRIES);
}

/*
 * Where `table` has its first entry that is not none at or after `addr`, below `end`: `addr` itself, or the start of what
 * that entry covers; `end` if there is none. [addr, end) lies in what the table covers.
 */
static inline vaddr_t table_seek(const struct frame *table, vaddr_t addr, vaddr_t end)
{
    unsigned shift = pte_shift(table->level), first = (addr >> shift) % PTE_ENTRIES;

    if (addr >= end)
        return end;
    if (likely(!pte_is_none(pte_load(&table_entries(table)[first]))))
        return addr;
    unsigned stop = (unsigned)(((end - 1) >> shift) - (addr >> shift)) + first + 1;
    unsigned i = table_search(table, first, stop);
    return i == stop ? end : ((addr >> shift) - first + i) << shift;
}

/* Does all of [start, end) lie under one entry of a table of this level? */
static inline bool range_has_one_entry(unsigned level, vaddr_t start, vaddr_t end)
{
    return (start ^ (end - 1)) >> pte_shift(level) == 0;
}

/* The lowest table under which all of [start, end) lies; NULL: an entry on the way there is none. */
static inline struct frame *table_over(struct frame *root, vaddr_t start, vaddr_t end)
{
    pte_t *entries = table_entries(root);

    for (unsigned level = PTE_ROOT_LEVEL; level > PTE_LEAF_LEVEL && range_has_one_entry(level, start, end); level--) {
        pte_t entry = pte_load(&entries[pte_index(start, level)]);
        if (pte_is_none(entry))
            return NULL;
        entries = entry_table(entry);
    }
    return frame_of(entries);
}

/* Set an entry of a table that is ours, keeping its counts. No reference is taken or given. */
void table_set(struct frame *table, pte_t *slot, pte_t entry);

/* Copy all entries into `with`, an empty table of the same level, in the shape in which they may stand in two. */
void table_share(struct frame *table, struct frame *with);

/*
 * One step down: the table that covers `addr` below `table`, which is ours, becomes ours: made, copied, or given back
 * its write bit. NULL: out of memory, nothing changed. Flushes what it changes.
 */
struct frame *entry_own(struct frame *table, vaddr_t addr) __must_check;

/* One reference to a table less; the last one gives up all that the table refers to, and the table. */
void table_put(struct frame *table);

/*
 * A stretch of one table: the entry that covers `addr`, and the part of [start, end) that lies under it.
 * All walks over ranges go from one to the next: table_seek() finds it.
 */
struct stretch {
    pte_t *slot;
    vaddr_t start, end;
    bool whole; /* [start, end) is all that the entry covers */
};

static inline struct stretch table_stretch(const struct frame *table, vaddr_t addr, vaddr_t start, vaddr_t end)
{
    unsigned level = table->level;
    vaddr_t first = align_down(addr, pte_span(level)), last = first + pte_span(level);

    return (struct stretch){
        .slot = &table_entries(table)[pte_index(addr, level)],
        .start = MAX(first, start),
        .end = MIN(last, end),
        .whole = first >= start && last <= end,
    };
}

#endif
