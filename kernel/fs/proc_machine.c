// SPDX-License-Identifier: MIT
/*
 * proc_machine.c: the files of /proc about devices, interrupts and blocks of free memory (proc(5)).
 */
#include "arch/x86_64/irq.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/string.h"
#include "mm/frame.h"

/* What each line serves that this kernel listens to. */
static const char *const irq_names[IRQS] = {
    [IRQ_TIMER] = "timer", [IRQ_CASCADE] = "cascade", [IRQ_SERIAL_ODD] = "ttyS1", [IRQ_SERIAL_EVEN] = "ttyS0",
};

/* A line an interrupt line: how often it was raised, who controls it, whom it serves. */
int proc_interrupts_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, "           CPU0       \n");
    for (unsigned irq = 0; irq < IRQS; irq++)
        if (irq_is_attached(irq))
            text_printf(text, "%3u: %10lu    XT-PIC      %s\n", irq, irq_count(irq), irq_names[irq] ? irq_names[irq] : "");
    return 0;
}

/* Major numbers: those of the files in /dev. There are no disks. */
int proc_devices_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, "Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n");
    return 0;
}

/* Disks and their parts: none, so there is no heading either, as on Linux. */
int proc_no_disks_show(struct text *text, const struct proc_id *id)
{
    (void)text, (void)id;
    return 0;
}

/* How many free blocks there are of 1, 2, 4 ... frames. All memory is one zone. */
int proc_buddyinfo_show(struct text *text, const struct proc_id *id)
{
    struct frame_figures frames;
    (void)id;
    frame_figures(&frames);
    text_printf(text, "Node 0, zone %8s ", "Normal");
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        text_printf(text, "%6lu ", frames.free_blocks[order]);
    text_string(text, "\n");
    return 0;
}
