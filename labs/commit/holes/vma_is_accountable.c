/*
 * Are the pages of a mapping with these rights (PROT_…) and flags (VMA_…) to be charged to it? vma.h says
 * which are. What stands here charges nobody.
 */
bool vma_is_accountable(unsigned prot, unsigned flags)
{
    (void)prot, (void)flags;
    lab_missing("commit", "vma_is_accountable");
    return false;
}
