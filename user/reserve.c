// SPDX-License-Identifier: MIT
// ram: 96M  time: 30
// not-with: zfod=off
//
// 500 GiB reserved on a machine with a thousandth of that: address space is free, touched pages are not.
#include "user/figures.h"

#define SIZE (500 * GIB)
#define PLACES 50L

static void row(const char *what, struct figures start, long tables)
{
    struct figures now = figures_now();
    printf("%-34s %9ld MiB %8ld KiB %8ld KiB\n", what, (now.vsz - start.vsz) / KIB, now.rss - start.rss,
           file_number("/proc/self/status", "VmPTE:") - tables);
}

// Asks in one mode of overcommit and says what came of it.
static char *reserve(int mode)
{
    number_write(OVERCOMMIT_MODE, mode);
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("overcommit_memory = %d: %s\n", mode,
           memory != MAP_FAILED ? "granted, with no questions asked" : "refused, as no machine like this can keep it");
    return memory;
}

int main(void)
{
    figures_begin("Five hundred gibibytes reserved");
    long mode = strtol(file_text(OVERCOMMIT_MODE), NULL, 10), tables = file_number("/proc/self/status", "VmPTE:");
    printf("This machine has %ld MiB of memory. We ask it for %ld MiB.\n\n",
           file_number("/proc/meminfo", "MemTotal:") / KIB, SIZE / MIB);
    reserve(0);
    struct figures start = figures_now();
    char *memory = reserve(1);
    number_write(OVERCOMMIT_MODE, mode);
    if (memory == MAP_FAILED)
        return 1;

    printf("\n%-34s %13s %12s %12s\n", "", "promised", "held (RSS)", "page tables");
    row("500 GiB reserved", start, tables);
    pages_write(memory, 1000, 1, 1);
    row("1000 pages written at the start", start, tables);
    pages_write(memory, PLACES, SIZE / PAGE / PLACES, 1);
    row("50 pages written, 10 GiB apart", start, tables);
    long sum = pages_read(memory, PLACES, SIZE / PAGE / PLACES);
    row("those read back", start, tables);
    munmap(memory, SIZE);
    row("all given back", start, tables);

    printf("\nA page that stands alone costs up to three pages: its own and two tables on the\n"
           "way to it. Programs do reserve like this: a region to grow in, without ever\n"
           "having to move.\n");
    return sum == PLACES ? 0 : 1;
}
