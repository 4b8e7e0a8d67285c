// SPDX-License-Identifier: MIT
/*
 * pagetable.h: the tree of page tables of one address space, copy-on-write all the way up.
 *
 * A table is a frame with references like any other: refs = entries that point at it (the root: its owner).
 * A table with more than one reference is shared, and then every entry that points at it lacks the write
 * bit. Nothing in a shared table is ever changed, except that write bits go when it is copied: whoever
 * wants to change an entry owns the path first (pagetable_own).
 *
 * An entry of a table that lacks its write bit may be alone again: the next owner of the path finds one
 * reference and takes the bit back.
 *
 * Locks: the address space's mutex keeps its own tree stable; the page-table lock is held while a path
 * is owned or given up, because shared tables belong to several trees. Nothing here sleeps.
 */
#ifndef MM_PAGETABLE_H
#define MM_PAGETABLE_H

#include "arch/x86_64/mmu.h"
#include "mm/frame.h"

struct pagetable {
    struct frame *root;
};

/* An empty tree with the kernel's upper half. 0 or -ENOMEM. */
int pagetable_init(struct pagetable *tree) __must_check;

/* Give up the whole user half and the root. No CPU runs on it, so nothing is flushed. */
void pagetable_destroy(struct pagetable *tree);

/*
 * fork: `child` (fresh) sees all that `parent` sees, by one reference a root entry; both lose their write
 * bits there. The caller flushes the parent's translations. Cannot fail.
 */
void pagetable_share(struct pagetable *child, struct pagetable *parent);

/* The leaf entry of `addr` for reading, or NULL where a table on the way is absent. Not to be changed. */
const pte_t *pagetable_find(const struct pagetable *tree, vaddr_t addr);

/* Is a table on the way to `addr` part of another tree as well? */
bool pagetable_path_is_shared(const struct pagetable *tree, vaddr_t addr);

/*
 * The leaf entry of `addr` for changing: every table on the path exists and is this tree's alone afterwards.
 * NULL: out of memory; what was owned so far stays owned, which changes nothing that anyone can see. Upper entries
 * that change are flushed here; a change of the leaf entry is the caller's to flush. `*regained` (may be
 * NULL) tells whether the path was shared or read-only before: the entry then allowed less than it says.
 */
pte_t *pagetable_own(struct pagetable *tree, vaddr_t addr, bool *regained) __must_check;

/* lab walk: begin */
/* The same for a path that is ours already, else NULL: what nearly every fault needs, and no record is looked at. */
static inline pte_t *pagetable_owned(const struct pagetable *tree, vaddr_t addr)
{
    pte_t *entries = frame_address(tree->root);

#pragma GCC unroll 3 /* shifts by constants: two thirds of the instructions */
    for (unsigned level = PTE_ROOT_LEVEL; level > PTE_LEAF_LEVEL; level--) {
        pte_t entry = pte_load(&entries[pte_index(addr, level)]);
        if (unlikely(!pte_is_writable(entry)))
            return NULL;
        entries = direct_address(pte_pfn(entry) << PAGE_SHIFT);
    }
    return &entries[pte_index(addr, PTE_LEAF_LEVEL)];
}
/* lab walk: instead
 * // The same for a path that is ours already, else NULL: a shortcut, which nobody has taken yet.
 * static inline pte_t *pagetable_owned(const struct pagetable *tree, vaddr_t addr)
 * {
 *     (void)tree, (void)addr;
 *     return NULL;
 * }
 */

/* After pagetable_own() and no entry set after all: drop tables on the path that are empty. */
void pagetable_trim(struct pagetable *tree, vaddr_t addr);

/*
 * Hand the leaf entries in [start, end) to update() for changing, in order, table by table: those from `slot` to `stop`, the first
 * of which is for `addr` and not none; others may be. The range is owned (pagetable_own_range).
 */
void pagetable_update(struct pagetable *tree, vaddr_t start, vaddr_t end,
                      void (*update)(vaddr_t addr, pte_t *slot, pte_t *stop, void *arg), void *arg);

/* Move the entries of [from, from + length) to `to`, where there are none. 0, or -ENOMEM with nothing moved. Flushes. */
int pagetable_move(struct pagetable *tree, vaddr_t from, vaddr_t to, uint64_t length) __must_check;

/*
 * Set a leaf entry in an owned table, keeping the table's counts. The reference that the new entry stands
 * for is the caller's to give; the one that the old entry held is the caller's to put after its flush.
 */
void pagetable_set(pte_t *slot, pte_t entry);

/* Which entry of its table it is. */
static inline unsigned entry_index(const pte_t *slot) { return (unsigned)((vaddr_t)slot % PAGE_SIZE / sizeof(*slot)); }

/* Tell walks that there may be an entry here, in a leaf table. */
static inline void leaf_note(struct frame *table, const pte_t *slot)
{
    table->table.leaf.groups |= 1u << (entry_index(slot) >> LEAF_GROUP_SHIFT);
}

/* Resident memory of one kind more, or less (`by` 1, -1), in a leaf table. */
static inline void table_count_resident(struct frame *table, enum frame_kind kind, int by)
{
    if (kind >= FRAME_ANON)
        table->table.leaf.resident[(size_t)kind - FRAME_ANON] += by;
}

/* The same where there was none, for the entry of a frame of this kind; and where that of an `old` one was. */
static inline void pagetable_fill(pte_t *slot, pte_t entry, enum frame_kind kind)
{
    struct frame *table = frame_of(slot);

    ASSERT(pte_is_none(pte_load(slot)));
    table->used++;
    leaf_note(table, slot);
    table_count_resident(table, kind, 1);
    pte_store(slot, entry);
}

static inline void pagetable_replace(pte_t *slot, pte_t entry, enum frame_kind kind, enum frame_kind old)
{
    struct frame *table = frame_of(slot);

    table_count_resident(table, old, -1);
    table_count_resident(table, kind, 1);
    pte_store(slot, entry);
}

/*
 * Frames and subtrees that have left a tree and wait for the flush before their references are given back.
 * A batch is flushed when full and at gather_finish(). It starts as { 0 }.
 */
#define GATHER_MAX 64
struct gather {
    unsigned count;
    struct {
        struct frame *frame;
        vaddr_t addr;
    } item[GATHER_MAX];
};
void gather_add(struct gather *gather, struct frame *frame, vaddr_t addr);
void gather_finish(struct gather *gather);

/* Is there anything in [start, end) that pagetable_release() would take out: pages, or tables that are empty? */
bool pagetable_holds(const struct pagetable *tree, vaddr_t start, vaddr_t end);

/*
 * Make sure that pagetable_release(start, end) will not need memory: own the tables that lie half inside. 0, or
 * -ENOMEM with nothing changed that anyone can see.
 */
int pagetable_prepare_release(struct pagetable *tree, vaddr_t start, vaddr_t end) __must_check;

/*
 * Clear all entries in [start, end), page aligned and prepared as above. Subtrees that lie inside whole go by one
 * decrement, and are not copied first however much they are shared. Tables left empty go as well.
 */
void pagetable_release(struct pagetable *tree, vaddr_t start, vaddr_t end, struct gather *gather);

/*
 * Visit every leaf entry that is not none in [start, end), ascending. visit() may change leaf entries, but removes no
 * table; it returns 0 to go on, anything else ends the walk and is returned.
 */
int pagetable_visit(const struct pagetable *tree, vaddr_t start, vaddr_t end,
                    int (*visit)(vaddr_t addr, pte_t entry, void *arg), void *arg);

/* Make every table that exists in [start, end) this tree's own. 0 or -ENOMEM, as pagetable_own(). */
int pagetable_own_range(struct pagetable *tree, vaddr_t start, vaddr_t end) __must_check;

struct pagetable_figures {
    uint64_t resident[RESIDENT_KINDS]; /* pages */
    uint64_t tables;                   /* tables of all levels, shared ones in full, the root included */
    uint64_t leaf_tables;
    uint64_t shared_tables; /* of `tables`: those with more than one reference of their own */
};
/* Add up the records of all tables: one look per 2 MiB in use. */
void pagetable_figures(const struct pagetable *tree, struct pagetable_figures *figures);

/* The sum of `resident` alone, for less. */
uint64_t pagetable_resident(const struct pagetable *tree);

/* Copies of shared tables made since boot. */
extern uint64_t pagetable_copies;

#endif
