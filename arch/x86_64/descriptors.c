// SPDX-License-Identifier: MIT
/*
 * descriptors.c: the tables by which the CPU finds code, stacks and handlers (SDM 3, 3.4.5, 6.14, 8.7).
 *
 * Long mode leaves little of segments: a kernel pair, a user pair in the order that SYSRET wants (data below
 * code; there is no 32-bit code segment, so user mode stays 64-bit), and the TSS, which holds stack pointers.
 * Double fault, NMI and machine check may come when the stack is no good; each has a stack of its own.
 */
#include "arch/x86_64/descriptors.h"
#include "arch/x86_64/trap.h"

#define SEGMENT_KERNEL_CODE 0x00af9a000000fffful
#define SEGMENT_KERNEL_DATA 0x00cf92000000fffful
#define SEGMENT_USER_CODE 0x00affa000000fffful
#define SEGMENT_USER_DATA 0x00cff2000000fffful
#define SEGMENT_TSS 0x89ul /* available 64-bit TSS, present */
#define TSS_SELECTOR 0x40

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* at or beyond the segment's end: user mode may touch no port */
} __attribute__((packed));

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT 0x8e /* present, clears IF */
#define GATE_USER 0x60      /* INT3 and INTO are for user mode as well */

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define GATES 256
#define STUBS 48 /* trap.asm: exceptions and device interrupts */
#define IST_STACK_SIZE 8192

enum ist_stack { IST_NONE, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_STACKS };

extern const vaddr_t trap_stubs[STUBS];

static uint64_t gdt[10];
static struct tss tss;
static struct gate idt[GATES];
static char ist_stacks[IST_STACKS - 1][IST_STACK_SIZE] __attribute__((aligned(16)));

static void gdt_fill(void)
{
    vaddr_t base = (vaddr_t)&tss;
    gdt[KERNEL_CS / 8] = SEGMENT_KERNEL_CODE;
    gdt[KERNEL_SS / 8] = SEGMENT_KERNEL_DATA;
    gdt[USER_SS / 8] = SEGMENT_USER_DATA;
    gdt[USER_CS / 8] = SEGMENT_USER_CODE;
    /* The base is scattered over both halves of the entry (SDM 3, figure 8-4). */
    gdt[TSS_SELECTOR / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | SEGMENT_TSS << 40 |
                            (base >> 24 & 0xff) << 56;
    gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
}

static void tss_fill(void)
{
    for (unsigned i = 1; i < IST_STACKS; i++)
        tss.ist[i - 1] = (vaddr_t)ist_stacks[i - 1] + IST_STACK_SIZE;
    tss.io_map = sizeof(tss);
}

static unsigned ist_of(unsigned vector)
{
    switch (vector) {
    case TRAP_DOUBLE_FAULT:
        return IST_DOUBLE_FAULT;
    case TRAP_NMI:
        return IST_NMI;
    case TRAP_MACHINE_CHECK:
        return IST_MACHINE_CHECK;
    default:
        return IST_NONE;
    }
}

static void gate_set(unsigned vector, vaddr_t handler)
{
    bool user = vector == TRAP_BREAKPOINT || vector == TRAP_OVERFLOW;
    idt[vector] = (struct gate){
        .offset_low = handler & 0xffff,
        .selector = KERNEL_CS,
        .ist = ist_of(vector),
        .type = GATE_INTERRUPT | (user ? GATE_USER : 0),
        .offset_middle = handler >> 16 & 0xffff,
        .offset_high = handler >> 32,
    };
}

/* Load the tables and make every segment register refer to them; CS by a far return. */
static void descriptors_load(void)
{
    struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (vaddr_t)gdt };
    struct table_pointer idt_pointer = { sizeof(idt) - 1, (vaddr_t)idt };
    __asm__ volatile("lgdt %0" : : "m"(gdt_pointer) : "memory");
    __asm__ volatile("pushq %0\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %1, %%ss\n\t"
                     "movl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%fs\n\t"
                     "movl %2, %%gs"
                     :
                     : "i"((uint64_t)KERNEL_CS), "r"(KERNEL_SS), "r"(0)
                     : "rax", "memory");
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR) : "memory");
    __asm__ volatile("lidt %0" : : "m"(idt_pointer) : "memory");
}

void descriptors_init(void)
{
    gdt_fill();
    tss_fill();
    for (unsigned vector = 0; vector < STUBS; vector++)
        gate_set(vector, trap_stubs[vector]);
    descriptors_load();
}

void descriptors_set_kernel_stack(vaddr_t top) { tss.rsp[0] = top; }
