/*
 * The first touch of a private anonymous page: it has no entry. page->access says how it is touched.
 *
 * Contract: after a write the entry maps a new frame full of zeroes, which takes no copy and no second fault. After a read
 * (or an attempt to execute) it maps the zero page, which everybody has: no frame is taken. An entry holds a reference to
 * what it maps, also to the zero page (mm/zero.h, mm/frame.h). fault_map() makes the entry, and knows who may write.
 * With the boot switch zeropage=off (!lazy.zeropage) a read takes a frame of its own, as a write does.
 * Returns FAULT_ZERO_FILL, FAULT_ZERO_READ, or FAULT_OOM with nothing taken. The address space's mutex is held. Does not
 * sleep.
 *
 * What stands here takes a frame for every page, also for one that is only read.
 */
static enum fault_kind anon_fault(struct fault_page *page)
{
    if (page->access != ACCESS_WRITE && lazy.zeropage)
        lab_missing("zero", "anon_fault");
    return anon_fill(page);
}
