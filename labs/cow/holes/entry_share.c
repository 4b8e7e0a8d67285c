/*
 * Let `entry`, which has been read at `from` and points at `child`, stand at `to` as well: fork has a second table for the same
 * memory.
 *
 * Contract: afterwards each page that is mapped in one of the two tables is mapped in both.
 *   - What the entries point at has as many references as there are entries that point at it (mm/frame.h).
 *   - A write to private memory (FRAME_ANON), by either side, faults. So `mm/fault.c` hears of the first.
 *   - Pages of shared objects (FRAME_SHM, FRAME_FILE) may be written by both sides without a fault, if they could before.
 *     `may_keep` says that there may be such pages in this table; false: there are none, all entries are alike.
 *   - Nothing is allocated, nothing copied: what this costs does not depend on what is in the page.
 *   - Entries are written whole, with pte_store(): the MMU may be looking.
 * No errors. The page-table lock is held. Does not sleep.
 *
 * What stands here copies each page at once: right, but as if there were no copy-on-write. The tables above, which fork
 * shares in the same way, show one half of the answer.
 */
static inline void entry_share(pte_t *from, pte_t *to, pte_t entry, struct frame *child, bool may_keep)
{
    struct frame *copy;

    if (child->kind == FRAME_ANON) {
        lab_missing("cow", "entry_share");
        copy = frame_alloc(FRAME_ANON);
        if (!copy)
            panic("lab cow: no memory to copy a page at fork: entry_share() is missing");
        page_copy(frame_address(copy), frame_address(child));
        pte_store(to, (pte_t){ entry.bits + (frame_pfn(copy) << PAGE_SHIFT) - (frame_pfn(child) << PAGE_SHIFT) });
        return;
    }
    frame_get(child);
    if (child->kind == FRAME_TABLE) { // a table: a write bit there is asked for on the way to every page below
        entry = pte_read_only(entry);
        pte_store(from, entry);
    }
    (void)may_keep;
    pte_store(to, entry);
}
