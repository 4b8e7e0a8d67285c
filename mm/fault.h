// SPDX-License-Identifier: MIT
/*
 * fault.h: where promises are kept: the kinds of fault, and the door by which traps come in.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "arch/x86_64/page.h"
#include "arch/x86_64/pte.h"
#include "kernel/lib/types.h"

struct aspace;
struct frame;
struct vma;

enum fault_access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

/* What the CPU reported (SDM 3, 4.7). */
struct fault_cause {
    uint8_t access; /* enum fault_access */
    bool user;      /* from user mode; else a user copy of the kernel's */
    bool present;   /* the entry was present: a matter of rights */
} __attribute__((aligned(4))); /* copied as one word */

struct fault {
    vaddr_t addr, ip;
    struct fault_cause cause;
};

/* How a fault ended. The case table is at the head of fault.c. */
enum fault_kind {
    FAULT_ZERO_READ,
    FAULT_ZERO_FILL,
    FAULT_ZERO_UPGRADE,
    FAULT_COW_COPY,
    FAULT_COW_REUSE,
    FAULT_FILE_MAP,
    FAULT_FILE_READ,
    FAULT_STACK_GROW,
    FAULT_SPURIOUS,
    FAULT_RESOLVED_KINDS, /* the kinds below did not end well */
    FAULT_SEGV_MAPERR = FAULT_RESOLVED_KINDS,
    FAULT_SEGV_ACCERR,
    FAULT_BUS,
    FAULT_OOM,
    FAULT_KINDS
};

static inline bool fault_resolved(enum fault_kind kind) { return kind < FAULT_RESOLVED_KINDS; }

/* "ZERO_READ" and so on: the vocabulary of counters, reports and tests. */
const char *fault_kind_name(enum fault_kind kind);

struct fault_counts {
    uint64_t by_kind[FAULT_KINDS];
};
/* As getrusage(2) counts: major faults read a file, minor ones are all others that were served. */
uint64_t fault_minor(const struct fault_counts *counts);
uint64_t fault_major(const struct fault_counts *counts);

/* All faults since boot. Each is also counted in this_cpu()->fault_counts. */
extern struct fault_counts fault_totals;

/*
 * Serve a fault at any address in the address space that this CPU runs on (it runs on one). Takes its mutex and may
 * sleep; called with interrupts enabled. Anything but a resolved kind leaves the address space as it was.
 */
enum fault_kind mm_fault(const struct fault *fault);

/*
 * Do to a page what a fault would, for an address space that need not be the current one and whose mutex the caller
 * holds. FAULT_SPURIOUS: nothing had to be done. `*frame` (may be NULL) is the frame that is then mapped, without a
 * reference. Counted as a fault unless spurious.
 */
enum fault_kind fault_touch_locked(struct aspace *aspace, vaddr_t addr, enum fault_access access, struct frame **frame);

/*
 * The rights of an entry in this VMA, on a path that is its tree's alone: the one place that decides them. It may be
 * written if the VMA says so and the frame is ours `alone` (frame_is_alone), or shared on purpose.
 */
unsigned fault_rights(const struct vma *vma, bool alone);

/* What a backing gets to do its part: the VMA allows the access, and the page has no entry. */
struct fault_page {
    struct aspace *aspace;
    struct vma *vma;
    vaddr_t addr; /* of the page */
    enum fault_access access;
    pte_t *slot;         /* out: its leaf entry, on a path that is ours */
    pte_t before;        /* out: what was there */
};

/*
 * One kind of memory. Ends by fault_map(), or returns FAULT_BUS or FAULT_OOM with nothing taken. What anonymous memory does
 * is chosen at boot (mm/anon.h).
 */
struct vma_ops {
    const char *name;
    enum fault_kind (*fault)(struct fault_page *page);
};
extern struct vma_ops anon_ops;
extern const struct vma_ops shm_ops, filemap_ops, reaped_ops;

/*
 * Map `frame`, whose reference becomes the entry's, where there was no entry. Returns `kind`. The other is for a page that
 * was in memory (FAULT_FILE_MAP): on a read, those around it that are there are mapped as well.
 */
enum fault_kind fault_map(struct fault_page *page, struct frame *frame, enum fault_kind kind);
enum fault_kind fault_map_cached(struct fault_page *page, struct frame *frame);

#endif
