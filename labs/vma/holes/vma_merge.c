/*
 * May these two be one? (Static, and asked by the checker as well.)
 *
 * Contract: yes, if they touch and one struct vma could say all that the two say: rights, flags, operations, cache, and for
 * pages of a cache, that the one goes on where the other ends. Never, if the cache counts its mappings (pagecache_is_counted()).
 */
static inline bool vma_is_alike(const struct vma *lower, const struct vma *upper)
{
    (void)lower, (void)upper;
    return false;
}

/*
 * Contract: mm/vma.h. `vma` is in the set; it may vanish, and so may its neighbours, on both sides: what vanishes is taken
 * out (vma_remove()) and destroyed. The sum of pages in the set stays. Returns the VMA that covers what `vma` covered.
 *
 * What stands here leaves each by itself.
 */
struct vma *vma_merge(struct vma_set *set, struct vma *vma)
{
    (void)set;
    lab_missing("vma", "vma_merge");
    return vma;
}
