// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: files
//
// Seals (fcntl(2), "File Sealing"): what a sealed memfd refuses, through every door.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PAGE 4096

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#ifndef F_SET_RW_HINT
#define F_GET_RW_HINT 1035
#define F_SET_RW_HINT 1036
#endif

// A new file of two pages that has these seals.
static int sealed(int seals)
{
    int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(fd, 2 * PAGE);
    if (fcntl(fd, F_ADD_SEALS, seals))
        tap_bail("F_ADD_SEALS");
    return fd;
}

static void *map(int fd, int prot, int flags)
{
    return mmap(NULL, PAGE, prot, flags, fd, 0);
}

static void rules(void)
{
    int plain = memfd_create("plain", 0), pipes[2], status;
    int fd = memfd_create("seals", MFD_ALLOW_SEALING);
    char path[64];
    pipe(pipes);
    is(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL, "a memfd has no more seals than the one on seals");
    fails(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM, "which keeps it so");
    fails(fcntl(pipes[0], F_GET_SEALS), EINVAL, "a pipe has no seals");
    fails(fcntl(pipes[1], F_ADD_SEALS, F_SEAL_WRITE), EINVAL, "and gets none");
    is(fcntl(fd, F_GET_SEALS), 0, "with MFD_ALLOW_SEALING there are none");
    is(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0, "one is added");
    is(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0, "and another one");
    is(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK, "both are told");
    fails(fcntl(fd, F_ADD_SEALS, 0x4000), EINVAL, "a seal that nobody knows");
    fails(fcntl(fd, F_ADD_SEALS, (long)F_SEAL_WRITE | 1l << 40), EINVAL, "nor one of so many bits");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY);
    fails(fcntl(reader, F_ADD_SEALS, F_SEAL_WRITE), EPERM, "who cannot write cannot seal");
    is(fcntl(reader, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK, "but sees the seals");
    is(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0, "the seal on seals");
    fails(fcntl(fd, F_ADD_SEALS, 0), EPERM, "ends it");
    pid_t child = fork();
    if (!child)
        _exit(fcntl(fd, F_GET_SEALS) != (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
    waitpid(child, &status, 0);
    is(status, 0, "seals are the file's, whoever has it open");
    uint64_t hint = 3, told = 9;
    is(fcntl(fd, F_SET_RW_HINT, &hint), 0, "a hint how long contents will last");
    is(fcntl(reader, F_GET_RW_HINT, &told), 0, "is the file's, too");
    is((long)told, 3, "and told again");
    hint = 77;
    fails(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL, "unless nobody knows it");
    close(plain), close(fd), close(reader), close(pipes[0]), close(pipes[1]);
}

static void sizes(void)
{
    int grow = sealed(F_SEAL_GROW), shrink = sealed(F_SEAL_SHRINK);
    static char bytes[3 * PAGE];
    fails(ftruncate(grow, 3 * PAGE), EPERM, "F_SEAL_GROW: no larger by ftruncate");
    fails(fallocate(grow, 0, 0, 3 * PAGE), EPERM, "nor by fallocate");
    fails(fallocate(grow, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE), EPERM, "not even behind the end");
    fails(pwrite(grow, bytes, PAGE, 2 * PAGE), EPERM, "nor by a write");
    is(pwrite(grow, bytes, sizeof(bytes), 0), 2 * PAGE, "which goes as far as it may");
    is(fallocate(grow, 0, 0, 2 * PAGE), 0, "what is inside stays free");
    is(fallocate(grow, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0, "holes, too");
    is(ftruncate(grow, PAGE), 0, "and it may shrink");
    fails(ftruncate(shrink, PAGE), EPERM, "F_SEAL_SHRINK: no smaller");
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", shrink);
    fails(open(path, O_RDWR | O_TRUNC), EPERM, "not by O_TRUNC either");
    is(ftruncate(shrink, 2 * PAGE), 0, "the same size is neither");
    is(ftruncate(shrink, 3 * PAGE), 0, "and it may grow");
    close(grow), close(shrink);
}

static void writing(void)
{
    int fd = sealed(0), status;
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), byte = 'x';
    char *private = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY, "no seal while it is mapped for writing");
    is(fcntl(fd, F_GET_SEALS), 0, "none is left of the attempt");
    mprotect(shared, PAGE, PROT_READ);
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY, "mprotect does not count");
    pid_t child = fork();
    if (!child)
        pause();
    munmap(shared, PAGE);
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY, "a child's mapping does");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    is(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0, "with only private mappings it can be sealed");
    *private = 'p';
    is(pread(fd, &byte, 1, 0), 1, "it can be read");
    is(byte, 0, "and is as it was");
    fails(write(fd, "x", 1), EPERM, "F_SEAL_WRITE: no write");
    fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM, "no hole");
    ok(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM, "no mapping to write through");
    void *seen = map(fd, PROT_READ, MAP_SHARED);
    ok(seen != MAP_FAILED, "to read through there is one");
    fails(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES, "for good");
    munmap(seen, PAGE);
    void *copy = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    ok(copy != MAP_FAILED, "private mappings are free");
    munmap(copy, PAGE);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY);
    seen = map(reader, PROT_READ, MAP_SHARED);
    ok(seen != MAP_FAILED, "and what is not open for writing is mapped");
    fails(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES, "to be read only");
    is(ftruncate(fd, PAGE), 0, "its size is not sealed");
    munmap(private, PAGE), munmap(seen, PAGE);
    close(fd), close(reader);
}

static void future(void)
{
    int fd = sealed(0);
    char *before = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    is(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0, "F_SEAL_FUTURE_WRITE does not mind who writes already");
    *before = 'b';
    char byte = 0;
    pread(fd, &byte, 1, 0);
    is(byte, 'b', "who goes on writing");
    fails(write(fd, "x", 1), EPERM, "others do not");
    fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM, "nor punch holes");
    ok(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM, "nor map it to write");
    char *seen = map(fd, PROT_READ, MAP_SHARED);
    ok(seen != MAP_FAILED && *seen == 'b', "they may look");
    fails(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES, "and only look");
    fails(madvise(before, PAGE, MADV_REMOVE), EPERM, "no hole through a mapping either");
    munmap(before, PAGE), munmap(seen, PAGE);
    close(fd);
}

int main(void)
{
    tap_begin();
    rules();
    sizes();
    writing();
    future();
    return tap_end();
}
