// SPDX-License-Identifier: MIT
//
// Pages that nobody may own: those of a file, mapped privately and read before they are written, and the zero page.
#include <fcntl.h>

#include "lab/family.h"

#define FILE_PAGES 4

int main(void)
{
    int fd = open("/init", O_RDONLY);
    unsigned char *file = mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    unsigned char *other = mmap(NULL, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    unsigned char *fresh = lab_map(1, 4, MAP_PRIVATE);
    uint64_t page = lab_number(2, 0, FILE_PAGES - 1), offset = lab_number(3, 0, PAGE - 1);

    if (fd < 0 || file == MAP_FAILED || other == MAP_FAILED)
        lab_lost(1);
    for (uint64_t i = 0; i < FILE_PAGES; i++)
        if (file[i * PAGE + offset] != other[i * PAGE + offset] || fresh[i * PAGE])
            lab_lost(2);
    lab_report("read", (uintptr_t)file, (uintptr_t)other, (uintptr_t)fresh);
    file[page * PAGE + offset] ^= 0xff;
    fresh[page * PAGE + offset] = 0xff;
    lab_report("written", 0);

    // A page that only the file itself has besides.
    unsigned char before = lab_byte(4, 0, 0), after = 0;
    int lone = open("/tmp/lone", O_RDWR | O_CREAT, 0600);
    if (lone < 0 || write(lone, &before, 1) != 1)
        lab_lost(3);
    unsigned char *mine = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, lone, 0);
    if (mine == MAP_FAILED || mine[0] != before)
        lab_lost(4);
    mine[0] ^= 0xff;
    if (pread(lone, &after, 1, 0) != 1)
        lab_lost(5);
    lab_report("lone", (uintptr_t)mine, after);
    return 0;
}
