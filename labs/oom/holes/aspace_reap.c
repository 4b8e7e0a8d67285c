/*
 * Take the victim's pages, now: it may be asleep, or wait for what the killer holds, and there is no memory
 * until it gives some back.
 *
 * Contract: every private VMA loses its pages, and they cannot come again: its `ops` become &reaped_ops, so
 * that who still touches them finds none instead of zeroes. What is shared stays, for others see it too. The
 * promises stay until the victim ends; nothing is refunded here. The aspace's mutex is held while the VMAs
 * (aspace->vmas.list, linked by `link`) and the tables are changed: the victim may be at work on them at this
 * moment. Its tables may be shared with a relative since fork: pagetable_prepare_release() makes those at the
 * edges its own, and can fail (then its pages stay); range_release_pages() takes the pages out.
 *
 * What stands here takes nothing: the memory comes back when the victim ends.
 */
static void aspace_reap(struct aspace *aspace)
{
    (void)aspace;
    lab_missing("oom", "aspace_reap");
}
