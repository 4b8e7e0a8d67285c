// SPDX-License-Identifier: MIT
// ram: 96M  time: 20
//
// P4: holes punched into an object that several processes map, by MADV_REMOVE and by fallocate: everybody
// reads zeroes afterwards, and the frames are back. What a private mapping has written stays its own.
#define _GNU_SOURCE
#include "child.h"
#include "observe.h"

#define PAGES 64L
#define SIZE (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static void fill(char *at, int byte)
{
    for (long i = 0; i < PAGES; i++)
        at[i * PAGE] = byte;
}

// How many of the pages hold this byte.
static long count(const char *at, int byte)
{
    long pages = 0;
    for (long i = 0; i < PAGES; i++)
        pages += *(volatile const char *)(at + i * PAGE) == byte;
    return pages;
}

static char *map(int flags, int fd)
{
    char *at = mmap(NULL, SIZE, RW, flags, fd, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

// Maps all there is of it, then tells what it sees whenever asked, until told 0.
static void onlooker(struct link *link, void *arg)
{
    say(link, count(arg, 'o'));
    while (hear(link))
        say(link, count(arg, 0));
}

static void anonymous_check(void)
{
    char *at = map(MAP_SHARED | MAP_ANONYMOUS, -1);
    fill(at, 'o');
    struct link child = child_start(onlooker, at);
    is(hear(&child), PAGES, "P4 a child sees what was written");
    long shmem = meminfo("Shmem:");
    is(madvise(at + PAGE, SIZE / 2, MADV_REMOVE), 0, "P4 half is removed");
    is(count(at, 0), PAGES / 2, "P4 it reads zero here");
    say(&child, 1);
    is(hear(&child), PAGES / 2, "P4 and in the child, which had mapped it");
    is(shmem - meminfo("Shmem:"), 0, "P4 both have read it, so there are pages again");
    is(madvise(at, SIZE, MADV_REMOVE), 0, "P4 all is removed");
    is(shmem - meminfo("Shmem:"), SIZE / 1024, "P4 the frames are back");
    at[5 * PAGE] = 'n';
    say(&child, 1);
    is(hear(&child), PAGES - 1, "P4 what is written then is seen by both again");
    say(&child, 0);
    is(child_end(&child), 0, "P4 the child ends well");
    munmap(at, SIZE);
}

static int file_make(void)
{
    int fd = open("/tmp/holes", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("/tmp/holes");
    if (fd < 0 || ftruncate(fd, SIZE))
        tap_bail("/tmp/holes");
    return fd;
}

static int punch(int fd, long offset, long length)
{
    return fallocate(fd, 1 | 2, offset, length); // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
}

// A child sees a shared mapping; `way` 0: MADV_REMOVE, 1: fallocate(2).
static void file_check(int way, const char *name)
{
    int fd = file_make();
    char *shared = map(MAP_SHARED, fd), *private = map(MAP_PRIVATE, fd), byte = 'x';
    fill(shared, 'o');
    for (long i = 0; i < PAGES; i += 2)
        private[i * PAGE] = 'p';
    is(count(private, 'o'), PAGES / 2, "P4 %s: a private mapping shows the file where it has not written", name);
    struct link child = child_start(onlooker, shared);
    is(hear(&child), PAGES, "P4 %s: a child sees the file", name);
    is(way ? punch(fd, 0, SIZE) : madvise(shared, SIZE, MADV_REMOVE), 0, "P4 %s passes", name);
    is(count(private, 'p'), PAGES / 2, "P4 %s: what was written privately stays", name);
    is(count(private, 0), PAGES / 2, "P4 %s: the rest of the private mapping reads zero", name);
    say(&child, 1);
    is(hear(&child), PAGES, "P4 %s: the child reads zero", name);
    is(count(shared, 0), PAGES, "P4 %s: so does this process", name);
    is(lseek(fd, 0, SEEK_END), SIZE, "P4 %s: the file is as long as it was", name);
    ok(pread(fd, &byte, 1, 0) == 1 && byte == 0, "P4 %s: reading the file gives zero", name);
    say(&child, 0);
    child_end(&child);
    munmap(shared, SIZE);
    munmap(private, SIZE);
    close(fd);
}

// A hole that begins and ends inside of pages, with bytes on both sides.
static void bytes_check(void)
{
    int fd = file_make();
    char *at = map(MAP_SHARED, fd);
    memset(at, 'b', 4 * PAGE);
    is(punch(fd, PAGE - 1, PAGE + 2), 0, "P4 a hole of a page and a byte on either side");
    ok(at[PAGE - 2] == 'b' && !at[PAGE - 1] && !at[PAGE] && !at[2 * PAGE] && at[2 * PAGE + 1] == 'b',
       "P4 begins and ends where it should");
    munmap(at, SIZE);
    close(fd);
}

// Ranges that are not all there, or not all writable.
static void range_check(void)
{
    char *at = map(MAP_SHARED | MAP_ANONYMOUS, -1);
    fill(at, 'o');
    is(munmap(at + 8 * PAGE, PAGE), 0, "P4 a range with a hole");
    fails(madvise(at, SIZE, MADV_REMOVE), ENOMEM, "P4 ends in ENOMEM");
    ok(!at[0] && !at[7 * PAGE] && !at[9 * PAGE] && !at[SIZE - PAGE], "P4 and what is mapped has gone all the same");
    at[0] = 'o';
    is(mprotect(at, PAGE, PROT_READ), 0, "P4 a page that may not be written now");
    is(madvise(at, PAGE, MADV_REMOVE), 0, "P4 can be removed, for it might be");
    is(at[0], 0, "P4 and is gone");
    is(mlock(at + PAGE, PAGE), 0, "P4 a locked page");
    fails(madvise(at, 2 * PAGE, MADV_REMOVE), EINVAL, "P4 cannot");
    munmap(at, SIZE);
    fails(madvise(at, SIZE, MADV_REMOVE), ENOMEM, "P4 nothing mapped");
}

// A file that is not open for writing.
static void rights_check(void)
{
    int fd = open("/tmp/rights", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("/tmp/rights", O_RDONLY);
    unlink("/tmp/rights");
    if (fd < 0 || reader < 0 || ftruncate(fd, SIZE))
        tap_bail("/tmp/rights");
    char *at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, reader, 0);
    fails(madvise(at, SIZE, MADV_REMOVE), EACCES, "P4 a shared mapping that can never be written");
    munmap(at, SIZE);
    at = map(MAP_PRIVATE, fd);
    fails(madvise(at, SIZE, MADV_REMOVE), EACCES, "P4 a private mapping");
    munmap(at, SIZE);
    close(reader);
    close(fd);
}

int main(void)
{
    tap_begin();
    observe_settle();
    anonymous_check();
    file_check(0, "MADV_REMOVE");
    file_check(1, "fallocate");
    bytes_check();
    range_check();
    rights_check();
    return tap_end();
}
