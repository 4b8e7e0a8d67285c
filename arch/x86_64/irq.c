// SPDX-License-Identifier: MIT
/*
 * irq.c: the pair of 8259A interrupt controllers (Intel 8259A data sheet), and who handles which line.
 *
 * The local APIC is switched off, which connects the 8259 to the CPU whatever the firmware had set up (SDM 3,
 * 11.4.3). Handlers are attached at boot and stay.
 */
#include "arch/x86_64/irq.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/registers.h"
#include "kernel/lib/assert.h"

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_COMMAND 0
#define PIC_DATA 1

#define ICW1_INIT 0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_IN_SERVICE 0x0b

#define PIC_LINES 8
#define SPURIOUS_LINE 7 /* what the controller reports when a line has gone by the time the CPU asks */

static irq_handler handlers[IRQS];
static uint64_t counts[IRQS]; /* changed with interrupts off */

static void mask_set(unsigned irq, bool masked)
{
    uint16_t port = (irq < PIC_LINES ? PIC1 : PIC2) + PIC_DATA;
    uint8_t bit = 1u << (irq % PIC_LINES);
    uint8_t mask = io_in8(port);
    io_out8(port, masked ? mask | bit : mask & ~bit);
}

static void pic_init(uint16_t pic, uint8_t vector, uint8_t cascade)
{
    io_out8(pic + PIC_COMMAND, ICW1_INIT);
    io_out8(pic + PIC_DATA, vector);
    io_out8(pic + PIC_DATA, cascade);
    io_out8(pic + PIC_DATA, ICW4_8086);
    io_out8(pic + PIC_DATA, 0xff); /* all lines masked */
}

void irq_init(void)
{
    if (cpuid_read(1, 0).edx & (1u << 9)) /* has a local APIC */
        msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) & ~APIC_BASE_ENABLE);
    pic_init(PIC1, TRAP_IRQ_BASE, 1u << IRQ_CASCADE);
    pic_init(PIC2, TRAP_IRQ_BASE + PIC_LINES, IRQ_CASCADE);
    mask_set(IRQ_CASCADE, false);
}

void irq_attach(unsigned irq, irq_handler handler)
{
    ASSERT(irq < IRQS && (!handlers[irq] || handlers[irq] == handler));
    handlers[irq] = handler;
    mask_set(irq, false);
}

bool irq_is_attached(unsigned irq) { return handlers[irq]; }

static bool is_spurious(unsigned irq)
{
    uint16_t pic = irq < PIC_LINES ? PIC1 : PIC2;
    if (irq % PIC_LINES != SPURIOUS_LINE)
        return false;
    io_out8(pic + PIC_COMMAND, OCW3_READ_IN_SERVICE);
    return !(io_in8(pic + PIC_COMMAND) & (1u << SPURIOUS_LINE));
}

void irq_dispatch(const struct trapframe *frame)
{
    unsigned irq = frame->vector - TRAP_IRQ_BASE;
    bool spurious = is_spurious(irq);
    counts[irq]++;
    if (irq >= PIC_LINES && !spurious)
        io_out8(PIC2 + PIC_COMMAND, OCW2_EOI);
    if (irq >= PIC_LINES || !spurious)
        io_out8(PIC1 + PIC_COMMAND, OCW2_EOI);
    if (!spurious && handlers[irq])
        handlers[irq](frame);
}

uint64_t irq_count(unsigned irq) { return counts[irq]; }
