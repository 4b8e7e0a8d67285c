// SPDX-License-Identifier: MIT
//
// mprotect: rights of a part, at once, and of what was never touched as well. What several have is not made writable.
#include <errno.h>
#include <sys/wait.h>

#include "lab/probe.h"

int main(void)
{
    uint64_t pages = lab_number(1, 30, 90), first = lab_number(2, 2, pages / 2), count = lab_number(3, 3, pages / 2 - 2);
    unsigned char *region = lab_map(1, pages + 10, MAP_PRIVATE), *part = region + first * PAGE;
    unsigned char *zero = lab_map(2, 4, MAP_PRIVATE);

    probe_init();
    for (uint64_t i = 0; i < pages; i++) // the last 10 stay untouched
        lab_fill(region + i * PAGE, 1, i);
    lab_report("start", (uintptr_t)region, pages);
    part[PAGE] = part[PAGE]; // so that the CPU remembers that it may
    int error = mprotect(part, count * PAGE, PROT_READ);
    lab_report("read-only", (uint64_t)error, probe_write(part + PAGE, 1), probe_write(part + count * PAGE, 'w'),
               probe_write(part - PAGE, 'w'));
    error = mprotect(part, count * PAGE, PROT_NONE);
    lab_report("none", (uint64_t)error, probe_read(part), probe_read(part + (count - 1) * PAGE));
    error = mprotect(part, count * PAGE, PROT_READ | PROT_WRITE);
    for (uint64_t i = 0; i < count; i++)
        part[i * PAGE + 8] = 'x';
    lab_report("back", (uint64_t)error);
    error = mprotect(region + pages * PAGE, 10 * PAGE, PROT_READ);
    lab_report("untouched", (uint64_t)error, probe_read(region + pages * PAGE), probe_write(region + (pages + 9) * PAGE, 1));

    // The zero page under pages that become writable; and pages that a child shares.
    error = mprotect(zero, 4 * PAGE, PROT_READ);
    uint64_t seen = zero[0] + zero[PAGE] + zero[2 * PAGE] + zero[3 * PAGE];
    error |= mprotect(zero, 4 * PAGE, PROT_READ | PROT_WRITE);
    lab_report("zero", (uint64_t)error, seen, (uintptr_t)zero);
    zero[0] = 'z';
    lab_report("zero+", zero[PAGE]);
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        error = mprotect(part, count * PAGE, PROT_READ) | mprotect(part, count * PAGE, PROT_READ | PROT_WRITE);
        part[0] = 'c';
        _exit(error);
    }
    waitpid(child, &status, 0);
    lab_report("child", (uint64_t)status, part[0], part[8]);

    // A hole on the way: what lies before it has the new rights, and ENOMEM tells.
    unsigned char *end = region + (pages + 10) * PAGE;
    errno = 0;
    error = mprotect(end - 12 * PAGE, 14 * PAGE, PROT_READ);
    int number = errno;
    unsigned long minus = (uint64_t)(int64_t)error;
    lab_report("hole", minus, (uint64_t)number, probe_write(end - 12 * PAGE, 1), probe_write(end - 13 * PAGE, 'w'));
    return 0;
}
