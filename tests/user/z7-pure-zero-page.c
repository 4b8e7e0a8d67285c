// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// Z7: the shared zero page stays zero whatever programs and system calls do. Each step maps the zero
// page by a read and then attacks it; then pages that nobody wrote are looked at, here and in a child.
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "child.h"
#include "observe.h"

static char *witness; // pages that are only ever read

static bool zero_everywhere(void)
{
    char *fresh = region_map(8);
    bool zero = all_bytes(fresh, 8 * PAGE, 0) && all_bytes(witness, 8 * PAGE, 0);
    region_unmap(fresh, 8);
    return zero;
}

// A page that shows the zero page.
static char *page_zero(void)
{
    char *page = region_map(2);
    region_read(page, 2);
    return page;
}

static void syscalls_attack(void)
{
    char *page = page_zero();
    int fd = open("/proc/self/stat", O_RDONLY);
    ok(read(fd, page + 10, 50) > 0 && page[10] != 0,
       "Z7 read() writes into a page that showed the zero page");
    close(fd);
    ok(zero_everywhere(), "Z7 the zero page is unharmed by read()");

    page = page_zero();
    struct iovec parts[2] = {{page + PAGE - 8, 16}, {page, 4}};
    int ends[2];
    ok(pipe(ends) == 0 && write(ends[1], "0123456789abcdefghij", 20) == 20 &&
           readv(ends[0], parts, 2) == 20 && memcmp(page + PAGE - 8, "0123456789abcdef", 16) == 0 &&
           memcmp(page, "ghij", 4) == 0,
       "Z7 readv() writes across two such pages");
    ok(zero_everywhere(), "Z7 the zero page is unharmed by readv()");

    page = page_zero();
    clock_gettime(CLOCK_MONOTONIC, (struct timespec *)page);
    getcwd(page + 100, 200);
    stat("/tests", (struct stat *)(page + PAGE));
    getrusage(RUSAGE_SELF, (struct rusage *)(page + 1024));
    ok(page[100] == '/', "Z7 getcwd() and others write into such pages");
    ok(zero_everywhere(), "Z7 the zero page is unharmed by them");
}

static void child_writes(void *page)
{
    _exit(all_bytes(page, 2 * PAGE, 0) && memset(page, 0xff, 2 * PAGE) && zero_everywhere() ? 0 : 1);
}

// The zero page has no last owner: after fork and exit only this process shows it here, and a write
// must still not take it.
static void fork_attack(void)
{
    char *page = page_zero();
    is(child_run(child_writes, page), 0, "Z7 a child writes to inherited zero pages");
    ok(all_bytes(page, 2 * PAGE, 0), "Z7 the parent's pages are unharmed by it");
    memset(page, 0xee, 2 * PAGE);
    ok(zero_everywhere(), "Z7 the parent's own write after the child is gone harms nobody");
}

static void rights_attack(void)
{
    char *page = page_zero();
    mprotect(page, 2 * PAGE, PROT_READ);
    mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE);
    memset(page, 0x77, 2 * PAGE);
    ok(zero_everywhere(), "Z7 taking the right to write and giving it back opens no way to it");

    page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    region_read(page, 1);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    page[0] = 1;
    ok(zero_everywhere(), "Z7 nor does a mapping that began read-only");
}

int main(void)
{
    tap_begin();
    observe_settle();
    witness = region_map(8);
    region_read(witness, 8);
    syscalls_attack();
    fork_attack();
    rights_attack();
    return tap_end();
}
