// SPDX-License-Identifier: MIT
/*
 * cpuid.c: the CPUID instruction, read (SDM 2, CPUID; AMD APM 3, appendix E).
 */
#include "arch/x86_64/cpuid.h"

#include "arch/x86_64/registers.h"
#include "kernel/lib/string.h"

/* Family and model have extensions for the values that the first layout had no room for. */
static void version_decode(struct cpu_identity *identity, uint32_t version)
{
    identity->stepping = version & 15;
    identity->model = version >> 4 & 15;
    identity->family = version >> 8 & 15;
    if (identity->family == 6 || identity->family == 15)
        identity->model |= version >> 12 & 0xf0;
    if (identity->family == 15)
        identity->family += version >> 20 & 0xff;
}

void cpu_identify(struct cpu_identity *identity)
{
    struct cpuid first = cpuid_read(0, 0), basic = cpuid_read(1, 0), sizes = cpuid_read(0x80000008, 0);

    *identity = (struct cpu_identity){
        .last_leaf = first.eax,
        .flush_bytes = (basic.ebx >> 8 & 0xff) * 8,
        .physical_bits = sizes.eax ? sizes.eax & 0xff : 36,
        .virtual_bits = sizes.eax ? sizes.eax >> 8 & 0xff : 48,
    };
    memcpy(identity->vendor, &first.ebx, 4);
    memcpy(identity->vendor + 4, &first.edx, 4);
    memcpy(identity->vendor + 8, &first.ecx, 4);
    version_decode(identity, basic.eax);
}

enum word { BASIC_EDX, BASIC_ECX, EXTENDED_EDX, EXTENDED_ECX, STRUCTURED_EBX, STRUCTURED_ECX, WORDS };

/* In Linux's order: word by word, bit by bit. */
static const struct {
    uint8_t word, bit;
    const char *name;
} names[] = {
    { BASIC_EDX, 0, "fpu" },        { BASIC_EDX, 1, "vme" },        { BASIC_EDX, 2, "de" },
    { BASIC_EDX, 3, "pse" },        { BASIC_EDX, 4, "tsc" },        { BASIC_EDX, 5, "msr" },
    { BASIC_EDX, 6, "pae" },        { BASIC_EDX, 7, "mce" },        { BASIC_EDX, 8, "cx8" },
    { BASIC_EDX, 9, "apic" },       { BASIC_EDX, 11, "sep" },       { BASIC_EDX, 12, "mtrr" },
    { BASIC_EDX, 13, "pge" },       { BASIC_EDX, 14, "mca" },       { BASIC_EDX, 15, "cmov" },
    { BASIC_EDX, 16, "pat" },       { BASIC_EDX, 17, "pse36" },     { BASIC_EDX, 19, "clflush" },
    { BASIC_EDX, 23, "mmx" },       { BASIC_EDX, 24, "fxsr" },      { BASIC_EDX, 25, "sse" },
    { BASIC_EDX, 26, "sse2" },      { BASIC_EDX, 28, "ht" },        { EXTENDED_EDX, 11, "syscall" },
    { EXTENDED_EDX, 20, "nx" },     { EXTENDED_EDX, 26, "pdpe1gb" }, { EXTENDED_EDX, 27, "rdtscp" },
    { EXTENDED_EDX, 29, "lm" },     { BASIC_ECX, 0, "pni" },        { BASIC_ECX, 1, "pclmulqdq" },
    { BASIC_ECX, 3, "monitor" },    { BASIC_ECX, 9, "ssse3" },      { BASIC_ECX, 12, "fma" },
    { BASIC_ECX, 13, "cx16" },      { BASIC_ECX, 17, "pcid" },      { BASIC_ECX, 19, "sse4_1" },
    { BASIC_ECX, 20, "sse4_2" },    { BASIC_ECX, 21, "x2apic" },    { BASIC_ECX, 22, "movbe" },
    { BASIC_ECX, 23, "popcnt" },    { BASIC_ECX, 25, "aes" },       { BASIC_ECX, 26, "xsave" },
    { BASIC_ECX, 28, "avx" },       { BASIC_ECX, 29, "f16c" },      { BASIC_ECX, 30, "rdrand" },
    { BASIC_ECX, 31, "hypervisor" }, { EXTENDED_ECX, 0, "lahf_lm" }, { EXTENDED_ECX, 5, "abm" },
    { EXTENDED_ECX, 6, "sse4a" },   { STRUCTURED_EBX, 0, "fsgsbase" }, { STRUCTURED_EBX, 3, "bmi1" },
    { STRUCTURED_EBX, 5, "avx2" },  { STRUCTURED_EBX, 7, "smep" },  { STRUCTURED_EBX, 8, "bmi2" },
    { STRUCTURED_EBX, 9, "erms" },  { STRUCTURED_EBX, 10, "invpcid" }, { STRUCTURED_EBX, 18, "rdseed" },
    { STRUCTURED_EBX, 19, "adx" },  { STRUCTURED_EBX, 20, "smap" }, { STRUCTURED_ECX, 2, "umip" },
    { STRUCTURED_ECX, 22, "rdpid" },
};

void cpu_for_each_feature(void (*visit)(const char *name, void *arg), void *arg)
{
    struct cpuid basic = cpuid_read(1, 0), structured = cpuid_read(7, 0);
    struct cpuid extended = cpuid_read(0x80000001, 0);
    const uint32_t words[WORDS] = {
        [BASIC_EDX] = basic.edx,       [BASIC_ECX] = basic.ecx,           [EXTENDED_EDX] = extended.edx,
        [EXTENDED_ECX] = extended.ecx, [STRUCTURED_EBX] = structured.ebx, [STRUCTURED_ECX] = structured.ecx,
    };
    for (unsigned row = 0; row < ARRAY_SIZE(names); row++)
        if (words[names[row].word] >> names[row].bit & 1)
            visit(names[row].name, arg);
}
