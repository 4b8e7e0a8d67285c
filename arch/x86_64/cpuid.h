// SPDX-License-Identifier: MIT
/*
 * cpuid.h: what the CPU says of itself, in words (for /proc/cpuinfo).
 */
#ifndef ARCH_X86_64_CPUID_H
#define ARCH_X86_64_CPUID_H

#include "kernel/lib/types.h"

struct cpu_identity {
    char vendor[13];
    unsigned family, model, stepping;
    unsigned last_leaf;
    unsigned flush_bytes; /* of CLFLUSH */
    unsigned physical_bits, virtual_bits;
};

void cpu_identify(struct cpu_identity *identity);

/* Visit the names of the features that the CPU has, as Linux names them. */
void cpu_for_each_feature(void (*visit)(const char *name, void *arg), void *arg);

#endif
