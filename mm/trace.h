// SPDX-License-Identifier: MIT
/*
 * trace.h: what memory did, one record an event: each fault, each promise made or changed, each table copied.
 *
 * The records are complete: whoever replays them from boot on knows every promise, every table and every entry at each
 * moment (scripts/trace_model.py does). They lie in a ring of fixed size, the newest over the oldest; with `trace=port` each
 * also goes out at the debug port, before it could be overwritten, and none is lost.
 *
 * Off, an event costs the test of trace_is_on. A record is claimed and filled in without sleeping, by the CPU that
 * the event happens on; interrupts make none. So a ring needs no lock, and more CPUs would have one each.
 *
 * Address spaces are named by the frame number of their root table, tables by their own.
 */
#ifndef MM_TRACE_H
#define MM_TRACE_H

#include "mm/fault.h"
#include "mm/pagetable.h"

enum trace_event {
    TRACE_START,   /* the trace is switched on: what the other figures are measured in */
    TRACE_FAULT,   /* a fault, or a touch on somebody's behalf, has ended */
    TRACE_MAP,     /* a promise: [start, end) with prot and flags */
    TRACE_UNMAP,   /* the promises of [start, end) are over */
    TRACE_PROTECT, /* the promises of [start, end) have prot now */
    TRACE_BRK,     /* the break has moved from start to end */
    TRACE_ADVISE,  /* madvise(2) on [start, end) */
    TRACE_MOVE,    /* the pages of [start, end) have moved to `other` */
    TRACE_RELEASE, /* the pages of [start, end) go, and the tables that are empty then */
    TRACE_RECLAIM, /* one page goes out of a table that may be shared: given up by MADV_FREE, or lost to its object */
    TRACE_AROUND,  /* pages of the 16 from `start` on have been mapped with the next fault's: they were in memory, or faultahead= */
    TRACE_TABLE,   /* an entry above the leaves has changed: a table was made, copied, regained or removed */
    TRACE_FORK,    /* `root` has a child in `other`, with all its promises; their tables are shared */
    TRACE_CHILD,   /* process `pid` of that address space: fork(2), vfork(2), clone(2) */
    TRACE_EXEC,    /* the process runs in `root` now, as another program */
    TRACE_EXIT,    /* the process has ended; its address space may live on */
    TRACE_END,     /* the address space is gone */
    TRACE_COMMIT,  /* the ledger: `amount` pages promised or given back, or refused */
    TRACE_OOM,     /* a step of the OOM killer */
    TRACE_MARK,    /* a text that a program has left */
    TRACE_EVENTS
};

enum trace_verdict { TRACE_GRANTED, TRACE_REFUSED };
enum trace_oom { TRACE_OOM_INVOKED, TRACE_OOM_KILL, TRACE_OOM_REAPED };

/* In `access`, besides enum fault_access: what the CPU said about the fault. */
#define TRACE_ACCESS 0x03
#define TRACE_USER 0x04    /* from user mode; else from a user copy of the kernel's, or without a fault (ip 0) */
#define TRACE_PRESENT 0x08 /* the entry was present */

#define TRACE_AROUND_PAGES 16
#define TRACE_NAME_SIZE 16
#define TRACE_TEXT_SIZE 64

#define TRACE_VERSION 2 /* of the layout below and of the events' meaning */

/* How struct frame begins: one load, one store. */
struct trace_frame {
    uint32_t refs;
    uint8_t kind, order; /* enum frame_kind */
    uint16_t used;
};
_Static_assert(offsetof(struct frame, kind) == offsetof(struct trace_frame, kind), "struct frame begins like this");

/* The layout is what leaves the machine: fixed size, little endian, the same for every compiler. */
struct trace_record {
    uint64_t time;      /* of the TSC, when the event began */
    uint32_t pid;       /* who was running; 0: the kernel for itself */
    uint32_t root;      /* the address space; 0: none */
    uint8_t event;      /* enum trace_event */
    uint8_t kind;       /* FAULT: enum fault_kind; OOM: enum trace_oom; ADVISE: madvise(2)'s */
    uint8_t access;     /* FAULT: as above */
    uint8_t prot;       /* of the promise; FAULT: of the VMA */
    uint32_t flags;     /* likewise: enum vma_flags */
    uint32_t free;      /* frames that are free afterwards */
    uint32_t cost;      /* FAULT: ticks of the TSC in mm_fault(); instructions under -icount shift=0 */
    vaddr_t start, end; /* the range; FAULT: of the VMA */
    union {
        struct {
            vaddr_t addr, ip;
            pte_t before[PTE_LEVELS], after[PTE_LEVELS]; /* entries, [level - 1], of the levels that `levels` names */
            struct trace_frame state; /* of the frame that is mapped then; refs 0: nothing is */
            uint32_t frame;           /* its number */
            uint32_t old_refs;        /* references left of the frame that was mapped before, if it is another */
            uint16_t tables_copied; /* shared tables that had to be copied for it */
            uint16_t flushes;       /* of one page in the TLB */
            uint16_t levels;        /* bit (level - 1): the entry of this level is told, for it may have changed */
        } fault;
        struct {
            uint32_t table, index, level; /* where the entry is; RECLAIM: level 1 */
            uint32_t copied_from;         /* TABLE: the table behind `after` is a copy of this one; 0: it is not */
            pte_t before, after;
        } table;
        struct {
            vaddr_t other;
        } move;
        struct {
            uint32_t mapped;     /* bit i: page i */
            uint32_t frame_kind; /* of them */
            uint32_t frame[TRACE_AROUND_PAGES]; /* page i's, if it has been mapped */
        } around;
        struct {
            uint32_t other; /* FORK, EXEC: the other root; EXEC: the one before, or 0 */
            uint32_t pid;   /* CHILD */
            int32_t status; /* EXIT: as wait4(2) gives it */
            uint32_t inode; /* EXEC: of the program's file; MAP: of the object */
            vaddr_t brk, stack;
            char name[TRACE_NAME_SIZE];
        } process;
        struct {
            int64_t amount;
            uint64_t total;   /* pages in the ledger afterwards */
            uint32_t verdict; /* enum trace_verdict; REFUSED: nothing was charged */
        } commit;
        struct {
            uint32_t victim; /* INVOKED: who asks for memory */
            char name[TRACE_NAME_SIZE];
        } oom;
        struct {
            uint64_t frequency; /* ticks of the TSC in a second */
            uint64_t frames;    /* of the machine */
            uint32_t size;      /* of a record */
            uint32_t switches;  /* bit 0 zfod, 1 zeropage, 2 cow, 3 sharedtables */
            uint32_t zero;      /* the zero page's frame */
            uint32_t version;   /* TRACE_VERSION */
        } begin;
        char text[TRACE_TEXT_SIZE]; /* MARK */
        uint8_t room[112];
    };
};

_Static_assert(sizeof(struct trace_record) == 160, "scripts/trace_model.py knows the layout");

/* "FAULT", "MAP" and so on. */
const char *trace_event_name(enum trace_event event);

extern bool trace_is_on;

/* The parameter trace= (docs/parameters.md): on, port, off. Called once. */
void trace_init(void);

/* Switch on or off. The ring is made at the first use and then kept. 0 or -ENOMEM. */
int trace_switch(bool on) __must_check;
/* Forget the records. */
void trace_clear(void);
/* Hand what has not left yet to the debug port, if it is to go there. May be called at any time, on the way down, too. */
void trace_flush(void);

/* A copy of record `number` (they count from 0). False: overwritten (see trace_first()), or not there yet. */
bool trace_read(uint64_t number, struct trace_record *record);
/* The oldest record that is still there, and the number of the next. */
uint64_t trace_first(void);
uint64_t trace_next(void);

/* ---- for those who make records: called while trace_is_on ---- */

/* Around the serving of a fault: what the end is compared with, on the stack of who serves it. */
struct trace_before {
    uint64_t time;
    uint64_t number; /* of the next record */
    uint64_t flushes;
};
void trace_fault_begin(struct trace_before *before);
/* `fault` has ip 0 if nobody faulted. `page` is filled in as far as `kind` says. */
void trace_fault_end(const struct trace_before *before, const struct fault_page *page, const struct fault *fault,
                     enum fault_kind kind);

/* The common part of a record, filled in; the rest is zero. `tree` may be NULL. Valid until the next one is begun. */
struct trace_record *trace_record(enum trace_event event, const struct pagetable *tree);

void trace_vma_record(enum trace_event event, const struct pagetable *tree, const struct vma *vma, vaddr_t start,
                      vaddr_t end);
void trace_range_record(enum trace_event event, const struct pagetable *tree, vaddr_t start, vaddr_t end, vaddr_t other);
void trace_entry_record(enum trace_event event, const pte_t *slot, pte_t before, pte_t after, const struct frame *from);
void trace_advice_record(const struct pagetable *tree, vaddr_t start, vaddr_t end, int advice);
void trace_fork_record(const struct pagetable *parent, const struct pagetable *child);
void trace_oom_record(enum trace_oom step, const struct aspace *aspace, int pid, const char *name);
void trace_around_record(const struct pagetable *tree, vaddr_t start, const pte_t *slots, unsigned mapped);
void trace_commit_record(int64_t amount, enum trace_verdict verdict);

/* A promise of [start, end), with what `vma` says about it. */
static inline void trace_vma(enum trace_event event, const struct pagetable *tree, const struct vma *vma, vaddr_t start,
                             vaddr_t end)
{
    if (unlikely(trace_is_on))
        trace_vma_record(event, tree, vma, start, end);
}

static inline void trace_range(enum trace_event event, const struct pagetable *tree, vaddr_t start, vaddr_t end,
                               vaddr_t other)
{
    if (unlikely(trace_is_on))
        trace_range_record(event, tree, start, end, other);
}

/* An entry above the leaves has changed (TABLE; `from`: what the new table was copied from, or NULL), or a leaf (RECLAIM). */
static inline void trace_entry(enum trace_event event, const pte_t *slot, pte_t before, pte_t after,
                               const struct frame *from)
{
    if (unlikely(trace_is_on))
        trace_entry_record(event, slot, before, after, from);
}

static inline void trace_advice(const struct pagetable *tree, vaddr_t start, vaddr_t end, int advice)
{
    if (unlikely(trace_is_on))
        trace_advice_record(tree, start, end, advice);
}

/* Bit i: the page whose entry is slots[i], which is that of `start` + i pages. All are of one kind. */
static inline void trace_around(const struct pagetable *tree, vaddr_t start, const pte_t *slots, unsigned mapped)
{
    if (unlikely(trace_is_on) && mapped)
        trace_around_record(tree, start, slots, mapped);
}

static inline void trace_fork(const struct pagetable *parent, const struct pagetable *child)
{
    if (unlikely(trace_is_on))
        trace_fork_record(parent, child);
}

/* INVOKED: who asks for memory; else the victim. */
static inline void trace_oom(enum trace_oom step, const struct aspace *aspace, int pid, const char *name)
{
    if (unlikely(trace_is_on))
        trace_oom_record(step, aspace, pid, name);
}

static inline void trace_commit(int64_t amount, enum trace_verdict verdict)
{
    if (unlikely(trace_is_on) && amount)
        trace_commit_record(amount, verdict);
}

#endif
