// SPDX-License-Identifier: MIT
//
// Where mappings go: at the hint if there is room, else into the highest gap that is large enough, and never into the
// guard of what grows down.
#include "lab/record.h"

static unsigned char *map(void *hint, uint64_t pages, int flags)
{
    void *at = mmap(hint, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        lab_lost(1);
    return at;
}

int main(void)
{
    uint64_t gap = lab_number(1, 4, 60), size = lab_number(2, 2, 50);
    unsigned char *top = map(NULL, 300, 0), *below = map(NULL, size, 0);

    unsigned char *hinted = map(below - (gap + size) * PAGE, size, 0);
    unsigned char *unaligned = map((unsigned char *)0x200000000000 + gap * PAGE + 123, 1, 0);
    lab_report("hints", (uintptr_t)top, (uintptr_t)below, (uintptr_t)hinted, (uintptr_t)unaligned);
    unsigned char *taken = map(hinted + PAGE, gap + 1, 0); // occupied: the kernel chooses
    unsigned char *beyond = map((void *)0x7fffffffe000, gap + 2, 0);
    lab_report("no hints", (uintptr_t)taken, (uintptr_t)beyond);
    unsigned char *fits = map(NULL, gap, 0);
    unsigned char *stack = map(NULL, size, MAP_GROWSDOWN);
    unsigned char *under = map(NULL, 1, 0), *in_guard = map(stack - 100 * PAGE, 1, 0);
    lab_report("gaps", (uintptr_t)fits, (uintptr_t)stack, (uintptr_t)under, (uintptr_t)in_guard);
    return 0;
}
