// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// Z9: calloc of a large fresh block knows that the kernel's memory is zero and touches nothing;
// recycled heap memory reads as zero all the same.
#include "observe.h"

#define SIZE (64 * MIB)

int main(void)
{
    tap_begin();
    observe_settle();

    long count = faults(), rss = rss_all(0);
    count = faults();
    char *block = calloc(1, SIZE);
    count = faults() - count;
    ok(block != NULL, "Z9 calloc of 64 MiB");
    between(0, count, 8, "Z9 it takes no fault for its pages");
    between(0, rss_all(0) - rss, 8, "Z9 and no memory");
    is(region_read(block, SIZE / PAGE), 0, "Z9 it reads as zero");
    free(block);

    count = faults();
    block = malloc(SIZE);
    __asm__ volatile("" : "+r"(block)); // else the compiler makes a calloc of the two
    memset(block, 0, SIZE);
    __asm__ volatile("" ::"r"(block) : "memory");
    between(SIZE / PAGE, faults() - count, SIZE / PAGE + 16, "Z9 malloc and memset pay for every page");
    free(block);

    static char *small[1000];
    for (int i = 0; i < 1000; i++)
        memset(small[i] = malloc(300), 0xa5, 300);
    for (int i = 0; i < 1000; i++)
        free(small[i]);
    bool zero = true;
    for (int i = 0; i < 1000; i++)
        zero &= all_bytes(small[i] = calloc(3, 100), 300, 0);
    ok(zero, "Z9 recycled heap memory reads as zero");
    return tap_end();
}
