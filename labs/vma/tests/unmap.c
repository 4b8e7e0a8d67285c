// SPDX-License-Identifier: MIT
//
// munmap from the middle of one mapping to the middle of another, with holes and a third one between; and of a range so
// large that whole tables go.
#include "lab/probe.h"

#define SPAN_TABLES 3

int main(void)
{
    uint64_t low = lab_number(1, 6, 30), hole = lab_number(2, 1, 9), middle = lab_number(3, 1, 20), high = lab_number(4, 6, 30);
    uint64_t keep = lab_number(5, 1, low - 2), cut = lab_number(6, 1, high - 2), pages = low + hole + middle + high;
    unsigned char *a = lab_map(1, low, MAP_PRIVATE), *b = a + (low + hole) * PAGE, *c = b + middle * PAGE;
    unsigned char *large = lab_map(2, SPAN_TABLES * 512, MAP_PRIVATE);

    if (mmap(b, middle * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != b ||
        mmap(c, high * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != c)
        lab_lost(1);
    probe_init();
    for (uint64_t i = 0; i < pages; i++)
        if (i < low || i >= low + hole)
            lab_fill(a + i * PAGE, 1, i);
    for (uint64_t i = 0; i < SPAN_TABLES * 512; i += 512)
        large[i * PAGE] = 1;
    lab_report("start", (uintptr_t)a, pages);
    int error = munmap(a + keep * PAGE, (pages - keep - (high - cut)) * PAGE);
    lab_report("gone", (uint64_t)error);
    uint64_t first = probe_read(a + keep * PAGE), shared = probe_read(b), last = probe_write(c + (cut - 1) * PAGE, 1);
    lab_report("probed", first, shared, last, a[(keep - 1) * PAGE], c[cut * PAGE]);
    error = munmap(a + keep * PAGE, (pages - keep - (high - cut)) * PAGE);
    int error2 = munmap(large, SPAN_TABLES * 512 * PAGE);
    lab_report("again", (uint64_t)error, (uint64_t)error2);
    return 0;
}
