/* (One reference more. The frame has one already: who has none may not give himself one. Atomic: __atomic_add_fetch().) */
static inline void frame_get(struct frame *frame)
{
    (void)frame;
    lab_missing_panic("frames", "frame_get");
}
