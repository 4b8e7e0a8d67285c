// SPDX-License-Identifier: MIT
//
// munmap in the middle of a mapping: of anonymous memory, and of a file whose pages nobody has touched yet.
#include <fcntl.h>

#include "lab/probe.h"

#define FILE_PAGES 6

int main(void)
{
    uint64_t pages = lab_number(1, 40, 120), first = lab_number(2, 3, pages / 2), count = lab_number(3, 1, pages / 2 - 3);
    uint64_t gone = lab_number(4, 1, FILE_PAGES - 2), sum = 0;
    unsigned char *region = lab_map(1, pages, MAP_PRIVATE), *place = region + (pages + 8) * PAGE;
    int fd = open("/init", O_RDONLY);
    unsigned char *file = mmap(place, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    unsigned char *whole = mmap(NULL, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

    if (fd < 0 || file != place || whole == MAP_FAILED)
        lab_lost(1);
    probe_init();
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
    lab_report("start", (uintptr_t)region, pages);
    int error = munmap(region + first * PAGE, count * PAGE);
    lab_report("cut", (uint64_t)error);
    uint64_t low = probe_read(region + first * PAGE), high = probe_write(region + (first + count - 1) * PAGE, 1);
    region[(first - 1) * PAGE + 1] = region[(first + count) * PAGE + 1] = 'w';
    lab_report("probed", low, high);
    error = munmap(file + gone * PAGE, PAGE);
    for (uint64_t i = 0; i < FILE_PAGES; i++)
        sum += whole[i * PAGE] + (i == gone ? 0 : file[i * PAGE]);
    lab_report("file", (uint64_t)error, (uintptr_t)file, (uintptr_t)whole, sum);
    return 0;
}
