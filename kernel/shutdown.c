// SPDX-License-Identifier: MIT
/*
 * shutdown.c: what the kernel says of a run when it is over (report.h), and the end of the machine.
 */
#include "kernel/shutdown.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/log.h"
#include "kernel/lib/report.h"
#include "kernel/process.h"
#include "mm/fault.h"
#include "mm/frame.h"
#include "mm/trace.h"

static void report_faults(void)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        report_line("stat faults.%s %lu", fault_kind_name(kind), fault_totals.by_kind[kind]);
}

static void report_frames(void)
{
    struct frame_figures figures;

    frame_figures(&figures);
    report_line("stat frames.total %lu", figures.total);
    report_line("stat frames.free %lu", figures.free);
    report_line("stat frames.peak %lu", figures.peak);
    report_line("stat blank.made %lu", figures.blank.made);
    report_line("stat blank.ticks %lu", figures.blank.ticks);
    report_line("stat blank.taken %lu", figures.blank.taken);
    report_line("stat tables.peak %lu", figures.peak_by_kind[FRAME_TABLE]);
    report_line("stat table.copies %lu", pagetable_copies);
    report_line("stat cow.copies %lu", fault_totals.by_kind[FAULT_COW_COPY]);
    report_line("stat cow.reuses %lu", fault_totals.by_kind[FAULT_COW_REUSE]);
}

/* The status that a shell would give: the exit code, or 128 and the signal. */
static int shell_status(int wait_status)
{
    int number = wait_status & 0x7f;

    return number ? 128 + number : wait_status >> 8 & 0xff;
}

/* Whoever has read fewer at the debug port has lost some. */
static void report_trace(void)
{
    trace_flush();
    if (trace_next())
        report_line("stat trace.records %lu", trace_next());
}

static void report_run(int wait_status)
{
    report_faults();
    report_frames();
    report_trace();
    report_line("stat forks %lu", process_figures.forks);
    report_line("stat execs %lu", process_figures.execs);
    report_line("exit %d", shell_status(wait_status));
}

void shutdown_power_off(int wait_status)
{
    report_run(wait_status);
    log_info("power off, status %d", shell_status(wait_status));
    machine_end(MACHINE_POWER_OFF);
}

void shutdown_restart(void)
{
    report_run(0);
    log_info("restart");
    machine_reset();
}
