// SPDX-License-Identifier: MIT
//
// mprotect makes promises, too: read-only pages become writable. What is charged, how often, and what is left by calls that fail?
#include "room.h"

#define RW (PROT_READ | PROT_WRITE)

// May the kernel write there for us? It says EFAULT where we would get SIGSEGV.
static bool is_writable(unsigned char *at)
{
    int fd = open("/proc/meminfo", O_RDONLY);
    bool is_written = read(fd, at, 1) == 1;
    close(fd);
    return is_written;
}

int main(void)
{
    uint64_t pages = lab_number(1, 300, 900), part = lab_number(2, 20, 200), limit = lab_number(6, 40000, 60000);

    strict(limit * KB_PER_PAGE);
    uint64_t start = room();
    unsigned char *region = map_surely(pages, PROT_READ, MAP_PRIVATE), *inside = region + 10 * PAGE;
    if (mprotect(inside, part * PAGE, RW))
        lab_lost(1);
    uint64_t once = room();
    mprotect(inside, part * PAGE, RW);
    mprotect(inside, part * PAGE, PROT_READ);
    uint64_t read_only = room();
    mprotect(inside, part * PAGE, RW);
    mprotect(inside, part * PAGE, RW | PROT_EXEC);
    lab_report("charged", start, once, read_only, room());
    if (mprotect(region, pages * PAGE, RW))
        lab_lost(2);
    uint64_t whole = room();
    munmap(region, pages * PAGE);
    lab_report("unmapped", whole, room());

    uint64_t too_many = start + lab_number(3, 1, 500);
    region = map_surely(too_many, PROT_READ, MAP_PRIVATE);
    int result = mprotect(region, too_many * PAGE, RW);
    lab_report("refused", result ? errno : 0, room(), is_writable(region));
    set("max_map_count", 1); // no mapping may be cut
    result = mprotect(region + PAGE, part * PAGE, RW);
    uint64_t error = result ? errno : 0;
    set("max_map_count", 65530);
    lab_report("not cut", error, room(), is_writable(region + PAGE));
    munmap(region, too_many * PAGE);
    lab_report("end", room());
    return 0;
}
