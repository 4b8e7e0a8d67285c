/*
 * Contract: mm/range.h. In a range that is free there is nothing to do. Else, in this order:
 *   - what can fail: pagetable_prepare_release(), and the cuts at both ends. Here cut_within() needs no limit
 *     (UINT64_MAX), but where a hole within one VMA would make more VMAs than vm_max_map_count;
 *   - the pages: range_release_pages(), which flushes, too;
 *   - the VMAs: out of the set, their charge given back (commit_refund(), if they are VMA_ACCOUNTED), destroyed;
 *   - trace_range(TRACE_UNMAP, &aspace->tree, start, end, 0), so that the trace knows.
 * Afterwards no VMA and no page is left in [start, end), and nothing outside has changed.
 */
int range_unmap(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    if (range_is_free(aspace, start, end))
        return 0;
    return lab_missing("vma", "range_unmap");
}
