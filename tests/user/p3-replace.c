// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// not-with: zfod=off
//
// P3, O4: limits on what takes the place of something else. What MAP_FIXED or mremap replaces does not count
// any more; what is over the limit is refused, and who is refused keeps what Linux lets him keep.
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "child.h"
#include "mman-new.h"
#include "observe.h"
#include "sysctl.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define AT 0x100000000000ul

static int exit_code; // which check of a child failed

#define MUST(condition)                  \
    do {                                 \
        exit_code++;                     \
        if (!(condition))                \
            _exit(exit_code);            \
    } while (0)
#define REFUSED(call, error) MUST((long)(call) == -1 && errno == (error))

static char *at(long page)
{
    return (char *)AT + page * PAGE;
}

static char *map(long page, long pages, int prot, int flags)
{
    return mmap(at(page), pages * PAGE, prot, ANON | flags, -1, 0);
}

static bool is_mapped(long page)
{
    unsigned char byte;
    return mincore(at(page), PAGE, &byte) == 0;
}

// Asks the kernel itself: musl's brk() always refuses.
static bool heap_grows(long pages)
{
    long end = syscall(SYS_brk, 0);
    return syscall(SYS_brk, end + pages * PAGE) == end + pages * PAGE;
}

static void limit(int resource, long soft)
{
    struct rlimit limit = {soft, RLIM_INFINITY};
    if (setrlimit(resource, &limit))
        _exit(100);
}

static long data_pages(void)
{
    return observe_number(observe_file("/proc/self/status"), "\nVmData:") / 4;
}

static void size_limit(void *arg)
{
    (void)arg;
    MUST(map(0, 10, RW, 0) == at(0));
    limit(RLIMIT_AS, (vsz_all() + 4) * PAGE);
    REFUSED(map(20, 5, RW, 0), ENOMEM);
    MUST(map(20, 4, RW, 0) == at(20));
    REFUSED(map(30, 1, RW, 0), ENOMEM);
    MUST(map(0, 4, PROT_READ, 0) == at(0)); // takes the place of as much
    REFUSED(map(8, 4, PROT_READ, 0), ENOMEM); // of half as much
    MUST(is_mapped(8) && is_mapped(9) && !is_mapped(10));
    REFUSED(mremap(at(0), 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE), ENOMEM);
    MUST(mremap(at(20), 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(4)) == at(4));
    MUST(!is_mapped(20));
    MUST(!heap_grows(5));
    limit(RLIMIT_AS, PAGE); // below what there is: rights can still change
    MUST(mprotect(at(4), PAGE, PROT_NONE) == 0 && mprotect(at(4), PAGE, RW) == 0);
}

static void data_limit(void *arg)
{
    (void)arg;
    MUST(map(0, 10, RW, 0) == at(0) && map(10, 10, PROT_READ, 0) == at(10));
    limit(RLIMIT_DATA, (data_pages() + 4) * PAGE);
    REFUSED(map(30, 5, RW, 0), ENOMEM);
    MUST(map(30, 4, RW, 0) == at(30));
    REFUSED(map(40, 1, RW, 0), ENOMEM);
    MUST(map(40, 1, PROT_READ, 0) == at(40)); // is no data
    REFUSED(mprotect(at(10), PAGE, RW), ENOMEM); // would become data
    MUST(mprotect(at(10), PAGE, PROT_EXEC) == 0);
    MUST(mmap(at(50), PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(50));
    MUST(map(0, 4, RW, 0) == at(0));
    MUST(mprotect(at(0), 2 * PAGE, PROT_READ) == 0); // makes room for as much
    MUST(mprotect(at(12), 2 * PAGE, RW) == 0);
    REFUSED(mprotect(at(14), PAGE, RW), ENOMEM);
    REFUSED(mremap(at(30), 4 * PAGE, 5 * PAGE, 0), ENOMEM);
    limit(RLIMIT_DATA, 0); // as Linux reads it: the hard limit counts
    MUST(map(60, 1, RW, 0) == at(60));
    MUST(!heap_grows(1)); // but not for the heap
}

// VMA by VMA: those before the one that is refused have changed.
static void data_in_parts(void *arg)
{
    (void)arg;
    MUST(map(0, 2, PROT_READ, 0) == at(0) && map(2, 4, PROT_READ, MAP_NORESERVE) == at(2));
    limit(RLIMIT_DATA, (data_pages() + 3) * PAGE);
    REFUSED(mprotect(at(0), 6 * PAGE, RW), ENOMEM);
    at(0)[0] = 1;
    MUST(data_pages() > 2 && mprotect(at(2), PAGE, RW) == 0);
}

static void lock_limit(void *arg)
{
    struct rlimit four = {4 * PAGE, 4 * PAGE}, none = {0, 0};
    (void)arg;
    MUST(map(0, 8, RW, 0) == at(0));
    MUST(setrlimit(RLIMIT_MEMLOCK, &four) == 0 && setuid(1000) == 0);
    REFUSED(map(20, 5, RW, MAP_LOCKED), EAGAIN);
    MUST(!is_mapped(20) && map(20, 3, RW, MAP_LOCKED) == at(20));
    REFUSED(map(30, 2, RW, MAP_LOCKED), EAGAIN);
    REFUSED(map(20, 3, RW, MAP_LOCKED), EAGAIN); // what would go counts, here
    MUST(is_mapped(20) && mlock(at(0), PAGE) == 0);
    REFUSED(mlock(at(1), PAGE), ENOMEM);
    REFUSED(mremap(at(20), 3 * PAGE, 4 * PAGE, 0), EAGAIN);
    MUST(munlock(at(0), PAGE) == 0 && mremap(at(20), 3 * PAGE, 4 * PAGE, 0) == at(20));
    MUST(munmap(at(20), 4 * PAGE) == 0);
    REFUSED(mlockall(MCL_CURRENT), ENOMEM);
    MUST(mlockall(MCL_FUTURE) == 0);
    MUST(map(40, 4, RW, 0) == at(40));
    REFUSED(map(50, 1, PROT_NONE, 0), EAGAIN);
    MUST(!heap_grows(1));
    MUST(munlockall() == 0 && heap_grows(1) && map(50, 1, RW, 0) == at(50));
    MUST(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    REFUSED(mlock(at(0), 0), EPERM);
    REFUSED(mlockall(MCL_FUTURE), EPERM);
    REFUSED(map(60, 1, PROT_NONE, MAP_LOCKED), EPERM);
    MUST(munlock(at(0), PAGE) == 0 && munlockall() == 0);
    REFUSED(mmap((void *)0x8000, PAGE, RW, ANON, -1, 0), EPERM); // below vm.mmap_min_addr
}

static int maps_count(void)
{
    int count = 0;
    for (char *line = observe_file("/proc/self/maps"); *line; line = strchr(line, '\n') + 1)
        count++;
    return count - (strstr(observe_text, "[vsyscall]") != NULL);
}

static void map_count(void *arg)
{
    int before = maps_count();
    (void)arg;
    MUST(knob_set("max_map_count", before + 6) == 0);
    for (long i = 0; i < 7; i++)
        MUST(map(2 * i, 1, PROT_READ, 0) == at(2 * i)); // one more than the limit
    REFUSED(map(14, 1, PROT_READ, 0), ENOMEM);
    REFUSED(map(0, 1, RW, 0), ENOMEM); // even in the place of one
    MUST(maps_count() == before + 7);
    MUST(munmap(at(12), PAGE) == 0 && munmap(at(10), PAGE) == 0);
    MUST(map(20, 6, RW, 0) == at(20)); // at the limit now
    REFUSED(munmap(at(22), PAGE), ENOMEM); // a hole would make two of one
    REFUSED(mprotect(at(22), PAGE, PROT_READ), ENOMEM);
    REFUSED(madvise(at(25), PAGE, MADV_DONTFORK), EAGAIN);
    REFUSED(mlock(at(25), PAGE), ENOMEM);
    MUST(munmap(at(20), PAGE) == 0 && munmap(at(25), PAGE) == 0); // an end goes all the same
    REFUSED(mremap(at(22), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(60)), ENOMEM);
    MUST(knob_set("max_map_count", 65530) == 0);
}

static void check(void (*body)(void *), const char *what)
{
    int status = child_run(body, NULL);
    ok(status == 0, "P3 %s", what);
    if (status)
        tap_note("check %d failed, or signal %d", status >> 8, status & 127);
}

static bool policy(long kbytes)
{
    return !knob_set("user_reserve_kbytes", 0) && !knob_set("admin_reserve_kbytes", 0) &&
           !knob_set("overcommit_memory", 2) && !knob_set("overcommit_kbytes", kbytes);
}

// In mode 2 with 128 pages to spare: the old mapping goes first, and is gone if the new one is refused.
static void mode_2(void)
{
    long user = knob("user_reserve_kbytes"), admin = knob("admin_reserve_kbytes");
    char *old = map(0, 64, RW, 0);
    if (old != at(0) || !policy(meminfo("Committed_AS:") + 512))
        tap_bail("mode 2");
    ok(map(0, 64, RW, 0) == at(0), "O4 as much in the place of 64 pages");
    ok(map(0, 160, RW, 0) == at(0), "O4 the charge of what goes is there for what comes");
    ok(map(32, 512, RW, 0) == MAP_FAILED && errno == ENOMEM, "O4 512 pages are refused");
    ok(is_mapped(31) && !is_mapped(32), "O4 what they were to replace is gone by then");
    ok(map(0, 512, PROT_READ, 0) == at(0), "O4 what cannot be written costs nothing");
    fails(mprotect(at(0), 512 * PAGE, RW), ENOMEM, "O4 it cannot become writable");
    is(mprotect(at(0), 32 * PAGE, RW), 0, "O4 but a part can");
    ok(map(0, 512, RW, MAP_NORESERVE) == MAP_FAILED, "O4 MAP_NORESERVE means nothing");
    munmap(at(0), 512 * PAGE);
    knob_set("overcommit_memory", 0);
    knob_set("overcommit_ratio", 50);
    knob_set("user_reserve_kbytes", user);
    knob_set("admin_reserve_kbytes", admin);
}

int main(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    check(size_limit, "RLIMIT_AS");
    check(data_limit, "RLIMIT_DATA");
    check(data_in_parts, "RLIMIT_DATA, in the middle of a range");
    check(lock_limit, "RLIMIT_MEMLOCK");
    check(map_count, "vm.max_map_count");
    mode_2();
    return tap_end();
}
