// SPDX-License-Identifier: MIT
/*
 * pagetable.c: the tree of page tables: make, share, own.
 *
 *      fork:               parent root        child root
 *                               \ -w          / -w          one more reference, no write bit: nothing below
 *                                  PDPT (2)                 is writable any more, whatever its entries say
 *                                    | w
 *      a write in the child        PD (1)                   pagetable_own() walks down: PDPT has 2 references,
 *      makes its path its own:       | w                    so it is copied; by that PD gets 2 references and
 *                                  leaf (1)                 loses its write bits, so it is copied; and so on.
 *                                    | w                    The last step of the same kind, the page itself, is
 *                                  page (1)                 the fault handler's (mm/fault.c).
 *
 * One step down is entry_own() (mm/table.c).
 */
#include "mm/pagetable.h"

#include "kernel/lib/errno.h"
#include "mm/table.h"
#include "mm/trace.h"

int pagetable_init(struct pagetable *tree)
{
    tree->root = frame_alloc_blank(FRAME_TABLE);
    if (!tree->root)
        return -ENOMEM;
    tree->root->level = PTE_ROOT_LEVEL;
    mmu_init_root(frame_address(tree->root));
    return 0;
}

void pagetable_destroy(struct pagetable *tree)
{
    mmu_clear_root(frame_address(tree->root));
    table_put(tree->root);
    tree->root = NULL;
}

/* lab tables: begin */
void pagetable_share(struct pagetable *child, struct pagetable *parent)
{
    ASSERT(child->root->used == 0);
    spin_lock(&table_share_lock);
    table_share(parent->root, child->root);
    spin_unlock(&table_share_lock);
}
/* lab tables: instead pagetable_share.c */

/* lab walk: begin */
const pte_t *pagetable_find(const struct pagetable *tree, vaddr_t addr)
{
    const struct frame *table = tree->root;

    for (unsigned level = PTE_ROOT_LEVEL; level > PTE_LEAF_LEVEL; level--) {
        pte_t entry = pte_load(&table_entries(table)[pte_index(addr, level)]);
        if (pte_is_none(entry))
            return NULL;
        table = entry_frame(entry);
    }
    return &table_entries(table)[pte_index(addr, PTE_LEAF_LEVEL)];
}
/* lab walk: instead pagetable_find.c */

bool pagetable_path_is_shared(const struct pagetable *tree, vaddr_t addr)
{
    const struct frame *table = tree->root;

    while (!table_is_leaf(table)) {
        pte_t entry = pte_load(&table_entries(table)[pte_index(addr, table->level)]);
        if (pte_is_none(entry))
            return false;
        table = entry_frame(entry);
        if (table->refs > 1)
            return true;
    }
    return false;
}

/* lab walk: begin */
pte_t *pagetable_own(struct pagetable *tree, vaddr_t addr, bool *regained)
{
    pte_t *entries = table_entries(tree->root);
    bool changed = false;

    ASSERT(addr < USER_END);
    for (unsigned level = PTE_ROOT_LEVEL; level > PTE_LEAF_LEVEL; level--) {
        pte_t entry = pte_load(&entries[pte_index(addr, level)]);
        if (likely(pte_is_writable(entry))) { /* ours already: no record need be looked at */
            entries = entry_table(entry);
            continue;
        }
        changed |= !pte_is_none(entry);
        struct frame *below = entry_own(frame_of(entries), addr);
        if (!below) {
            pagetable_trim(tree, addr);
            return NULL;
        }
        entries = table_entries(below);
    }
    if (regained)
        *regained = changed;
    return &entries[pte_index(addr, PTE_LEAF_LEVEL)];
}
/* lab walk: instead pagetable_own.c */

/* lab walk: begin */
/* Take an empty table, alone and ours, out of the table above. */
static void table_remove_empty(struct frame *table, pte_t *slot, vaddr_t addr)
{
    pte_t entry = pte_load(slot);
    struct frame *below = entry_frame(entry);

    table_set(table, slot, pte_none());
    tlb_flush_page(addr);
    trace_entry(TRACE_TABLE, slot, entry, pte_none(), NULL);
    table_put(below);
}

static void table_trim(struct frame *table, vaddr_t addr)
{
    pte_t *slot = &table_entries(table)[pte_index(addr, table->level)];

    if (table_is_leaf(table) || !pte_is_writable(pte_load(slot)))
        return;
    struct frame *below = entry_frame(pte_load(slot));
    table_trim(below, addr);
    if (below->used == 0)
        table_remove_empty(table, slot, addr);
}

void pagetable_trim(struct pagetable *tree, vaddr_t addr) { table_trim(tree->root, addr); }
/* lab walk: instead pagetable_trim.c */

void pagetable_set(pte_t *slot, pte_t entry) { table_set(frame_of(slot), slot, entry); }
