/*
 * Must pages of this VMA be charged when they get the rights `prot`? Only what was no promise before and
 * becomes one. What has been charged stays so, whatever its rights are later, until it is unmapped: mprotect
 * never gives back.
 */
static bool protect_must_charge(const struct vma *vma, unsigned prot)
{
    if (prot & PROT_WRITE && !(vma->prot & PROT_WRITE))
        lab_missing("commit", "protect_must_charge");
    return false;
}
