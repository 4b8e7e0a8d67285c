/*
 * fork doubles promises: what is charged to the parent (VMA_ACCOUNTED) is charged once more, for the child.
 * The child gets no copy of a VMA with VMA_DONTFORK, so nothing is charged for that one.
 *
 * vmas_charge(): each VMA is a request of its own. 0, or -ENOMEM with nothing charged: one was refused, or it
 * is a VMA whose pages the OOM reaper has taken (vma->ops == &reaped_ops: nobody may inherit that).
 * vmas_refund(): give back what has been charged for the VMAs before `end` (NULL: for all of them).
 * TAILQ_FOREACH(vma, &parent->vmas.list, link) visits the VMAs in order; vma_pages() tells a VMA's size. The
 * parent's mutex is held.
 *
 * The child's end gives back what is charged to it: what stands here does not charge, and as soon as the
 * ledger is kept, that is a bug which commit_refund() finds.
 */
static void vmas_refund(struct aspace *parent, const struct vma *end) { (void)parent, (void)end; }

static int vmas_charge(struct aspace *parent)
{
    struct vma *vma;

    lab_missing("commit", "vmas_charge");
    TAILQ_FOREACH(vma, &parent->vmas.list, link)
        if (vma->ops == &reaped_ops)
            return -ENOMEM;
    return 0;
}
