// SPDX-License-Identifier: MIT
/*
 * random.c: random numbers for AT_RANDOM, getrandom(2) and the like.
 *
 * Without RDRAND the numbers only look random: good for hash seeds, not for secrets.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/machine.h"

#define RDRAND_TRIES 10 /* SDM 1, 7.3.17.1: that many failures in a row mean a broken generator */

static bool rdrand(uint64_t *value)
{
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}

/* SplitMix64 (Steele, Lea, Flood 2014), its state stirred by the TSC at each call. */
static uint64_t mixed(void)
{
    static uint64_t state;
    state += 0x9e3779b97f4a7c15ull + cpu_tsc();
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t machine_random(void)
{
    uint64_t value;
    return cpu_has(CPU_RDRAND) && rdrand(&value) ? value : mixed();
}
