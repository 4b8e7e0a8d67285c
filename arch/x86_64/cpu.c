// SPDX-License-Identifier: MIT
/*
 * cpu.c: brings the CPU into the state the kernel relies on, and remembers what it can do.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/descriptors.h"
#include "arch/x86_64/fpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/registers.h"
#include "arch/x86_64/trap.h"
#include "kernel/lib/string.h"

_Static_assert(offsetof(struct cpu, kernel_stack_top) == 8, "trap.asm: CPU_KERNEL_STACK_TOP");
_Static_assert(offsetof(struct cpu, user_stack) == 16, "trap.asm: CPU_USER_STACK");
_Static_assert(offsetof(struct cpu, return_work) == 24, "trap.asm: CPU_RETURN_WORK");

/* RFLAGS that a system call starts without: TF, IF, DF, NT, AC. */
#define SYSCALL_CLEARS 0x44700ul

/* SYSRET takes SS from 8 and CS from 16 above this. */
#define SYSRET_BASE (USER_SS - 8ul)
_Static_assert(SYSRET_BASE + 16 == USER_CS, "SYSRET's order of segments");

extern char syscall_entry[]; /* trap.asm */

static struct cpu boot_cpu;
static uint32_t features; /* bit: enum cpu_feature */
static uint32_t hwcap;
static char model[49];

/* Read by trap.asm and usermem.asm: CLAC and STAC exist only where SMAP does. */
bool cpu_smap;

static void feature_note(enum cpu_feature feature, bool present) { features |= (uint32_t)present << feature; }

static void features_read(void)
{
    struct cpuid basic = cpuid_read(1, 0), structured = cpuid_read(7, 0);
    struct cpuid extended = cpuid_read(0x80000001, 0);
    hwcap = basic.edx;
    feature_note(CPU_PCID, basic.ecx & 1u << 17);
    feature_note(CPU_XSAVE, basic.ecx & 1u << 26);
    feature_note(CPU_RDRAND, basic.ecx & 1u << 30);
    feature_note(CPU_FSGSBASE, structured.ebx & 1u << 0);
    feature_note(CPU_SMEP, structured.ebx & 1u << 7);
    feature_note(CPU_SMAP, structured.ebx & 1u << 20);
    feature_note(CPU_UMIP, structured.ecx & 1u << 2);
    feature_note(CPU_NX, extended.edx & 1u << 20);
    feature_note(CPU_LARGE_1G, extended.edx & 1u << 26);
}

/* The name is three leaves of 16 characters, padded with blanks in front on some CPUs. */
static void model_read(void)
{
    char text[49] = { 0 };
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid part = cpuid_read(0x80000002 + i, 0);
        memcpy(text + 16 * i, &part, sizeof(part));
    }
    const char *start = text;
    while (*start == ' ')
        start++;
    string_copy(model, *start ? start : "unnamed CPU", sizeof(model));
}

void cpu_allow_tsc(bool allowed) { cr4_write(allowed ? cr4_read() & ~CR4_TSD : cr4_read() | CR4_TSD); }

static void control_registers_init(void)
{
    cr0_write((cr0_read() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
    cr4_write(cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT | (cpu_has(CPU_XSAVE) ? CR4_OSXSAVE : 0) |
              (cpu_has(CPU_UMIP) ? CR4_UMIP : 0) | (cpu_has(CPU_SMEP) ? CR4_SMEP : 0) |
              (cpu_has(CPU_SMAP) ? CR4_SMAP : 0));
    cpu_smap = cpu_has(CPU_SMAP);
}

static void syscall_init(void)
{
    msr_write(MSR_STAR, SYSRET_BASE << 48 | (uint64_t)KERNEL_CS << 32);
    msr_write(MSR_LSTAR, (vaddr_t)syscall_entry);
    msr_write(MSR_SYSCALL_MASK, SYSCALL_CLEARS);
}

void cpu_init(void)
{
    boot_cpu.self = &boot_cpu;
    descriptors_init();
    msr_write(MSR_GS_BASE, (vaddr_t)&boot_cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    features_read();
    model_read();
    control_registers_init();
    fpu_init();
    syscall_init();
    irq_init();
}

bool cpu_has(enum cpu_feature feature) { return features >> feature & 1; }

const char *cpu_model(void) { return model; }

uint32_t cpu_hwcap(void) { return hwcap; }

void cpu_set_kernel_stack(vaddr_t top)
{
    this_cpu()->kernel_stack_top = top;
    descriptors_set_kernel_stack(top);
}

void cpu_set_fs_base(vaddr_t base) { msr_write(MSR_FS_BASE, base); }

vaddr_t cpu_fs_base(void) { return msr_read(MSR_FS_BASE); }

/* Hardly any program has one, and writing the register is slow: only when it changes. */
void cpu_set_gs_base(vaddr_t base)
{
    static vaddr_t loaded;

    if (base != loaded)
        msr_write(MSR_KERNEL_GS_BASE, base);
    loaded = base;
}
