/*
 * Contract: mm/vma.h; and as many steps as the tree is deep, but for a few. Each node knows the free bytes in front of it
 * (`gap`: from the end of the VMA below, or 0, to its own guard, vma_guard_start()) and the largest such gap in the subtree
 * of which it is the root (`max_gap`: no gap there is larger, though all may be smaller by now). Above the last VMA there is
 * no node: room there is looked at first.
 *
 * What stands here looks at one gap after the other.
 */
vaddr_t vma_find_gap(struct vma_set *set, uint64_t length, vaddr_t low, vaddr_t high)
{
    struct vma *vma;

    ASSERT(low > 0);
    lab_missing("vma", "vma_find_gap");
    TAILQ_FOREACH_REVERSE(vma, &set->list, vma_list, link) {
        vaddr_t start = MAX(vma->end, low);
        if (start < high && high - start >= length)
            return high - length;
        high = MIN(high, vma_guard_start(vma));
    }
    return low < high && high - low >= length ? high - length : 0;
}
