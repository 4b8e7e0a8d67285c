/*
 * A program that maps without MAP_FIXED may say where it would like it (mmap(2), `addr`). Is [addr, addr + length) free?
 *
 * Contract: true if it lies in user space (below USER_END; beware of sums that wrap), touches no VMA, and stays out of the
 * guard that a VMA above keeps free below itself if it grows down (vma_guard_start()). `length` is at most USER_END.
 *
 * What stands here grants no such wish: the kernel chooses.
 */
static bool hint_fits(struct aspace *aspace, vaddr_t addr, uint64_t length)
{
    (void)aspace, (void)addr, (void)length;
    lab_missing("vma", "hint_fits");
    return false;
}
