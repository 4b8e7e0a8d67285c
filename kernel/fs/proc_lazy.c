// SPDX-License-Identifier: MIT
/*
 * proc_lazy.c: /proc/lazy: what Lazybones knows of its laziness and Linux does not show (docs/proc.md).
 */
#include "kernel/fs/proc_view.h"
#include "kernel/lib/string.h"
#include "kernel/usage.h"
#include "mm/anon.h"
#include "mm/census.h"
#include "mm/fault.h"
#include "mm/pagetable.h"

/* ---- faults ---- */

/* A line for each kind of fault: how many since boot. And the pages that came along (faultahead=). */
static int faults_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
        text_printf(text, "%-13s %10lu\n", fault_kind_name(kind), fault_totals.by_kind[kind]);
    text_printf(text, "%-13s %10lu\n", "ahead", anon_ahead);
    return 0;
}

/* The lowest process from *pid on: its number, name and faults. False: there is none. */
static bool process_faults(int *pid, char name[PROCESS_NAME_SIZE], struct fault_counts *faults)
{
    struct process *process;
    struct process_usage usage;
    bool irq = spin_lock_irq(&process_lock);
    TAILQ_FOREACH(process, &process_table, all)
        if (process->pid >= *pid && process_is_leader(process))
            break;
    if (process) {
        *pid = process->pid;
        string_copy(name, process->name, PROCESS_NAME_SIZE);
        usage_total_locked(process, &usage);
        *faults = usage.faults;
    }
    spin_unlock_irq(&process_lock, irq);
    return process;
}

/* A line for each process, a column for each kind. */
static int processes_show(struct text *text, const struct proc_id *id)
{
    char name[PROCESS_NAME_SIZE];
    struct fault_counts faults;
    (void)id;
    text_printf(text, "%5s", "PID");
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
        text_printf(text, " %12s", fault_kind_name(kind));
    text_string(text, " NAME\n");
    for (int pid = 1; process_faults(&pid, name, &faults); pid++) {
        text_printf(text, "%5d", pid);
        for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
            text_printf(text, " %12lu", faults.by_kind[kind]);
        text_printf(text, " %s\n", name);
    }
    return 0;
}

/* ---- tables ---- */

/* Page tables by level; `entries` above `tables` is what sharing saves at that level alone. */
static int tables_show(struct text *text, const struct proc_id *id)
{
    static const char *const names[TABLE_LEVELS] = { "leaf", "directory", "pointer", "root" };
    struct frame_census census;
    struct frame_figures frames;
    (void)id;
    frame_census(&census);
    frame_figures(&frames);
    text_printf(text, "%-10s %8s %8s %8s\n", "LEVEL", "TABLES", "SHARED", "ENTRIES");
    for (unsigned level = 0; level < TABLE_LEVELS; level++)
        text_printf(text, "%-10s %8lu %8lu %8lu\n", names[level], census.tables[level], census.shared[level],
                    census.references[level]);
    text_printf(text, "peak %lu\ncopied %lu\n", frames.peak_by_kind[FRAME_TABLE], pagetable_copies);
    return 0;
}

/* ---- frames ---- */

static const char *const frame_kind_names[FRAME_KINDS] = {
    [FRAME_KERNEL] = "kernel", [FRAME_STACK] = "stack", [FRAME_SLAB] = "slab", [FRAME_TABLE] = "table",
    [FRAME_ZERO] = "zero",     [FRAME_ANON] = "anonymous", [FRAME_SHM] = "shared", [FRAME_FILE] = "file",
};

/* Frames by kind, now and at most; those kept blank; then the free blocks by size. */
static int frames_show(struct text *text, const struct proc_id *id)
{
    struct frame_figures frames;
    (void)id;
    frame_figures(&frames);
    text_printf(text, "%-10s %10s %10s\n", "KIND", "NOW", "PEAK");
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        if (frame_kind_names[kind])
            text_printf(text, "%-10s %10lu %10lu\n", frame_kind_names[kind], frames.by_kind[kind],
                        frames.peak_by_kind[kind]);
    text_printf(text, "%-10s %10lu %10lu\n", "all", frames.total - frames.free, frames.peak);
    text_printf(text, "total %lu\nfree %lu\n", frames.total, frames.free);
    text_printf(text, "blank %lu\nblank.made %lu\nblank.ticks %lu\nblank.taken %lu\n", blank_count, frames.blank.made,
                frames.blank.ticks, frames.blank.taken);
    text_printf(text, "\n%-10s %10s\n", "BLOCK", "FREE");
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        text_printf(text, "%5lu kB   %10lu\n", PAGE_SIZE / 1024 << order, frames.free_blocks[order]);
    return 0;
}

const struct proc_entry proc_lazy_entries[] = {
    PROC_TEXT("faults", faults_show),
    PROC_TEXT("frames", frames_show),
    PROC_TEXT("processes", processes_show),
    PROC_TEXT("tables", tables_show),
    PROC_SETTING("trace", proc_trace_show, proc_trace_write),
    PROC_END,
};
