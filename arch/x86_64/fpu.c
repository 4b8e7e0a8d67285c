// SPDX-License-Identifier: MIT
/*
 * fpu.c: the FPU, SSE and AVX registers of processes, saved and restored whole at every switch.
 *
 * The kernel itself never uses them. With XSAVE the area is in its standard (not compacted) form: the
 * legacy 512 bytes, a header of 64 bytes, then the components at the places CPUID tells (SDM 1, 13.4).
 */
#include "arch/x86_64/fpu.h"
#include "arch/x86_64/context.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/registers.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

#define LEGACY_SIZE 512
#define LEGACY_USED 416 /* behind that nothing is written (SDM 1, 10.5.1) */
#define X87_START 32    /* eight registers of 10 bytes, 16 apart */
#define HEADER_SIZE 64

#define CONTROL_WORD_INITIAL 0x37f /* all x87 exceptions masked, 64-bit precision */
#define MXCSR_INITIAL 0x1f80       /* all SSE exceptions masked */
#define MXCSR_MASK_DEFAULT 0xffbf  /* where FXSAVE stores none (SDM 1, 11.6.6) */

/* State components (SDM 1, 13.1). The three of AVX-512 go together. */
#define STATE_X87_SSE 0x3ul
#define STATE_AVX 0x4ul
#define STATE_AVX512 0xe0ul

struct fpu_area {
    uint16_t control, status;
    uint8_t tags, reserved0;
    uint16_t opcode;
    uint64_t rip, rdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t registers[LEGACY_SIZE - 32];
    /* With XSAVE: */
    uint64_t states;             /* components that are not in their initial state */
    uint64_t compaction;         /* 0: standard form */
    uint64_t reserved1[6];
};
_Static_assert(sizeof(struct fpu_area) == LEGACY_SIZE + HEADER_SIZE, "SDM 1, 13.4");

static size_t area_size;
static uint64_t enabled_states; /* XCR0; 0 without XSAVE */
static uint32_t mxcsr_mask;

static void xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void xsave_init(void)
{
    struct cpuid main = cpuid_read(0xd, 0);
    uint64_t supported = (uint64_t)main.edx << 32 | main.eax;
    enabled_states = STATE_X87_SSE | (supported & STATE_AVX);
    if (enabled_states & STATE_AVX && (supported & STATE_AVX512) == STATE_AVX512)
        enabled_states |= STATE_AVX512;
    xcr0_write(enabled_states);
    area_size = cpuid_read(0xd, 0).ebx; /* now for what XCR0 enables */
}

void fpu_init(void)
{
    static struct fpu_area area __attribute__((aligned(64)));
    area_size = LEGACY_SIZE;
    if (cpu_has(CPU_XSAVE))
        xsave_init();
    __asm__ volatile("fninit; fxsave64 %0" : "=m"(area));
    mxcsr_mask = area.mxcsr_mask ? area.mxcsr_mask : MXCSR_MASK_DEFAULT;
}

size_t fpu_size(void) { return area_size; }

uint64_t fpu_features(void) { return enabled_states; }

void fpu_clear_area(void *memory)
{
    uint64_t *words = memory;
    words[0] = 0; /* not every CPU stores an opcode, or the byte behind the tags */
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++)
        words[X87_START / 8 + 2 * i + 1] = 0;
    memset((char *)memory + LEGACY_USED, 0, area_size - LEGACY_USED);
}

void fpu_init_area(void *memory)
{
    struct fpu_area *area = memory;
    memset(area, 0, area_size);
    area->control = CONTROL_WORD_INITIAL;
    area->mxcsr = MXCSR_INITIAL;
    area->mxcsr_mask = mxcsr_mask;
}

void fpu_save(void *area)
{
    ASSERT(is_aligned((uintptr_t)area, 64));
    if (enabled_states)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
    ASSERT(is_aligned((uintptr_t)area, 64));
    if (enabled_states)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

bool fpu_area_valid(const void *memory)
{
    const struct fpu_area *area = memory;
    if (area->mxcsr & ~mxcsr_mask)
        return false;
    if (!enabled_states)
        return true;
    uint64_t reserved = area->compaction;
    for (unsigned i = 0; i < ARRAY_SIZE(area->reserved1); i++)
        reserved |= area->reserved1[i];
    return !(area->states & ~enabled_states) && !reserved;
}
