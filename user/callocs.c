// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// calloc against malloc and memset: two ways to 32 MiB of zeroes.
#include "user/figures.h"

#define SIZE (32 * MIB)

int main(void)
{
    figures_begin("32 MiB of zeroes: calloc against malloc and memset");
    struct figures start = figures_table();
    char *block = calloc(1, SIZE);
    figures_row("calloc", start);
    long sum = pages_read(block, SIZE / PAGE, 1);
    figures_row("  and reading every page", start);
    free(block);

    start = figures_now();
    block = malloc(SIZE);
    __asm__ volatile("" : "+r"(block)); // the compiler would turn the two calls into calloc
    memset(block, 0, SIZE);
    __asm__ volatile("" ::"r"(block) : "memory");
    figures_row("malloc and memset", start);
    sum += pages_read(block, SIZE / PAGE, 1);
    figures_row("  and reading every page", start);
    free(block);

    printf("\nBoth read as zero (the sum is %ld). calloc knows that memory fresh from the kernel\n"
           "is zero and writes nothing; memset writes zeroes over zeroes, and pays a fault\n"
           "and a frame for every page.\n", sum);
    return sum != 0;
}
