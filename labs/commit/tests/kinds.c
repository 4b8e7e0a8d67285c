// SPDX-License-Identifier: MIT
//
// Mappings of all kinds, one after the other: which of them are charged?
#include "room.h"

static uint64_t last;

// How much less is left than at the last look.
static uint64_t charged(void)
{
    uint64_t now = room(), taken = last - now;
    last = now;
    return taken;
}

static void map_file(uint64_t pages, int prot, int flags)
{
    int fd = open("/tmp/file", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)pages * PAGE) || mmap(NULL, pages * PAGE, prot, flags, fd, 0) == MAP_FAILED)
        lab_lost(1);
    close(fd);
}

int main(void)
{
    uint64_t n[10], taken[10];

    for (uint64_t i = 0; i < 10; i++)
        n[i] = lab_number(10 + i, 100, 900);
    strict(lab_number(6, 40000, 60000) * KB_PER_PAGE);
    last = room();
    map_surely(n[0], PROT_READ | PROT_WRITE, MAP_PRIVATE), taken[0] = charged();
    map_surely(n[1], PROT_WRITE, MAP_PRIVATE), taken[1] = charged();
    map_file(n[2], PROT_READ | PROT_WRITE, MAP_PRIVATE), taken[2] = charged();
    lab_report("writable", taken[0], taken[1], taken[2]);
    map_surely(n[3], PROT_READ, MAP_PRIVATE), taken[3] = charged();
    map_surely(n[4], PROT_NONE, MAP_PRIVATE), taken[4] = charged();
    map_file(n[5], PROT_READ, MAP_PRIVATE), taken[5] = charged();
    lab_report("read-only", taken[3], taken[4], taken[5]);
    map_surely(n[6], PROT_READ | PROT_WRITE, MAP_SHARED), taken[6] = charged();
    map_file(n[7], PROT_READ | PROT_WRITE, MAP_SHARED), taken[7] = charged();
    lab_report("shared", taken[6], taken[7]);
    map_surely(n[8], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE), taken[8] = charged();
    set("overcommit_memory", 0);
    map_surely(n[9], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    set("overcommit_memory", 2);
    taken[9] = charged();
    lab_report("noreserve", taken[8], taken[9]);
    return 0;
}
