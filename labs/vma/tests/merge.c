// SPDX-License-Identifier: MIT
//
// Neighbours that are alike are one mapping, others are not. mremap(2) tells: it takes ranges within one mapping only.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "lab/probe.h"

static unsigned char *map_at(unsigned char *at, uint64_t pages, int prot, int flags, int fd, uint64_t page)
{
    void *got = mmap(at, pages * PAGE, prot, MAP_FIXED | flags, fd, (off_t)(page * PAGE));
    if (got != at)
        lab_lost(2);
    return at;
}

// Is [at, at + pages) one mapping? Grows it by a page and says what mremap says: 0 (it grew) or errno.
static uint64_t grow(unsigned char *at, uint64_t pages)
{
    errno = 0;
    return mremap(at, pages * PAGE, (pages + 1) * PAGE, 0) == at ? 0 : (uint64_t)errno;
}

static uint64_t fork_cost(void)
{
    int status;
    uint64_t before = lab_clock();
    pid_t child = fork();
    uint64_t after = lab_clock();

    if (child == 0)
        _exit(0);
    if (child < 0 || waitpid(child, &status, 0) != child)
        lab_lost(3);
    return after - before;
}

int main(void)
{
    const int both = PROT_READ | PROT_WRITE, mine = MAP_PRIVATE | MAP_ANONYMOUS;
    uint64_t pages = lab_number(1, 600, 1000), low = lab_number(2, 2, 20), high = lab_number(3, 2, 20);
    unsigned char *at = (unsigned char *)0x300000000000 + lab_number(4, 0, 0xffff) * 0x1000000;
    unsigned char *rights = at + 0x100000000, *kind = rights + 0x100000000, *file = kind + 0x100000000;
    unsigned char *same = file + 0x100000000;
    int fd = open("/init", O_RDONLY);

    probe_init();
    uint64_t alone = (fork_cost(), fork_cost()); // the second: the first has tables to make
    for (uint64_t i = 0; i < pages; i += 2) // every other page, then those between
        map_at(at + i * PAGE, 1, both, mine, -1, 0);
    for (uint64_t i = 1; i < pages; i += 2)
        map_at(at + i * PAGE, 1, both, mine, -1, 0);
    uint64_t many = fork_cost();
    uint64_t grown = grow(at, pages);
    for (uint64_t i = 0; i <= pages; i += 64)
        at[i * PAGE] = (unsigned char)i;
    lab_report("alike", grown, alone, many, (uintptr_t)at);

    map_at(rights, low, PROT_READ, mine, -1, 0);
    map_at(rights + low * PAGE, high, both, mine, -1, 0);
    uint64_t refused = grow(rights, low + high), read_only = probe_write(rights, 1);
    lab_report("rights", refused, read_only, probe_write(rights + low * PAGE, 1));

    map_at(kind, low, both, mine, -1, 0);
    map_at(kind + low * PAGE, high, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        kind[(low - 1) * PAGE] = kind[low * PAGE] = kind[(low + high - 1) * PAGE] = 'c';
        _exit(0);
    }
    waitpid(child, NULL, 0);
    lab_report("kinds", grow(kind, low + high), kind[(low - 1) * PAGE], kind[low * PAGE], kind[(low + high - 1) * PAGE]);

    // Pages 2 and 0 of the file side by side, then 1 and 2: only the latter go on from each other.
    map_at(file, 1, PROT_READ, MAP_PRIVATE, fd, 2);
    map_at(file + PAGE, 1, PROT_READ, MAP_PRIVATE, fd, 0);
    map_at(same, 1, PROT_READ, MAP_PRIVATE, fd, 1);
    map_at(same + PAGE, 1, PROT_READ, MAP_PRIVATE, fd, 2);
    uint64_t others = grow(file, 2), goes_on = grow(same, 2);
    volatile unsigned char sum = 0;
    for (uint64_t i = 0; i < 2; i++)
        sum += file[i * PAGE] + same[i * PAGE];
    lab_report("file", others, goes_on, (uintptr_t)file, (uintptr_t)same);
    return 0;
}
