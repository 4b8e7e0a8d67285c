/*
 * One reference less; the last one frees the frame, or the block that begins with it: frame_free(), above. A page table has
 * children to give up first, so it never comes here while it has entries (ASSERT()).
 */
void frame_put(struct frame *frame)
{
    (void)frame;
    lab_missing_panic("frames", "frame_put");
}
