/*
 * At fork: `child`, which is empty, comes to see all that `parent` sees.
 *
 * Contract (mm/pagetable.h): one reference for each entry of the parent's root, and nothing below is looked at, so that it costs
 * the same for 1 MiB and for 1 TiB. Neither side can write through its root any more. The caller flushes the TLB. Cannot
 * fail: nothing is allocated. Under table_share_lock; does not sleep.
 *
 * What stands here is fork the classical way: the child gets tables of its own at once, a copy of each table there is, and
 * only the pages at the very bottom are shared.
 */
static void table_copy_below(const struct frame *table, struct frame *with)
{
    const pte_t *from = table_entries(table);
    pte_t *to = table_entries(with);

    for (unsigned i = 0; i < table_size(table); i++) {
        pte_t entry = pte_load(&from[i]);
        if (pte_is_none(entry))
            continue;
        struct frame *below = entry_frame(entry), *copy = frame_alloc_blank(FRAME_TABLE);
        if (!copy)
            panic("lab tables: no memory to copy a table at fork: pagetable_share() is missing");
        copy->level = below->level;
        if (table_is_leaf(below))
            table_share(below, copy);
        else
            table_copy_below(below, copy);
        table_set(with, &to[i], pte_make_table(frame_pfn(copy)));
    }
}

void pagetable_share(struct pagetable *child, struct pagetable *parent)
{
    lab_missing("tables", "pagetable_share");
    table_copy_below(parent->root, child->root);
}
