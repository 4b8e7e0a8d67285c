// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// The life of 1 GiB: what a program is promised, and what it holds after each thing it does with it.
#include "user/figures.h"

int main(void)
{
    figures_begin("The life of one gibibyte");
    struct figures start = figures_table();

    char *memory = malloc(GIB);
    if (!memory) {
        printf("malloc(1 GiB) was refused: this machine is too small for the promise.\n"
               "The same with memory that reserves nothing (MAP_NORESERVE):\n");
        memory = memory_map(GIB);
    }
    figures_row("after malloc(1 GiB)", start);

    long sum = pages_read(memory, 1000, 1);
    figures_row("after reading 1000 pages", start);

    memory[0] = 1;
    figures_row("after writing one byte", start);

    pages_write(memory + 2000 * PAGE, 9, 1000, 1);
    figures_row("after writing nine more, far apart", start);

    memset(memory, 1, 32 * MIB);
    figures_row("after memset of the first 32 MiB", start);

    madvise(memory, 32 * MIB, MADV_DONTNEED);
    figures_row("after dropping those 32 MiB", start);

    munmap(memory, GIB);
    figures_row("after giving it all back", start);

    printf("\nThe promise cost nothing. Reading (the sum was %ld) showed one page of zeroes\n"
           "a thousand times. Only a write takes memory, 4 KiB at a time, each by one page\n"
           "fault.\n", sum);
    return 0;
}
