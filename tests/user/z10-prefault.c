// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zeropage=off zfod=off cow=off
//
// Z10: memory paid for in advance. What was populated or locked takes no fault when it is touched.
#include <sys/syscall.h>

#include "child.h"
#include "mman-new.h"
#include "observe.h"

#define PAGES 512L
#define SIZE (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static char *map(int prot, int flags)
{
    char *at = mmap(NULL, SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

// Faults of reading every page, or of writing it.
static long faults_reading(const char *at)
{
    long before = faults();
    region_read(at, PAGES);
    return faults() - before;
}

static long faults_writing(char *at)
{
    long before = faults();
    region_write(at, PAGES, 1);
    return faults() - before;
}

// Checks that all of it is there and that neither kind of access takes a fault. Unmaps it.
static void ready(char *at, const char *what)
{
    is(rss_at(at), PAGES, "Z10 %s: RSS is the whole range", what);
    is(faults_reading(at) + faults_writing(at), 0, "Z10 %s: no touch takes a fault", what);
    munmap(at, SIZE);
}

static void populate_check(void)
{
    long before = faults();
    char *at = map(RW, MAP_POPULATE);
    between(PAGES, faults() - before, PAGES + 1, "Z10 MAP_POPULATE counts its pages as minor faults");
    ready(at, "MAP_POPULATE");

    at = map(PROT_READ, MAP_POPULATE);
    is(rss_at(at), 0, "Z10 MAP_POPULATE of read-only memory: zero pages, no RSS");
    is(faults_reading(at), 0, "Z10 MAP_POPULATE of read-only memory: reads take no fault");
    munmap(at, SIZE);

    at = map(PROT_NONE, MAP_POPULATE);
    is(page_present(at), 0, "Z10 MAP_POPULATE of PROT_NONE memory: passes, and populates nothing");
    munmap(at, SIZE);

    at = map(RW, MAP_POPULATE | MAP_NORESERVE);
    ready(at, "MAP_POPULATE with MAP_NORESERVE");

    at = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    ready(at, "MAP_POPULATE of shared memory");
}

static void advice_check(void)
{
    char *at = map(RW, 0);
    is(madvise(at, SIZE, MADV_POPULATE_WRITE), 0, "Z10 MADV_POPULATE_WRITE passes");
    ready(at, "MADV_POPULATE_WRITE");

    at = map(RW, 0);
    is(madvise(at, SIZE, MADV_POPULATE_READ), 0, "Z10 MADV_POPULATE_READ passes");
    is(rss_at(at), 0, "Z10 MADV_POPULATE_READ: zero pages, no RSS");
    is(faults_reading(at), 0, "Z10 MADV_POPULATE_READ: reads take no fault");
    is(faults_writing(at), PAGES, "Z10 MADV_POPULATE_READ: a write does, once a page");
    munmap(at, SIZE);

    at = map(PROT_READ, 0);
    fails(madvise(at, SIZE, MADV_POPULATE_WRITE), EINVAL, "Z10 MADV_POPULATE_WRITE of read-only memory");
    munmap(at, SIZE);
    fails(madvise(at, SIZE, MADV_POPULATE_READ), ENOMEM, "Z10 MADV_POPULATE_READ of nothing");
    at = map(PROT_NONE, 0);
    fails(madvise(at, SIZE, MADV_POPULATE_READ), EINVAL, "Z10 MADV_POPULATE_READ of PROT_NONE memory");
    munmap(at, SIZE);
}

// The heap is grown by hand: musl's sbrk() will not.
static void heap_check(void)
{
    long end = (syscall(SYS_brk, 0) + PAGE - 1) & -PAGE;
    is(syscall(SYS_brk, end + SIZE), end + SIZE, "Z10 the heap grows under MCL_FUTURE");
    is(faults_writing((char *)end), 0, "Z10 what it grew by takes no fault");
    syscall(SYS_brk, end);
}

static void lock_check(void)
{
    char *at = map(RW, 0);
    is(mlock(at, SIZE), 0, "Z10 mlock passes");
    ready(at, "mlock");

    at = map(RW, MAP_LOCKED);
    ready(at, "MAP_LOCKED");

    at = map(RW, 0);
    region_write(at, PAGES / 2, 'k');
    is(mlock(at, SIZE), 0, "Z10 mlock of half-written memory passes");
    is(region_read(at, PAGES), PAGES / 2 * 'k', "Z10 what was written is kept");
    ready(at, "mlock of half-written memory");

    at = map(RW, 0);
    is(mlockall(MCL_CURRENT), 0, "Z10 mlockall(MCL_CURRENT) passes");
    ready(at, "mlockall(MCL_CURRENT)");
    munlockall();

    is(mlockall(MCL_FUTURE), 0, "Z10 mlockall(MCL_FUTURE) passes");
    ready(map(RW, 0), "a mapping made under MCL_FUTURE");
    heap_check();
    munlockall();

    at = map(RW, 0);
    is(rss_at(at), 0, "Z10 after munlockall memory is lazy again");
    munmap(at, SIZE);
}

// A forked child is neither locked nor paid for: it copies on write as ever.
static void child_writes(void *arg)
{
    long before = faults();
    region_write(arg, PAGES, 'c');
    _exit(faults() - before >= PAGES - 1 ? 0 : 1);
}

static void fork_check(void)
{
    char *at = map(RW, MAP_LOCKED);
    region_write(at, PAGES, 'p');
    is(child_run(child_writes, at), 0, "Z10 fork: the child of a locked process copies page by page");
    is(region_read(at, PAGES), PAGES * 'p', "Z10 fork: the locked pages are unharmed");
    munmap(at, SIZE);
}

int main(void)
{
    tap_begin();
    observe_settle();
    page_present(observe_text);
    populate_check();
    advice_check();
    lock_check();
    fork_check();
    return tap_end();
}
