// SPDX-License-Identifier: MIT
/*
 * mappers.c: one visit of all tables, from the roots down.
 *
 * A root has one path to it. A table has as many as all the entries that point at it bring along, and a page
 * has those of the tables in which it stands:
 *
 *      root A (1)   root B (1)      a leaf table with 2 references: it waits until both entries have been
 *           \         /             followed, then goes on with 2 paths. Its pages have one entry each,
 *            leaf (2)    leaf (1)   and 2 mappings. The page at the bottom has two entries and 3 mappings.
 *              |    \   /
 *            page    page
 *
 * Only what has more than one reference needs a number of its own: for the rest the way down is the only way.
 * The numbers lie in leaves of one frame for each 512 frames of the machine, made when first needed.
 *
 * Locks: the page-table lock while counting, so that no shared table is copied meanwhile. A table that is
 * leaving its tree has a reference without an entry; it is not gone into, for it maps nothing any more.
 */
#include "mm/mappers.h"

#include "kernel/lib/errno.h"
#include "mm/aspace_list.h"
#include "mm/slab.h"
#include "mm/table.h"

#define LEAF_RECORDS (PAGE_SIZE / sizeof(struct record))

/* Of a shared frame: its paths so far, and (tables) how many entries they came by. */
struct record {
    uint32_t paths, entries;
};

struct mappers {
    uint64_t leaves;
    struct record *leaf[];
};

/* The record of a frame, made if need be; NULL: out of memory. */
static struct record *record_make(struct mappers *mappers, const struct frame *frame)
{
    pfn_t pfn = frame_pfn(frame);
    struct record **leaf = &mappers->leaf[pfn / LEAF_RECORDS];

    if (!*leaf) {
        struct frame *memory = frame_alloc_zeroed(FRAME_KERNEL);
        if (!memory)
            return NULL;
        *leaf = frame_address(memory);
    }
    return &(*leaf)[pfn % LEAF_RECORDS];
}

static uint32_t record_paths(const struct mappers *mappers, const struct frame *frame)
{
    pfn_t pfn = frame_pfn(frame);
    const struct record *leaf = mappers->leaf[pfn / LEAF_RECORDS];
    return leaf ? leaf[pfn % LEAF_RECORDS].paths : 0;
}

/* May more than one entry point at this page? The page cache's reference is no entry. */
static bool page_has_entries(const struct frame *page)
{
    return page->refs > (page->kind == FRAME_ANON ? 1 : 2);
}

static int table_count(struct mappers *mappers, const struct frame *table, uint32_t paths);

/* `paths` more lead to what this entry points at. 0 or -ENOMEM. */
static int entry_count(struct mappers *mappers, const struct frame *below, bool is_page, uint32_t paths)
{
    bool shared = is_page ? page_has_entries(below) : below->refs > 1;

    if (!shared)
        return is_page ? 0 : table_count(mappers, below, paths);
    struct record *record = record_make(mappers, below);
    if (!record)
        return -ENOMEM;
    record->paths += paths;
    record->entries++;
    if (is_page || record->entries < below->refs)
        return 0;
    return table_count(mappers, below, record->paths);
}

/* Go down from a table to which `paths` paths lead in all. */
static int table_count(struct mappers *mappers, const struct frame *table, uint32_t paths)
{
    const pte_t *entries = table_entries(table);
    bool is_leaf = table_is_leaf(table);

    for (unsigned i = 0, left = table->used; left; i++, left--) {
        i = table_next(table, i);
        const struct frame *below = entry_frame(pte_load(&entries[i]));
        if (is_leaf && frame_resident_kind(below) == RESIDENT_NONE)
            continue;
        int error = entry_count(mappers, below, is_leaf, paths);
        if (error)
            return error;
    }
    return 0;
}

struct mappers *mappers_count(void)
{
    uint64_t leaves = (frame_count + LEAF_RECORDS - 1) / LEAF_RECORDS;
    struct mappers *mappers = kmalloc(sizeof(*mappers) + leaves * sizeof(mappers->leaf[0]));
    struct aspace *aspace;
    int error = 0;

    if (!mappers)
        return NULL;
    mappers->leaves = leaves;
    spin_lock(&aspace_list_lock);
    spin_lock(&table_share_lock);
    LIST_FOREACH(aspace, &aspace_list, all) {
        error = table_count(mappers, aspace->tree.root, 1);
        if (error)
            break;
    }
    spin_unlock(&table_share_lock);
    spin_unlock(&aspace_list_lock);
    if (!error)
        return mappers;
    mappers_free(mappers);
    return NULL;
}

void mappers_free(struct mappers *mappers)
{
    for (uint64_t i = 0; i < mappers->leaves; i++)
        if (mappers->leaf[i])
            frame_put(frame_of(mappers->leaf[i]));
    kfree(mappers);
}

uint32_t mappers_of(const struct mappers *mappers, const struct pagetable *tree, vaddr_t addr,
                    const struct frame *frame)
{
    const struct frame *table = tree->root;
    uint32_t paths = 1;

    if (page_has_entries(frame))
        return MAX(record_paths(mappers, frame), 1u);
    while (!table_is_leaf(table)) {
        pte_t entry = pte_load(&table_entries(table)[pte_index(addr, table->level)]);
        table = entry_frame(entry);
        if (table->refs > 1)
            paths = MAX(record_paths(mappers, table), 1u);
    }
    return paths;
}
