// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// P4: mlock and its kin: what is locked and counted (VmLck), what is not (a child, exec), RLIMIT_MEMLOCK
// for one who is not root, and the errors.
#include <sys/syscall.h>

#include "child.h"
#include "mman-new.h"
#include "observe.h"

#define PAGES 64L
#define SIZE (PAGES * PAGE)
#define KB (PAGES * 4)
#define RW (PROT_READ | PROT_WRITE)

static char *map(int flags)
{
    char *at = mmap(NULL, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

static long vmlck(void)
{
    return observe_number(observe_file("/proc/self/status"), "\nVmLck:");
}

static void count_check(void)
{
    char *at = map(0);
    is(vmlck(), 0, "P4 nothing is locked at first");
    is(mlock(at, SIZE), 0, "P4 mlock passes");
    is(vmlck(), KB, "P4 VmLck counts it");
    is(mlock(at, SIZE), 0, "P4 a second time");
    is(vmlck(), KB, "P4 VmLck is the same: locks do not add up");
    is(munlock(at, SIZE / 2), 0, "P4 munlock of half");
    is(vmlck(), KB / 2, "P4 VmLck falls");
    is(mlock(at + 100, 1), 0, "P4 an address within a page locks the page");
    is(vmlck(), KB / 2 + 4, "P4 VmLck counts that");
    fails(madvise(at, SIZE, MADV_DONTNEED), EINVAL, "P4 locked memory cannot be dropped");
    is(mprotect(at, SIZE, PROT_READ), 0, "P4 its rights can be changed");
    is(vmlck(), KB / 2 + 4, "P4 which leaves it locked");
    munmap(at, SIZE);
    is(vmlck(), 0, "P4 munmap unlocks");
}

static void on_fault_check(void)
{
    char *at = map(0);
    is(syscall(SYS_mlock2, at, SIZE, MLOCK_ONFAULT), 0, "P4 mlock2 with MLOCK_ONFAULT passes");
    is(vmlck(), KB, "P4 VmLck counts the range");
    is(rss_at(at), 0, "P4 no page is there");
    region_write(at, 10, 1);
    is(rss_at(at), 10, "P4 a touch brings one");
    is(syscall(SYS_mlock2, at, SIZE, 0), 0, "P4 mlock2 without it");
    is(rss_at(at), PAGES, "P4 brings the rest");
    fails(syscall(SYS_mlock2, at, SIZE, 4), EINVAL, "P4 mlock2 with a flag that there is not");
    munmap(at, SIZE);
}

static void all_check(void)
{
    fails(mlockall(0), EINVAL, "P4 mlockall of nothing");
    fails(mlockall(64), EINVAL, "P4 mlockall with a flag that there is not");
    fails(mlockall(MCL_ONFAULT), EINVAL, "P4 mlockall of MCL_ONFAULT alone");
    char *before = map(0);
    is(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT), 0, "P4 mlockall with all flags passes");
    char *after = map(0);
    is(rss_at(before) + rss_at(after), 0, "P4 with MCL_ONFAULT no page comes before it is touched");
    is(smaps(0, after, "\nSize:") >= KB, 1, "P4 what is mapped later is mapped");
    long locked = vmlck();
    between(2 * KB, locked, 8192, "P4 VmLck counts both, and the program itself");
    is(munlockall(), 0, "P4 munlockall passes");
    is(vmlck(), 0, "P4 nothing is locked");
    char *later = map(0);
    is(vmlck(), 0, "P4 nor will be what is mapped now");
    munmap(before, SIZE);
    munmap(after, SIZE);
    munmap(later, SIZE);
}

static void child_has_none(void *arg)
{
    char *at = arg;
    _exit(vmlck() == 0 && madvise(at, SIZE, MADV_DONTNEED) == 0 ? 0 : 1);
}

static void errors_check(void)
{
    char *at = map(0);
    munmap(at + SIZE / 2, PAGE);
    fails(mlock(at, SIZE), ENOMEM, "P4 mlock across a hole");
    is(munlock(at, SIZE / 2), 0, "P4 munlock of what is there");
    fails(munlock(at, SIZE), ENOMEM, "P4 munlock across a hole");
    munmap(at, SIZE);
    is(mlock(NULL, 0), 0, "P4 mlock of no bytes passes");
    at = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(mlock(at, SIZE), ENOMEM, "P4 mlock of PROT_NONE memory");
    munmap(at, SIZE);
    at = map(MAP_LOCKED);
    is(child_run(child_has_none, at), 0, "P4 locks are not inherited by fork");
    munmap(at, SIZE);
}

// Without privilege RLIMIT_MEMLOCK counts.
static void unprivileged(void *arg)
{
    struct rlimit limit = {SIZE, SIZE}, none = {0, 0};
    (void)arg;
    char *at = map(0), *more = map(0);
    if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(1000))
        _exit(1);
    if (mlock(at, SIZE))
        _exit(2);
    if (mlock(more, PAGE) != -1 || errno != ENOMEM)
        _exit(3);
    if (mlock(at, PAGE) || vmlck() != KB)
        _exit(5); // what is locked already does not count twice
    munlock(at, SIZE);
    if (mlock(more, SIZE) || mlockall(MCL_CURRENT) != -1 || errno != ENOMEM)
        _exit(6);
    munlock(more, SIZE);
    if (setrlimit(RLIMIT_MEMLOCK, &none) || mlock(at, PAGE) != -1 || errno != EPERM)
        _exit(7);
    _exit(0);
}

int main(void)
{
    tap_begin();
    observe_settle();
    count_check();
    on_fault_check();
    all_check();
    errors_check();
    is(child_run(unprivileged, NULL) >> 8, 0, "P4 RLIMIT_MEMLOCK limits one who is not root");
    return tap_end();
}
