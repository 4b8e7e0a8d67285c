// SPDX-License-Identifier: MIT
/*
 * frame.h: page frames: one 16-byte record each, reference counts, and the buddy allocator.
 *
 * The one rule: refs = page-table entries that point at the frame + explicit pins (the page cache, a kernel
 * user, the caller that has just allocated it). It holds for data pages and for page tables below the root.
 * A frame whose refs are 0 is free.
 *
 * A page table's record also counts the table's entries: `used` in all, and in a leaf table those that
 * make up resident memory, by kind: an address space's RSS is the sum of these counts (DESIGN, idea 4). And it tells
 * walks where entries can be, so that none has to look through an empty table (mm/table.h).
 *
 * refs is changed atomically and cannot overflow: RAM_LIMIT bounds the number of entries in the machine.
 * The free lists have one lock (frame lock: next to last in the order, before the log's).
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "arch/x86_64/directmap.h"
#include "arch/x86_64/pageops.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/types.h"

enum frame_kind {
    FRAME_FREE,     /* in a free block, on the stack of single frames, or kept blank */
    FRAME_RESERVED, /* not the allocator's: firmware, holes, the kernel image, what bootmem_alloc() gave away */
    FRAME_KERNEL,   /* buffers and other kernel memory larger than an object */
    FRAME_STACK,    /* kernel stacks: one process each */
    FRAME_SLAB,     /* small kernel objects */
    FRAME_TABLE,    /* page tables, roots included */
    FRAME_ZERO,     /* the zero page */
    FRAME_ANON,     /* private memory: anonymous pages and private copies of file pages */
    FRAME_SHM,      /* shared anonymous memory */
    FRAME_FILE,     /* page cache of files */
    FRAME_KINDS
};

/* What an entry of a leaf table adds to resident memory. The zero page adds nothing. */
enum resident_kind { RESIDENT_ANON, RESIDENT_SHM, RESIDENT_FILE, RESIDENT_KINDS, RESIDENT_NONE = RESIDENT_KINDS };

struct frame {
    uint32_t refs;
    uint8_t kind;  /* enum frame_kind */
    uint8_t order : 4; /* of the block that starts here; of a longer block only the first record speaks */
    uint8_t level : 4; /* FRAME_TABLE: 1 (leaf) to 4 (root) */
    uint16_t used; /* FRAME_TABLE: entries that are not none */
    union {
        union {
            struct {
                uint16_t resident[RESIDENT_KINDS]; /* entries by kind */
                uint16_t groups;                   /* bit i: there are entries from i << LEAF_GROUP_SHIFT on, or have been */
            } leaf;          /* level 1 */
            uint64_t groups; /* above: bit i: there are entries from i << GROUP_SHIFT on */
        } table; /* FRAME_TABLE */
        union {
            struct {
                uint32_t next, prev; /* neighbours on the free list, as frame numbers */
            };
            struct frame *below; /* kept blank: the next one */
        } free; /* FRAME_FREE, first frame of a block */
    };
};

#define FRAME_SHIFT 4
_Static_assert(sizeof(struct frame) == 1 << FRAME_SHIFT, "16 bytes a frame");

/* Entries of a table share a bit of `groups`: as few as its record has room for. */
#define GROUP_SHIFT 3
#define LEAF_GROUP_SHIFT 5

#define FRAME_ORDERS 11 /* blocks of 1 to 1024 frames: 4 KiB to 4 MiB */

/* Make frames of all memory that bootmem has left. The direct map is in place. Called once. */
void frame_init(void);

/*
 * A new frame with one reference, held by the caller; its contents are undefined (0xa5 in debug builds). NULL:
 * none is left for this kind. Does not sleep.
 *
 * The last frames are kept back (frame_reserve): user memory and new processes leave them all, what the kernel needs
 * besides may take half, and a process that the OOM killer has chosen may take the rest to come to its end.
 */
struct frame *frame_alloc(enum frame_kind kind) __must_check;

/* The same for 2^order contiguous frames, aligned to their size; the reference is the first frame's. */
struct frame *frame_alloc_order(enum frame_kind kind, unsigned order) __must_check;

/*
 * One reference more, or less; the last one frees the frame (the whole block). A page table has children to give
 * up first, so pagetable.c uses the two halves: frame_drop() tells that it was the last, frame_free() ends it.
 */
/* lab frames: begin */
static inline void frame_get(struct frame *frame)
{
    ASSERT(frame->refs > 0);
    __atomic_add_fetch(&frame->refs, 1, __ATOMIC_RELAXED);
}
/* lab frames: instead frame_get.c */
void frame_put(struct frame *frame);
static inline bool frame_drop(struct frame *frame) __must_check;
void frame_free(struct frame *frame);

/*
 * Giving up many single frames one after the other: neighbours of a kind whose last reference goes, upwards or
 * downwards, are freed together: when the next one is none, and at frame_run_finish(). A run starts as { 0 }.
 */
struct frame_run {
    struct frame *first, *end;
};
void frame_run_finish(struct frame_run *run);
void frame_run_turn(struct frame_run *run, struct frame *frame); /* of frame_run_put() alone: not the next one upwards */

#define FRAME_INNER 0xf /* order of a record inside a free block, and of a single free frame that is on no list */

/* How many frames the block has that begins here. */
static inline uint64_t frame_span(const struct frame *frame)
{
    return frame->order == FRAME_INNER ? 1 : 1ul << frame->order;
}

extern struct frame *frame_array;
extern pfn_t frame_count; /* records in frame_array: pfn 0 to frame_count - 1 */

static inline struct frame *frame_at(pfn_t pfn) { return &frame_array[pfn]; }
static inline pfn_t frame_pfn(const struct frame *frame) { return (pfn_t)(frame - frame_array); }

/* The frame's contents in the direct map, and the frame that holds such an address. */
static inline void *frame_address(const struct frame *frame) { return direct_address(frame_pfn(frame) << PAGE_SHIFT); }
static inline struct frame *frame_of(const void *address) { return frame_at(direct_paddr(address) >> PAGE_SHIFT); }

/* Private memory in one place only: the entry that points at it may be written. */
static inline bool frame_is_alone(const struct frame *frame) { return frame->kind == FRAME_ANON && frame->refs == 1; }

/* lab frames: begin */
static inline bool frame_drop(struct frame *frame)
{
    uint32_t left = __atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL);
    BUG_ON(left == UINT32_MAX, "frame 0x%lx (kind %u) dropped once too often", frame_pfn(frame), frame->kind);
    return left == 0;
}
/* lab frames: instead frame_drop.c */

static inline void frame_run_put(struct frame_run *run, struct frame *frame)
{
    if (!frame_drop(frame))
        return;
    if (likely(frame == run->end && frame->kind == run->first->kind))
        run->end++;
    else
        frame_run_turn(run, frame);
}

/* How many free frames are kept blank, full of zeroes (mm/blank.h), and may be; so many of them for page tables. */
extern uint64_t blank_count, blank_limit;
#define BLANK_FOR_TABLES 64

/* A new frame that is cleared now. */
static inline __must_check struct frame *frame_alloc_cleared(enum frame_kind kind)
{
    struct frame *frame = frame_alloc(kind);
    if (likely(frame))
        page_clear(frame_address(frame));
    return frame;
}

/*
 * A single frame that is full of zeroes before and after: frame_alloc_blank() finds it so when one is kept, and clears
 * one otherwise. frame_free_blank() ends a frame that has been cleared again; frame_keeps_blanks() tells whether that is
 * worth anything.
 */
struct frame *frame_alloc_blank(enum frame_kind kind) __must_check;
void frame_free_blank(struct frame *frame);
static inline bool frame_keeps_blanks(void) { return READ_ONCE(blank_count) < blank_limit; }

/* For who has nothing else to do: clear a free frame, and keep it. False: there are as many as prezero= wants, or no more. */
bool frame_make_blank(void);

/* A new frame full of zeroes. */
static inline __must_check struct frame *frame_alloc_zeroed(enum frame_kind kind)
{
    return unlikely(blank_count > BLANK_FOR_TABLES) ? frame_alloc_blank(kind) : frame_alloc_cleared(kind);
}

/*
 * Single frames of this kind that are given up and yet stay where they are, untouched, until the same owner has a use for
 * them. In between they are free in every count, though for nobody else, so there can only be a few of them: less than the
 * reserve. False: the memory is not to be had now, as in frame_alloc().
 */
void frames_park(enum frame_kind kind, uint64_t count);
bool frames_unpark(enum frame_kind kind, uint64_t count) __must_check;

/* Does a leaf entry that points at this frame add to RSS? And as what: the last kinds of frames are these, in order. */
static inline bool frame_is_resident(const struct frame *frame) { return frame->kind >= FRAME_ANON; }
static inline enum resident_kind frame_resident_kind(const struct frame *frame)
{
    return frame_is_resident(frame) ? (enum resident_kind)(frame->kind - FRAME_ANON) : RESIDENT_NONE;
}
_Static_assert(FRAME_SHM - FRAME_ANON == RESIDENT_SHM && FRAME_FILE - FRAME_ANON == RESIDENT_FILE &&
                   FRAME_KINDS - FRAME_ANON == RESIDENT_KINDS, "kinds of frames and of residence");

/* Blank frames since boot: made ahead of need, the ticks of the TSC that this has taken; taken by who wanted zeroes. */
struct blank_figures {
    uint64_t made, ticks, taken;
};

/* Figures, in frames. `total` is what the allocator has been given. */
struct frame_figures {
    uint64_t total, free;
    uint64_t by_kind[FRAME_KINDS];      /* allocated now */
    uint64_t peak_by_kind[FRAME_KINDS]; /* most at one time since boot */
    uint64_t peak;                      /* most allocated at one time, all kinds */
    uint64_t free_blocks[FRAME_ORDERS]; /* by size; the single ones on the stack and those kept blank among them */
    struct blank_figures blank;
};
void frame_figures(struct frame_figures *figures);

/* Have all single frames join their blocks. */
void frame_join(void);
uint64_t frame_free_count(void);
uint64_t frame_total_count(void);
/* Frames that user memory leaves free. Who decides how many is mm/reserve.c. */
uint64_t frame_reserve(void);
void frame_set_reserve(uint64_t frames);

/* Tests: make the n-th allocation from now on (1 = the next) fail, once; 0: never. Slab and tables included. */
void frame_fail_nth(uint64_t n);
/* How many allocations have been made to fail since boot. */
uint64_t frame_failures(void);

#endif
