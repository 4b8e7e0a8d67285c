// SPDX-License-Identifier: MIT
// ram: 96M  time: 20
// not-with: zfod=off
//
// The corners of the memory calls: ranges that cross holes or mappings, odd flags, files opened one way or the
// other. What Linux does there, also where it stops half way.
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "catch.h"
#include "mman-new.h"
#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)
#define AT 0x100000000000ul
#define FIXED_PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define FIXED_SHARED (MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef PROT_GROWSDOWN
#define PROT_GROWSDOWN 0x01000000
#endif

static char *at(long page)
{
    return (char *)AT + page * PAGE;
}

static void *map(long page, long pages, int prot, int flags)
{
    return mmap(at(page), pages * PAGE, prot, flags, -1, 0);
}

static void *move(long from, long old_pages, long new_pages, int flags, long to)
{
    return mremap(at(from), old_pages * PAGE, new_pages * PAGE, flags, at(to));
}

static void clear(void)
{
    munmap(at(0), 1000 * PAGE);
}

// The rights of a page as maps shows them, or "" if nothing is mapped there.
static bool shows(long page, const char *rights)
{
    for (char *line = observe_file("/proc/self/maps"); *line; line = strchr(line, '\n') + 1) {
        unsigned long start, end;
        char found[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &end, found) == 3 && start <= (unsigned long)at(page) &&
            end > (unsigned long)at(page))
            return strcmp(found, rights) == 0;
    }
    return *rights == 0;
}

static void mmap_check(int fd)
{
    fails((long)mmap(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, -1, 0), EINVAL,
          "MAP_SHARED_VALIDATE of anonymous memory");
    fails((long)mmap(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED | MAP_GROWSDOWN, -1, 0), EINVAL,
          "shared memory does not grow");
    fails((long)mmap(0, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0), EINVAL, "nor does a file");
    fails((long)mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 1 << 7, fd, 0), EOPNOTSUPP,
          "MAP_SHARED_VALIDATE with a flag that there is not");
    ok(mmap(at(0), PAGE, PROT_READ, MAP_SHARED | 1 << 7 | MAP_FIXED, fd, 0) == at(0), "which MAP_SHARED ignores");
    fails((long)mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0x7fffffffffffe000), EOVERFLOW,
          "beyond the last byte that a file can have");
    fails((long)mmap(0, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL, "no length");
    fails((long)mmap(0, 0, PROT_READ, MAP_PRIVATE, -1, 0), EBADF, "no length of no file");
    fails((long)mmap(at(0) + 1, PAGE, RW, FIXED_PRIVATE, -1, 0), EINVAL, "a fixed address that is not aligned");
    fails((long)mmap((void *)-PAGE, PAGE, RW, FIXED_PRIVATE, -1, 0), ENOMEM, "one beyond user space");
    fails((long)mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0), ENOMEM, "no huge pages");
    char *low = mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    ok(low < (char *)0x80000000, "MAP_32BIT maps below 2 GiB");
    munmap(low, PAGE);
    map(0, 1, RW, FIXED_PRIVATE | MAP_POPULATE | MAP_NONBLOCK);
    is(rss_at(at(0)), 0, "MAP_POPULATE with MAP_NONBLOCK brings nothing");
    clear();
}

static void zero_check(void)
{
    int fd = open("/dev/zero", O_RDWR);
    char *private = mmap(at(0), 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, PAGE);
    char *shared = mmap(at(4), 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
    ok(private == at(0) && shared == at(4), "/dev/zero can be mapped");
    private[0] = shared[0] = 1;
    is(smaps(0, private, "\nAnonymous:"), 4, "privately it is anonymous memory");
    is(private[PAGE] + shared[PAGE], 0, "and gives zeroes");
    is(mremap(shared, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(8)) == at(8) && at(8)[0], 1,
       "shared it can be seen twice");
    fails((long)mmap(0, PAGE, RW, MAP_PRIVATE, open("/dev/null", O_RDWR), 0), ENODEV, "/dev/null cannot be mapped");
    close(fd);
    clear();
}

static void protect_check(int reader)
{
    map(0, 8, RW, FIXED_PRIVATE);
    munmap(at(4), PAGE);
    fails(mprotect(at(0), 8 * PAGE, PROT_READ), ENOMEM, "mprotect across a hole");
    ok(shows(3, "r--p") && shows(5, "rw-p"), "changes what lies before it");
    mmap(at(2), PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0);
    fails(mprotect(at(0), 4 * PAGE, PROT_WRITE), EACCES, "mprotect across a file that cannot be written");
    ok(shows(1, "-w-p") && shows(2, "r--s") && shows(3, "r--p"), "changes what lies before that");
    fails(mprotect(at(0), PAGE, RW | 8 << 4), EINVAL, "a right that there is not");
    is(mprotect(at(0), 0, RW | 8 << 4), 0, "of no length is none of mprotect's business");
    fails(mprotect(at(0), -PAGE, RW), ENOMEM, "a length that wraps around");
    clear();
    map(4, 4, RW, FIXED_PRIVATE | MAP_GROWSDOWN);
    is(mprotect(at(6), PAGE, PROT_READ | PROT_GROWSDOWN), 0, "PROT_GROWSDOWN");
    ok(shows(4, "r--p") && shows(6, "r--p") && shows(7, "rw-p"), "reaches down to the mapping's start");
    map(0, 1, RW, FIXED_PRIVATE);
    fails(mprotect(at(0), PAGE, RW | PROT_GROWSDOWN), EINVAL, "PROT_GROWSDOWN of what does not grow");
    clear();
}

static void remap_check(void)
{
    map(0, 4, RW, FIXED_PRIVATE);
    map(4, 2, PROT_READ, FIXED_PRIVATE);
    fails((long)move(0, 6, 8, MREMAP_MAYMOVE, 0), EFAULT, "mremap grows no two mappings");
    ok(move(0, 6, 2, 0, 0) == at(0) && shows(1, "rw-p") && shows(2, "") && shows(5, ""), "but cuts them off");
    fails((long)move(0, 0, 2, MREMAP_MAYMOVE, 0), EINVAL, "private memory cannot be seen twice");
    fails((long)move(50, 1, 2, MREMAP_MAYMOVE, 0), EFAULT, "nothing cannot grow");
    fails((long)move(0, 2, 2, MREMAP_FIXED, 20), EINVAL, "MREMAP_FIXED without MREMAP_MAYMOVE");
    fails((long)move(0, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 1), EINVAL, "old and new place overlap");
    fails((long)move(0, 2, 3, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), EINVAL, "MREMAP_DONTUNMAP with another length");
    at(0)[0] = 'm';
    long committed = meminfo("Committed_AS:");
    ok(move(0, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, 20) == at(20) && at(20)[0] == 'm' && !at(0)[0],
       "MREMAP_DONTUNMAP moves the pages and leaves the mapping");
    is(meminfo("Committed_AS:") - committed, 8, "which is charged once more");
    clear();
    map(0, 4, RW, FIXED_SHARED);
    at(0)[0] = 's';
    ok(move(0, 0, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 20) == at(20) && at(20)[0] == 's', "shared memory can be seen twice");
    at(20)[PAGE] = 't';
    is(at(0)[PAGE], 't', "both are the same");
    ok(move(0, 4, 8, MREMAP_MAYMOVE | MREMAP_FIXED, 40) == at(40), "it can become longer");
    catches(touch_read, at(46), SIGBUS, BUS_ADRERR, "but its object does not");
    clear();
}

static void lock_check(int reader)
{
    map(0, 8, RW, FIXED_PRIVATE);
    munmap(at(4), PAGE);
    fails(mlock(at(0), 8 * PAGE), ENOMEM, "mlock across a hole");
    is(smaps(0, at(0), "\nLocked:"), 0, "fetches nothing");
    fails(madvise(at(3), PAGE, MADV_DONTNEED), EINVAL, "but has locked what lies before it");
    is(madvise(at(5), PAGE, MADV_DONTNEED), 0, "and nothing behind");
    fails(msync(at(0), PAGE, MS_INVALIDATE), EBUSY, "msync does not invalidate what is locked");
    fails(msync(at(0), 8 * PAGE, MS_SYNC), ENOMEM, "msync tells of the hole");
    fails(munlock(at(0), 8 * PAGE), ENOMEM, "munlock across a hole");
    is(madvise(at(3), PAGE, MADV_DONTNEED), 0, "unlocks what lies before it");
    is(mlock(at(0), -1), 0, "a length that wraps to nothing passes");
    fails(mlock(at(0), -PAGE), EINVAL, "one that wraps otherwise does not");
    mprotect(at(2), PAGE, PROT_NONE);
    fails(mlock(at(0), 4 * PAGE), ENOMEM, "mlock of what cannot be touched");
    is(rss_at(at(0)), 2, "fetches what lies before it");
    clear();
    mmap(at(0), 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0);
    fails(mlock(at(0), 4 * PAGE), ENOMEM, "mlock beyond a file's end");
    map(8, 2, RW, FIXED_PRIVATE);
    is(mlockall(MCL_CURRENT), 0, "mlockall passes over that");
    is(rss_at(at(8)), 2, "and goes on behind it");
    munlockall();
    clear();
}

static void mincore_check(void)
{
    unsigned char core[8];
    map(0, 4, RW, FIXED_PRIVATE);
    map(6, 2, RW, FIXED_PRIVATE);
    at(2)[0] = 1;
    memset(core, 9, sizeof(core));
    fails(mincore(at(0), 8 * PAGE, core), ENOMEM, "mincore across a hole");
    ok(core[0] == 0 && core[2] == 1 && core[4] == 9, "tells of what lies before it");
    clear();
}

static void advice_check(void)
{
    map(0, 4, RW, FIXED_PRIVATE);
    is(madvise(at(0), 4 * PAGE, 16), 0, "MADV_DONTDUMP");
    ok(strstr(smaps_entry(0, at(0)), " dd "), "shows in smaps");
    is(madvise(at(0), 4 * PAGE, 17), 0, "MADV_DODUMP takes it back");
    at(0)[0] = 'a';
    is(madvise(at(0), 4 * PAGE, 20), 0, "MADV_COLD");
    is(madvise(at(0), 4 * PAGE, 21), 0, "MADV_PAGEOUT");
    is(at(0)[0], 'a', "keep the contents");
    mlock(at(0), 4 * PAGE);
    fails(madvise(at(0), 4 * PAGE, 20), EINVAL, "MADV_COLD of locked memory");
    fails(madvise(at(0), 4 * PAGE, MADV_DONTNEED), EINVAL, "MADV_DONTNEED of locked memory");
    is(madvise(at(0), 4 * PAGE, 24), 0, "MADV_DONTNEED_LOCKED");
    is(at(0)[0], 0, "drops it all the same");
    munmap(at(2), PAGE);
    fails(madvise(at(0), 4 * PAGE, 23), ENOMEM, "MADV_POPULATE_WRITE across a hole");
    is(rss_at(at(0)), 2, "fetches what lies before it");
    fails(madvise((void *)-PAGE, -PAGE, MADV_NORMAL), EINVAL, "a range that wraps around");
    fails(madvise((void *)0x7ffffffff000, PAGE, MADV_NORMAL), ENOMEM, "a range beyond user space");
    clear();
}

// The break as the kernel sets it; true if it is where it was asked to be.
static bool heap_ends(char *end)
{
    return syscall(SYS_brk, end) == (long)end;
}

static void brk_check(void)
{
    char *heap = (char *)((syscall(SYS_brk, 0) + PAGE - 1) & -PAGE);
    ok(heap_ends(heap), "the heap ends at a page");
    mmap(heap + 20 * PAGE, PAGE, RW, FIXED_PRIVATE, -1, 0);
    ok(!heap_ends(heap + 20 * PAGE), "it grows up to no other mapping");
    ok(heap_ends(heap + 19 * PAGE), "but to a page from it");
    munmap(heap + 20 * PAGE, PAGE);
    munmap(heap + 5 * PAGE, 14 * PAGE);
    ok(!heap_ends(heap + 10 * PAGE), "what the program has unmapped cannot be given back");
    ok(heap_ends(heap), "unless something is left below");
}

int main(void)
{
    tap_begin();
    int fd = open("/tmp/corners", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("/tmp/corners", O_RDONLY);
    unlink("/tmp/corners");
    if (fd < 0 || reader < 0 || ftruncate(fd, PAGE))
        tap_bail("/tmp/corners");
    observe_settle();
    mmap_check(fd);
    zero_check();
    protect_check(reader);
    remap_check();
    lock_check(reader);
    mincore_check();
    advice_check();
    brk_check();
    return tap_end();
}
