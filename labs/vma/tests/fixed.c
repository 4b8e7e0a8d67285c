// SPDX-License-Identifier: MIT
//
// MAP_FIXED takes its place whatever is there, MAP_FIXED_NOREPLACE does not.
#include <errno.h>

#include "lab/probe.h"

int main(void)
{
    uint64_t pages = lab_number(1, 20, 80), first = lab_number(2, 2, pages / 2), count = lab_number(3, 2, pages / 2 - 2);
    unsigned char *region = lab_map(1, pages, MAP_PRIVATE), *place = region + first * PAGE;

    probe_init();
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
    lab_report("start", (uintptr_t)region, pages);
    errno = 0;
    void *refused = mmap(place, count * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    int error = errno;
    void *fresh = mmap(place, count * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    lab_report("replaced", refused == MAP_FAILED, (uint64_t)error, (uintptr_t)fresh);
    unsigned char byte = place[0];
    uint64_t written = probe_write(place + (count - 1) * PAGE, 1);
    region[(first - 1) * PAGE + 1] = region[(first + count) * PAGE + 1] = 'w';
    lab_report("probed", byte, written);
    return 0;
}
