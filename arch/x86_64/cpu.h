// SPDX-License-Identifier: MIT
/*
 * cpu.h: what belongs to one CPU, found through the GS base, and the features it has.
 *
 * GS points at this CPU's struct cpu whenever the kernel runs (swapgs at each entry from user mode). The
 * pointers to things above arch/ are opaque here: arch/ only carries them.
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include "arch/x86_64/page.h"

struct process;
struct aspace;
struct fault_counts;

struct cpu {
    struct cpu *self;                  /* offset 0: this_cpu() reads it */
    vaddr_t kernel_stack_top;          /* offset 8: where system calls start */
    vaddr_t user_stack;                /* offset 16: the user's RSP while a system call enters */
    uint32_t return_work;              /* offset 24: not 0: user_return() is called on the way to user mode */
    uint32_t number;                   /* 0 for the boot CPU */
    struct process *process;           /* who runs here */
    struct aspace *aspace;             /* whose tables are loaded; NULL: the kernel's alone */
    struct fault_counts *fault_counts; /* the running process's, never NULL after boot */
    uint32_t pid;                      /* likewise; 0: none, or the idle process */
};

enum cpu_feature {
    CPU_SMEP,
    CPU_SMAP,
    CPU_UMIP,
    CPU_NX,
    CPU_LARGE_1G,
    CPU_XSAVE,
    CPU_PCID,
    CPU_FSGSBASE,
    CPU_RDRAND,
};

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    __asm__("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/*
 * Set up this CPU: descriptor tables, TSS, IST stacks, control registers, system-call entry, FPU. Called
 * once.
 */
void cpu_init(void);

bool cpu_has(enum cpu_feature feature);

/* The processor's name as CPUID gives it, and CPUID.1:EDX (AT_HWCAP). */
const char *cpu_model(void);
uint32_t cpu_hwcap(void);

/* Where traps and system calls from user mode start; set on every switch. */
void cpu_set_kernel_stack(vaddr_t top);

/* The user's FS base, where libc keeps thread-local storage (arch_prctl(2)). */
void cpu_set_fs_base(vaddr_t base);
vaddr_t cpu_fs_base(void);

/* The user's GS base, which the kernel keeps out of the way while it runs. */
void cpu_set_gs_base(vaddr_t base);

/* May user mode read the time-stamp counter? If not, that is a general protection fault (SDM vol. 3, 2.5). At first it may. */
void cpu_allow_tsc(bool allowed);

/* The time-stamp counter. */
static inline uint64_t cpu_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
