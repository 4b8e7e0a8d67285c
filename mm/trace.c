// SPDX-License-Identifier: MIT
/*
 * trace.c: the ring of records, and making them. What the trace is, and who may call what, stands in trace.h.
 *
 * Lock: none. Records are made in process context on the one CPU there is, and nothing here sleeps.
 */
#include "mm/trace.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/zero.h"

#define RING_ORDER_MAX 8 /* 1 MiB: 6,553 records */
#define RING_ORDER_MIN 3
#define RING_SHARE 32 /* at most this part of RAM */

bool trace_is_on;

static struct {
    struct trace_record *records; /* NULL: never switched on */
    struct trace_record *end, *here; /* the next one goes `here` */
    uint64_t capacity;
    uint64_t first; /* numbers: the oldest that counts, unless it is overwritten by now */
    uint64_t next;
    uint64_t sent;  /* up to this one they have left */
    bool to_port;   /* they shall leave */
} ring;

static const char *const event_names[TRACE_EVENTS] = {
    [TRACE_START] = "START",   [TRACE_FAULT] = "FAULT",     [TRACE_MAP] = "MAP",         [TRACE_UNMAP] = "UNMAP",
    [TRACE_PROTECT] = "PROTECT", [TRACE_BRK] = "BRK",       [TRACE_ADVISE] = "ADVISE",   [TRACE_MOVE] = "MOVE",
    [TRACE_RELEASE] = "RELEASE", [TRACE_RECLAIM] = "RECLAIM", [TRACE_AROUND] = "AROUND", [TRACE_TABLE] = "TABLE",   [TRACE_FORK] = "FORK",
    [TRACE_CHILD] = "CHILD",   [TRACE_EXEC] = "EXEC",       [TRACE_EXIT] = "EXIT",       [TRACE_END] = "END",
    [TRACE_COMMIT] = "COMMIT", [TRACE_OOM] = "OOM",         [TRACE_MARK] = "MARK",
};

const char *trace_event_name(enum trace_event event) { return event_names[event]; }

/* ---- the ring ---- */

/* As large as the machine can spare. 0 or -ENOMEM. */
static int ring_create(void)
{
    struct frame *block = NULL;

    if (ring.records)
        return 0;
    for (unsigned order = RING_ORDER_MAX; order >= RING_ORDER_MIN && !block; order--)
        if ((1ul << order) * RING_SHARE <= frame_total_count())
            block = frame_alloc_order(FRAME_KERNEL, order);
    if (!block)
        return -ENOMEM;
    ring.records = ring.here = frame_address(block);
    ring.capacity = (PAGE_SIZE << block->order) / sizeof(struct trace_record);
    ring.end = ring.records + ring.capacity;
    return 0;
}

uint64_t trace_next(void) { return ring.next; }

uint64_t trace_first(void)
{
    return ring.next - ring.first > ring.capacity ? ring.next - ring.capacity : ring.first;
}

bool trace_read(uint64_t number, struct trace_record *record)
{
    if (number < trace_first() || number >= ring.next)
        return false;
    *record = ring.records[number % ring.capacity];
    return true;
}

void trace_clear(void)
{
    trace_flush();
    ring.first = ring.next;
}

void trace_flush(void)
{
    if (!ring.to_port)
        return;
    for (; ring.sent < ring.next; ring.sent++)
        debug_port_write(&ring.records[ring.sent % ring.capacity], sizeof(struct trace_record));
}

/* The next record, its contents undefined. */
static inline struct trace_record *record_claim(void)
{
    struct trace_record *record = ring.here;

    if (unlikely(ring.to_port && ring.next - ring.sent == ring.capacity))
        trace_flush();
    ring.next++;
    ring.here = record + 1 == ring.end ? ring.records : record + 1;
    return record;
}

/* ---- on and off ---- */

static void start_record(void)
{
    struct trace_record *record = trace_record(TRACE_START, NULL);

    record->begin.frequency = clock_tsc_frequency();
    record->begin.frames = frame_total_count();
    record->begin.size = sizeof(*record);
    record->begin.switches = lazy.zfod | lazy.zeropage << 1 | lazy.cow << 2 | lazy.sharedtables << 3;
    record->begin.version = TRACE_VERSION;
    record->begin.zero = (uint32_t)frame_pfn(zero_frame());
}

int trace_switch(bool on)
{
    int error = on ? ring_create() : 0;

    if (error || on == trace_is_on)
        return error;
    trace_is_on = on;
    if (on)
        start_record();
    else
        trace_flush();
    return 0;
}

void trace_init(void)
{
    const char *wanted = params_string("trace");
    bool port = wanted && strcmp(wanted, "port") == 0;

    if (!port && !params_bool("trace", false))
        return;
    if (port && !debug_port_present())
        log_warn("trace=port: there is no debug port; the records stay in the ring");
    ring.to_port = port && debug_port_present();
    if (trace_switch(true))
        log_warn("trace: out of memory");
}

/* ---- records ---- */

static uint32_t root_of(const struct pagetable *tree) { return tree ? (uint32_t)frame_pfn(tree->root) : 0; }

struct trace_record *trace_record(enum trace_event event, const struct pagetable *tree)
{
    struct trace_record *record = record_claim();

    *record = (struct trace_record){
        .time = cpu_tsc(),
        .pid = this_cpu()->pid,
        .root = root_of(tree),
        .event = event,
        .free = (uint32_t)frame_free_count(),
    };
    return record;
}

void trace_vma_record(enum trace_event event, const struct pagetable *tree, const struct vma *vma, vaddr_t start,
                      vaddr_t end)
{
    struct trace_record *record = trace_record(event, tree);

    record->start = start;
    record->end = end;
    record->prot = (uint8_t)vma->prot;
    record->flags = vma->flags;
    record->process.inode = vma->cache ? (uint32_t)vma->cache->inode : 0;
}

void trace_range_record(enum trace_event event, const struct pagetable *tree, vaddr_t start, vaddr_t end, vaddr_t other)
{
    struct trace_record *record = trace_record(event, tree);

    record->start = start;
    record->end = end;
    record->move.other = other;
}

void trace_entry_record(enum trace_event event, const pte_t *slot, pte_t before, pte_t after, const struct frame *from)
{
    struct trace_record *record = trace_record(event, NULL);
    const struct frame *table = frame_of(slot);

    record->table.table = (uint32_t)frame_pfn(table);
    record->table.index = (uint32_t)(slot - (const pte_t *)frame_address(table));
    record->table.level = table->level;
    record->table.copied_from = from ? (uint32_t)frame_pfn(from) : 0;
    record->table.before = before;
    record->table.after = after;
}

void trace_advice_record(const struct pagetable *tree, vaddr_t start, vaddr_t end, int advice)
{
    struct trace_record *record = trace_record(TRACE_ADVISE, tree);

    record->start = start;
    record->end = end;
    record->kind = (uint8_t)advice;
}

void trace_fork_record(const struct pagetable *parent, const struct pagetable *child)
{
    trace_record(TRACE_FORK, parent)->process.other = root_of(child);
}

void trace_oom_record(enum trace_oom step, const struct aspace *aspace, int pid, const char *name)
{
    struct trace_record *record = trace_record(TRACE_OOM, &aspace->tree);

    record->kind = step;
    record->oom.victim = (uint32_t)pid;
    string_copy(record->oom.name, name, sizeof(record->oom.name));
}

void trace_around_record(const struct pagetable *tree, vaddr_t start, const pte_t *slots, unsigned mapped)
{
    struct trace_record *record = trace_record(TRACE_AROUND, tree);

    record->start = start;
    record->around.mapped = mapped;
    for (; mapped; mapped &= mapped - 1) {
        unsigned i = (unsigned)__builtin_ctz(mapped);
        pfn_t frame = pte_pfn(pte_load(&slots[i]));

        record->around.frame[i] = (uint32_t)frame;
        record->around.frame_kind = frame_at(frame)->kind;
    }
}

void trace_commit_record(int64_t amount, enum trace_verdict verdict)
{
    struct trace_record *record = trace_record(TRACE_COMMIT, NULL);

    record->commit.amount = amount;
    record->commit.total = commit_total();
    record->commit.verdict = verdict;
}

/* ---- faults ---- */

/* Every field is written here and in the functions below: clearing the record first would cost more than all of them. */

/* The entries above the leaf that have changed: each has a TABLE record, made since. */
static void record_tables(struct trace_record *record, const struct trace_before *before)
{
    record->fault.tables_copied = 0;
    for (uint64_t number = before->number; unlikely(number < ring.next - 1); number++) {
        const struct trace_record *table = &ring.records[number % ring.capacity];
        if (table->event != TRACE_TABLE || table->pid != record->pid)
            continue;
        record->fault.tables_copied += table->table.copied_from != 0;
        record->fault.levels |= 1u << (table->table.level - 1);
        record->fault.before[table->table.level - 1] = table->table.before;
        record->fault.after[table->table.level - 1] = table->table.after;
    }
}

/* The fault was served: the leaf entry, and the frames that it holds and held. */
static void record_page(struct trace_record *record, const struct fault_page *page)
{
    pte_t before = page->before, after = pte_load(page->slot);
    bool held_another = !pte_is_none(before) && pte_pfn(before) != pte_pfn(after);

    record->fault.levels = 1;
    record->fault.before[0] = before;
    record->fault.after[0] = after;
    record->fault.frame = (uint32_t)pte_pfn(after);
    __builtin_memcpy(&record->fault.state, frame_at(pte_pfn(after)), sizeof(record->fault.state));
    record->fault.old_refs = held_another ? frame_at(pte_pfn(before))->refs : 0;
}

static void record_no_page(struct trace_record *record)
{
    record->fault.levels = 0;
    record->fault.frame = record->fault.old_refs = 0;
    record->fault.state = (struct trace_frame){ 0 };
}

static const struct vma nowhere;

static void record_vma(struct trace_record *record, const struct vma *vma)
{
    record->prot = (uint8_t)vma->prot;
    record->flags = vma->flags;
    record->start = vma->start;
    record->end = vma->end;
}

void trace_fault_begin(struct trace_before *before)
{
    before->number = ring.next;
    before->flushes = tlb_page_flushes;
    before->time = cpu_tsc();
}

void trace_fault_end(const struct trace_before *before, const struct fault_page *page, const struct fault *fault,
                     enum fault_kind kind)
{
    uint64_t now = cpu_tsc();
    struct trace_record *record = record_claim();

    record->time = before->time;
    record->pid = this_cpu()->pid;
    record->event = TRACE_FAULT;
    record->kind = kind;
    record->access = page->access | (fault->cause.user ? TRACE_USER : 0) | (fault->cause.present ? TRACE_PRESENT : 0);
    record->free = (uint32_t)frame_free_count();
    record->cost = (uint32_t)(now - before->time);
    record->fault.addr = fault->addr;
    record->fault.ip = fault->ip;
    record->fault.flushes = (uint16_t)(tlb_page_flushes - before->flushes);
    record->root = root_of(&page->aspace->tree);
    record_vma(record, likely(kind != FAULT_SEGV_MAPERR) ? page->vma : &nowhere);
    if (likely(fault_resolved(kind)))
        record_page(record, page);
    else
        record_no_page(record);
    record_tables(record, before);
}
