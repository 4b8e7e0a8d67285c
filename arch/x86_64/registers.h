// SPDX-License-Identifier: MIT
/*
 * registers.h: control registers, model-specific registers and CPUID (SDM 3, 2.5; SDM 4).
 */
#ifndef ARCH_X86_64_REGISTERS_H
#define ARCH_X86_64_REGISTERS_H

#include "kernel/lib/types.h"

#define CR0_MP (1ul << 1)  /* WAIT obeys TS */
#define CR0_EM (1ul << 2)  /* no FPU */
#define CR0_TS (1ul << 3)  /* the next FPU instruction traps */
#define CR0_NE (1ul << 5)  /* FPU errors are exception 16 */
#define CR0_WP (1ul << 16) /* read-only pages bind the kernel as well */

#define CR4_TSD (1ul << 2)         /* RDTSC traps in user mode */
#define CR4_PGE (1ul << 7)         /* global pages */
#define CR4_OSFXSR (1ul << 9)      /* SSE state is switched */
#define CR4_OSXMMEXCPT (1ul << 10) /* SSE errors are exception 19 */
#define CR4_UMIP (1ul << 11)       /* SGDT and its like trap in user mode */
#define CR4_OSXSAVE (1ul << 18)    /* XSAVE and XCR0 are in use */
#define CR4_SMEP (1ul << 20)       /* the kernel never runs user pages */
#define CR4_SMAP (1ul << 21)       /* nor touches them unless RFLAGS.AC is set */

#define MSR_APIC_BASE 0x1bu
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u           /* selectors of SYSCALL and SYSRET */
#define MSR_LSTAR 0xc0000082u          /* where SYSCALL goes */
#define MSR_SYSCALL_MASK 0xc0000084u   /* RFLAGS bits that SYSCALL clears */
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u /* what SWAPGS exchanges with the GS base */

#define APIC_BASE_ENABLE (1ul << 11)

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#define CONTROL_REGISTER(name)                                                                         \
    static inline uint64_t name##_read(void)                                                           \
    {                                                                                                  \
        uint64_t value;                                                                                \
        __asm__ volatile("movq %%" #name ", %0" : "=r"(value));                                        \
        return value;                                                                                  \
    }                                                                                                  \
    static inline void name##_write(uint64_t value)                                                    \
    {                                                                                                  \
        __asm__ volatile("movq %0, %%" #name : : "r"(value) : "memory");                               \
    }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
#undef CONTROL_REGISTER

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_run(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid id;
    __asm__ volatile("cpuid"
                     : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
                     : "a"(leaf), "c"(subleaf));
    return id;
}

/* All zero where the CPU has no such leaf. */
static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
    uint32_t last = cpuid_run(leaf & 0x80000000, 0).eax;
    return leaf <= last ? cpuid_run(leaf, subleaf) : (struct cpuid){ 0, 0, 0, 0 };
}

#endif
