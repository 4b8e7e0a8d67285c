/*
 * Make `start` and `end` borders of VMAs: what straddles one of them is cut there, in two (vma_split()).
 *
 * Contract: 0, or -ENOMEM with nothing cut: all that can fail (vma_clone(), and the `limit` on how many VMAs there may be
 * afterwards) comes before all that changes. Neither address need lie in a VMA, both may lie in the same one. The page
 * at `end` is not of the range.
 *
 * What stands here cannot cut.
 */
static int cut_within(struct aspace *aspace, vaddr_t start, vaddr_t end, uint64_t limit)
{
    const struct vma *first = vma_find(&aspace->vmas, start), *last = vma_find(&aspace->vmas, end - 1);

    (void)limit;
    if ((first && first->start < start) || (last && last->end > end))
        return lab_missing("vma", "cut_within");
    return 0;
}
