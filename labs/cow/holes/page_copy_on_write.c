/*
 * A write to a private page that is not ours alone: the zero page, a file's, or one shared since fork. page->slot is its
 * entry, which maps `shared` read-only; the path to it is ours alone.
 *
 * Contract: the entry maps a new frame with the contents of `shared`, writable and dirty (entry_make() knows what a new
 * entry looks like). `shared` has lost the one reference that the entry stood for, and not before this CPU has forgotten
 * the old entry. The counts of the table stay right (pagetable_replace()).
 * Returns FAULT_COW_COPY; FAULT_ZERO_UPGRADE for the zero page (FRAME_ZERO), whose contents need not be read; FAULT_OOM
 * with nothing changed. The address space's mutex is held. Does not sleep.
 *
 * What stands here serves pages that are not anonymous by taking the entry out and asking the mapping for its page once
 * more, and gives up on others: the program gets SIGBUS.
 */
static __noinline enum fault_kind page_copy_on_write(struct fault_page *page, struct frame *shared)
{
    bool is_zero = shared->kind == FRAME_ZERO;

    if (shared->kind == FRAME_ANON) {
        lab_missing("cow", "page_copy_on_write");
        return FAULT_BUS;
    }
    pagetable_set(page->slot, pte_none());
    tlb_flush_page(page->addr);
    frame_put(shared);
    enum fault_kind kind = page->vma->ops->fault(page);
    return is_zero && kind == FAULT_ZERO_FILL ? FAULT_ZERO_UPGRADE : kind;
}
