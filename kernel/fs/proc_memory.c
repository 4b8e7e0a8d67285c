// SPDX-License-Identifier: MIT
/*
 * proc_memory.c: /proc/meminfo and /proc/vmstat: the machine's memory (proc(5)).
 *
 * A line is there only where its figure is true. There is no swap, no block device and nothing that could be
 * dirty on one: those lines say 0. What is not built (lists of pages by age, huge pages) has none. The
 * figures are taken before the first line is written, for the text itself takes a frame.
 */
#include "kernel/fs/proc.h"
#include "mm/census.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/frame.h"
#include "mm/oom.h"

struct memory {
    struct frame_figures frames;
    uint64_t cached, mapped, locked, available, limit, committed;
};

/* 0 or -ENOMEM. */
static int memory_take(struct memory *memory)
{
    int error = frames_locked(&memory->locked);
    if (error)
        return error;
    memory->committed = commit_total();
    memory->limit = commit_limit();
    frame_figures(&memory->frames);
    memory->cached = memory->frames.by_kind[FRAME_FILE] + memory->frames.by_kind[FRAME_SHM];
    memory->mapped = frames_mapped(memory->cached);
    /* File pages cannot be given up yet, so what is available is what is free, less what stays free. */
    memory->available = memory->frames.free - MIN(memory->frames.free, frame_reserve());
    return 0;
}

static void line(struct text *text, const char *label, uint64_t pages)
{
    text_printf(text, "%-16s%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

int proc_meminfo_show(struct text *text, const struct proc_id *id)
{
    struct memory memory;
    const uint64_t *kind = memory.frames.by_kind;
    (void)id;
    int error = memory_take(&memory);
    if (error)
        return error;
    line(text, "MemTotal:", memory.frames.total);
    line(text, "MemFree:", memory.frames.free);
    line(text, "MemAvailable:", memory.available);
    line(text, "Buffers:", 0);
    line(text, "Cached:", memory.cached);
    line(text, "SwapCached:", 0);
    line(text, "Unevictable:", memory.locked);
    line(text, "Mlocked:", memory.locked);
    line(text, "SwapTotal:", 0);
    line(text, "SwapFree:", 0);
    line(text, "Dirty:", 0);
    line(text, "Writeback:", 0);
    line(text, "AnonPages:", kind[FRAME_ANON]);
    line(text, "Mapped:", memory.mapped);
    line(text, "Shmem:", kind[FRAME_SHM]);
    line(text, "Slab:", kind[FRAME_SLAB]);
    line(text, "SReclaimable:", 0);
    line(text, "SUnreclaim:", kind[FRAME_SLAB]);
    line(text, "KernelStack:", kind[FRAME_STACK]);
    line(text, "PageTables:", kind[FRAME_TABLE]);
    line(text, "CommitLimit:", memory.limit);
    line(text, "Committed_AS:", memory.committed);
    return 0;
}

int proc_vmstat_show(struct text *text, const struct proc_id *id)
{
    struct memory memory;
    const uint64_t *kind = memory.frames.by_kind;
    (void)id;
    int error = memory_take(&memory);
    if (error)
        return error;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "nr_free_pages", memory.frames.free },
        { "nr_mlock", memory.locked },
        { "nr_unevictable", memory.locked },
        { "nr_slab_reclaimable", 0 },
        { "nr_slab_unreclaimable", kind[FRAME_SLAB] },
        { "nr_anon_pages", kind[FRAME_ANON] },
        { "nr_mapped", memory.mapped },
        { "nr_file_pages", memory.cached },
        { "nr_dirty", 0 },
        { "nr_writeback", 0 },
        { "nr_shmem", kind[FRAME_SHM] },
        { "nr_kernel_stack", kind[FRAME_STACK] << (PAGE_SHIFT - 10) },
        { "nr_page_table_pages", kind[FRAME_TABLE] },
        { "pswpin", 0 },
        { "pswpout", 0 },
        { "pgfault", fault_minor(&fault_totals) + fault_major(&fault_totals) },
        { "pgmajfault", fault_major(&fault_totals) },
        { "pgreuse", fault_totals.by_kind[FAULT_COW_REUSE] },
        { "oom_kill", oom_kills },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        text_printf(text, "%s %lu\n", rows[i].name, rows[i].value);
    return 0;
}
