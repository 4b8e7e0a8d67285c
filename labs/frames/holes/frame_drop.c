/*
 * One reference less, atomically (__atomic_sub_fetch()). Was it the last? Who drops one that nobody has corrupts memory that
 * is somebody else's by now: BUG_ON() stops the machine, in every build, and says which frame it was.
 */
static inline bool frame_drop(struct frame *frame)
{
    (void)frame;
    lab_missing_panic("frames", "frame_drop");
}
