// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// mmap, munmap, mprotect, madvise: what they refuse, with which error. Raw system calls.
#include <sys/syscall.h>

#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define TOP 0x7ffffffff000ul // the first address above user memory

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static long map(unsigned long addr, unsigned long size, int prot, int flags, int fd, long offset)
{
    return syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

static void mmap_refuses(char *mine)
{
    unsigned long used = (unsigned long)mine;
    fails(map(0, 0, RW, ANON, -1, 0), EINVAL, "mmap of length zero: EINVAL");
    fails(map(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL, "mmap neither private nor shared: EINVAL");
    fails(map(used + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL,
          "mmap fixed at an unaligned address: EINVAL");
    fails(map(0, PAGE, RW, ANON, -1, 100), EINVAL, "mmap at an unaligned offset: EINVAL");
    fails(map(0, -PAGE, RW, ANON, -1, 0), ENOMEM, "mmap of nearly 2^64 bytes: ENOMEM");
    fails(map(0, -1ul, RW, ANON, -1, 0), ENOMEM, "mmap whose rounded length overflows: ENOMEM");
    fails(map(0, 1ul << 47, PROT_NONE, ANON, -1, 0), ENOMEM, "mmap of all user space: ENOMEM");
    fails(map(TOP, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM, "mmap fixed above user space: ENOMEM");
    fails(map(TOP - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM,
          "mmap fixed across its end: ENOMEM");
    fails(map(-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM, "mmap fixed in the kernel's half: ENOMEM");
    fails(map(0, PAGE, RW, MAP_PRIVATE, 77, 0), EBADF, "mmap of no file: EBADF");
    fails(map(used, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST,
          "MAP_FIXED_NOREPLACE over a mapping: EEXIST");
    fails(map(used - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST,
          "MAP_FIXED_NOREPLACE over the edge of one: EEXIST");
    is(mine[0], 'm', "the mapping in the way is unharmed");
}

static void munmap_refuses(char *mine)
{
    fails(syscall(SYS_munmap, mine + 1, PAGE), EINVAL, "munmap of an unaligned address: EINVAL");
    fails(syscall(SYS_munmap, mine, 0), EINVAL, "munmap of length zero: EINVAL");
    fails(syscall(SYS_munmap, mine, -PAGE), EINVAL, "munmap of nearly 2^64 bytes: EINVAL");
    fails(syscall(SYS_munmap, TOP, PAGE), EINVAL, "munmap above user space: EINVAL");
    is(syscall(SYS_munmap, mine - PAGE, PAGE), 0, "munmap of what is not mapped is no error");
    is(mine[0], 'm', "the mapping is unharmed");
}

static void mprotect_refuses(char *mine)
{
    fails(syscall(SYS_mprotect, mine + 1, PAGE, RW), EINVAL, "mprotect of an unaligned address: EINVAL");
    fails(syscall(SYS_mprotect, mine, PAGE, 0x40), EINVAL, "mprotect to no known right: EINVAL");
    fails(syscall(SYS_mprotect, mine, -1ul, RW), ENOMEM, "mprotect of nearly 2^64 bytes: ENOMEM");
    fails(syscall(SYS_mprotect, mine, 3 * PAGE, PROT_READ), ENOMEM, "mprotect that runs into a hole: ENOMEM");
    fails(syscall(SYS_mprotect, mine + 2 * PAGE, PAGE, RW), ENOMEM, "mprotect of a hole: ENOMEM");
    is(syscall(SYS_mprotect, mine, 0, RW), 0, "mprotect of length zero is no error");
    is(syscall(SYS_mprotect, mine, 2 * PAGE, RW), 0, "mprotect of it all");
}

static void madvise_refuses(char *mine)
{
    fails(syscall(SYS_madvise, mine + 1, PAGE, MADV_DONTNEED), EINVAL,
          "madvise of an unaligned address: EINVAL");
    fails(syscall(SYS_madvise, mine, PAGE, 9999), EINVAL, "madvise with no known advice: EINVAL");
    fails(syscall(SYS_madvise, mine, -PAGE, MADV_DONTNEED), EINVAL, "madvise of nearly 2^64 bytes: EINVAL");
    is(syscall(SYS_madvise, mine, 0, MADV_DONTNEED), 0, "madvise of length zero is no error");
    is(mine[0], 'm', "it changes nothing");
    fails(syscall(SYS_madvise, mine, 3 * PAGE, MADV_DONTNEED), ENOMEM,
          "madvise that runs into a hole: ENOMEM");
    is(mine[0], 0, "though what was mapped has been dropped");
}

int main(void)
{
    tap_begin();
    char *mine = region_map(512); // two pages with a hole on either side
    munmap(mine - PAGE, PAGE);
    munmap(mine + 2 * PAGE, 510 * PAGE);
    mine[0] = 'm';
    mmap_refuses(mine);
    munmap_refuses(mine);
    mprotect_refuses(mine);
    madvise_refuses(mine);
    return tap_end();
}
