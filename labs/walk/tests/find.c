// SPDX-License-Identifier: MIT
//
// Who looks at entries without changing them: mincore(2), and ftruncate(2), which looks for what it must cut.
#include "lab/record.h"

#define PAGES 1536ul
#define FILE_PAGES 8ul

static unsigned char vector[PAGES];

static uint64_t sum_of_core(unsigned char *at)
{
    if (mincore(at, PAGES * PAGE, vector))
        lab_lost(1);
    for (uint64_t i = 0; i < PAGES; i++)
        vector[i] &= 1;
    return lab_sum(vector, PAGES);
}

int main(void)
{
    unsigned char *region = lab_map(1, PAGES, MAP_PRIVATE), *empty = lab_map(2, PAGES, MAP_PRIVATE);

    for (uint64_t i = 0; i < PAGES; i++)
        if (i / 512 != 1 && lab_number(2000 + i, 0, 3) == 0)
            region[i * PAGE] = 'x';
    lab_report("core", sum_of_core(region), sum_of_core(empty));
    int fd = open("/tmp/file", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, FILE_PAGES * PAGE))
        lab_lost(2);
    unsigned char *file = mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        lab_lost(3);
    for (uint64_t i = 0; i < FILE_PAGES; i++)
        lab_fill(file + i * PAGE, 2, i);
    lab_report("file", (uintptr_t)file);
    if (ftruncate(fd, lab_number(3, 1, FILE_PAGES - 1) * PAGE))
        lab_lost(4);
    lab_report("cut", 0);
    return 0;
}
