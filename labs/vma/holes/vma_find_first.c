/*
 * The first VMA that ends above `addr`: it contains the address, or is the next one above it. NULL: there is none.
 *
 * Contract: as many steps as the tree is deep. Left of a node are VMAs of lower addresses, right of it of higher ones
 * (node->left, node->right; the root is set->root). Where a VMA is found that contains `addr`, set->last becomes it:
 * vma_find_again() looks there first.
 *
 * What stands here looks at one VMA after the other.
 */
struct vma *vma_find_first(struct vma_set *set, vaddr_t addr)
{
    struct vma *vma;

    lab_missing("vma", "vma_find_first");
    TAILQ_FOREACH(vma, &set->list, link)
        if (vma->end > addr)
            return vma;
    return NULL;
}
