// SPDX-License-Identifier: MIT
//
// Memory is promised, a great deal of it, and nobody touches it.
#include <sys/syscall.h>

#include "lab/record.h"

#define GIB (1ul << 30)

int main(void)
{
    uint64_t size = lab_number(1, 64, 512) * GIB;

    lab_report("start", 0);
    uint64_t before = lab_clock();
    char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t after = lab_clock();
    if (region == MAP_FAILED)
        lab_lost(1);
    lab_report("promised", (uintptr_t)region, size, after - before);
    uint64_t heap = syscall(SYS_brk, 0), wanted = heap + lab_number(2, 100, 900) * (1 << 20);
    if ((uint64_t)syscall(SYS_brk, wanted) != wanted)
        lab_lost(2);
    lab_report("heap", heap);
    return 0;
}
