// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// A sparse gibibyte: memory is taken where it is touched, and the page tables are taken with it.
#include "user/figures.h"

#define COUNT 64L
#define STEP (GIB / PAGE / COUNT)

static void row(const char *what, struct figures start, long tables)
{
    printf("%-40s %8ld KiB %8ld KiB\n", what, figures_now().rss - start.rss,
           file_number("/proc/self/status", "VmPTE:") - tables);
}

int main(void)
{
    figures_begin("A sparse gibibyte");
    printf("%-40s %12s %12s\n", "", "held (RSS)", "page tables");
    struct figures start = figures_now();
    long tables = file_number("/proc/self/status", "VmPTE:");

    char *memory = memory_map(GIB);
    row("1 GiB mapped", start, tables);
    pages_write(memory, COUNT, STEP, 1);
    row("64 pages written, 16 MiB apart", start, tables);
    pages_write(memory + PAGE, COUNT, STEP, 1);
    row("each one's neighbour written as well", start, tables);

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        long sum = pages_read(memory, COUNT, STEP);
        printf("%-40s %8ld of 64\n", "a child sees those bytes", sum);
        return sum == COUNT ? 0 : 1;
    }
    int status;
    waitpid(pid, &status, 0);
    munmap(memory, GIB);
    row("unmapped", start, tables);
    printf("\nA page far from the others needs a page table of its own, 4 KiB for each 2 MiB\n"
           "of address space. Its neighbour finds that table ready, and takes its own 4 KiB\n"
           "alone.\n");
    return status;
}
