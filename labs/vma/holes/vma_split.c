/*
 * Contract: afterwards `vma` is [its start, addr) and `upper` is [addr, its old end), in the set. Both show what the one
 * showed: mind `index`, which is the page of the file at `start` (vma_index_of()). The sum of pages in the set stays.
 * `upper` comes from vma_clone(), so its rights, flags, operations and its reference on the cache are right already.
 * vma_insert() puts a VMA into list and tree, and adds its pages. Cannot fail.
 */
void vma_split(struct vma_set *set, struct vma *vma, vaddr_t addr, struct vma *upper)
{
    (void)set, (void)vma, (void)addr, (void)upper;
    lab_missing_panic("vma", "vma_split"); /* cut_within() would have to call it */
}
