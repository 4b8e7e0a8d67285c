/*
 * A write where only the zero page (`zero`) has been read. page->slot is its entry, on a path that is ours alone.
 *
 * Contract: the entry maps a new frame full of zeroes, writable; page_exchange() puts it there. There is nothing to copy.
 * The zero page itself is never written, whoever else has it.
 * Returns FAULT_ZERO_UPGRADE, or FAULT_OOM with nothing changed. The address space's mutex is held. Does not sleep.
 *
 * What stands here gives up: the program gets SIGBUS.
 */
static __noinline enum fault_kind page_upgrade(struct fault_page *page, struct frame *zero)
{
    (void)page, (void)zero;
    lab_missing("zero", "page_upgrade");
    return FAULT_BUS;
}
