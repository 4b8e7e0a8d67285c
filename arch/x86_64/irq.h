// SPDX-License-Identifier: MIT
/*
 * irq.h: device interrupts.
 */
#ifndef ARCH_X86_64_IRQ_H
#define ARCH_X86_64_IRQ_H

#include "arch/x86_64/trap.h"

#define IRQS 16

enum irq_line { IRQ_TIMER = 0, IRQ_CASCADE = 2, IRQ_SERIAL_ODD = 3, IRQ_SERIAL_EVEN = 4 };

typedef void (*irq_handler)(const struct trapframe *frame);

/* Set up the interrupt controller with every line masked. Called once. */
void irq_init(void);

/* Call handler(frame), with interrupts off, whenever this line is raised. */
void irq_attach(unsigned irq, irq_handler handler);

/* Does anybody listen to this line? */
bool irq_is_attached(unsigned irq);

/* How often this line has been raised since boot. */
uint64_t irq_count(unsigned irq);

/* From trap(): the vector in the frame is TRAP_IRQ_BASE or above. */
void irq_dispatch(const struct trapframe *frame);

#endif
