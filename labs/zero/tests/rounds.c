// SPDX-License-Identifier: MIT
//
// Map, read all, write half, unmap: many times. What was free and promised before is so afterwards.
#include <fcntl.h>

#include "lab/record.h"

static char text[4096];

// A line of /proc/meminfo, in KiB.
static uint64_t meminfo(const char *key)
{
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length < 0)
        lab_lost(1);
    close(fd);
    text[length] = 0;
    char *at = strstr(text, key);
    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static void rounds(uint64_t pages, uint64_t count)
{
    for (uint64_t round = 0; round < count; round++) {
        volatile unsigned char *region = lab_map(1, pages, MAP_PRIVATE);
        for (uint64_t i = 0; i < pages; i++)
            if (region[i * PAGE])
                lab_lost(2);
        for (uint64_t i = 0; i < pages; i += 2)
            region[i * PAGE] = 1;
        munmap((void *)region, pages * PAGE);
    }
}

int main(void)
{
    uint64_t pages = lab_number(1, 80, 120);

    rounds(pages, 2);
    lab_report("before", meminfo("MemFree:") + meminfo("Slab:"), meminfo("Committed_AS:"));
    rounds(pages, 60);
    lab_report("after", meminfo("MemFree:") + meminfo("Slab:"), meminfo("Committed_AS:"));
    return 0;
}
