/*
 * The bits of a user's leaf entry that stand for `rights`: RIGHT_READ, RIGHT_WRITE, RIGHT_EXEC, one of them or more
 * (Intel SDM, volume 3, 4.5, "Format of a Page-Table Entry that Maps a 4-KByte Page": which bits say that it is there,
 * that user mode may use it, may write, may fetch instructions?). Whoever may write or execute may read as well: the
 * format has no other way.
 */
static inline uint64_t pte_present_bits(unsigned rights)
{
    (void)rights;
    lab_missing_panic("walk", "pte_present_bits");
}

/*
 * The same for any rights. Without any, the CPU must see an entry that is not present; but the entry still holds its
 * frame, and the kernel must see that (pte_is_none() is false): PTE_HOLDS_FRAME. No execute, so that nothing is
 * forgotten if it becomes present.
 */
static inline uint64_t pte_rights_bits(unsigned rights)
{
    (void)rights;
    lab_missing_panic("walk", "pte_rights_bits");
}
