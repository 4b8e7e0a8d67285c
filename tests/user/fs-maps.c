// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Files in memory: what is written through a shared mapping is in the file and the other way round, a private
// mapping keeps its writes, and what lies beyond the end is SIGBUS (BEHAVIOUR C8, F1).
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe.h"
#include "tap.h"

static sigjmp_buf back;
static volatile int bus_code;

static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    bus_code = info->si_code;
    siglongjmp(back, 1);
}

// Reads the byte; true if that is a SIGBUS.
static bool is_bus(const volatile char *at)
{
    if (sigsetjmp(back, 1))
        return true;
    (void)*at;
    return false;
}

static int open_new(size_t size)
{
    int fd = open("/tmp/fs-maps", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (ftruncate(fd, size))
        tap_bail("ftruncate");
    return fd;
}

static char *map(int fd, size_t size, int flags)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

static void shared(void)
{
    char got[8] = "";
    int fd = open_new(3 * PAGE);
    char *one = map(fd, 3 * PAGE, MAP_SHARED), *two = map(fd, 3 * PAGE, MAP_SHARED);
    is(one[100], 0, "a hole reads as zeroes");
    strcpy(one, "hello");
    ok(!strcmp(two, "hello"), "C8 a shared mapping is seen by another");
    pread(fd, got, 5, 0);
    ok(!strcmp(got, "hello"), "C8 and by read(2)");
    pwrite(fd, "HE", 2, 0);
    ok(!strcmp(one, "HEllo"), "C8 a write(2) is seen in the mapping");
    char *private = map(fd, 3 * PAGE, MAP_PRIVATE);
    private[0] = 'x';
    ok(one[0] == 'H' && private[1] == 'E', "C8 a private write is not seen by others");
    pwrite(fd, "ZZ", 2, 0);
    is(private[0], 'x', "C8 nor overwritten by them");
    if (!fork()) {
        one[PAGE] = 7;
        private[1] = 9;
        _exit(0);
    }
    wait(NULL);
    is(one[PAGE], 7, "C8 a child's write to the shared one is seen");
    is(private[1], 'E', "C8 and its write to the private one is not");
    munmap(one, 3 * PAGE), munmap(two, 3 * PAGE), munmap(private, 3 * PAGE);
    close(fd);
}

// What test harnesses do: results in a file that has no name any more.
static void unlinked(void)
{
    int fd = open_new(PAGE);
    int *results = (int *)map(fd, PAGE, MAP_SHARED);
    unlink("/tmp/fs-maps");
    close(fd);
    for (int i = 0; i < 8; i++)
        if (!fork()) {
            __atomic_add_fetch(&results[0], 1 << i, __ATOMIC_SEQ_CST);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    is(results[0], 255, "a mapped file without name or descriptor is shared by children");
    munmap(results, PAGE);
}

static void beyond_the_end(void)
{
    int fd = open_new(PAGE + 100);
    char *at = map(fd, 4 * PAGE, MAP_SHARED), *private = map(fd, 4 * PAGE, MAP_PRIVATE);
    struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
    sigaction(SIGBUS, &action, NULL);
    at[0] = 1, at[PAGE] = 2, private[PAGE] = 3;
    is(at[PAGE + 200], 0, "F1 the rest of the last page is zeroes");
    ok(is_bus(at + 2 * PAGE), "F1 beyond the last page is SIGBUS");
    is(bus_code, BUS_ADRERR, "F1 with BUS_ADRERR");
    ftruncate(fd, 3 * PAGE);
    is(at[2 * PAGE], 0, "F1 until the file is longer");
    ftruncate(fd, 10);
    ok(is_bus(at + PAGE), "F1 a page that is cut off is SIGBUS");
    ok(is_bus(private + PAGE), "F1 in a private mapping, too, though it was written");
    is(at[0], 1, "F1 what is left is left");
    ftruncate(fd, 2 * PAGE);
    is(at[PAGE], 0, "F1 made longer again there are zeroes");
    is(private[PAGE], 0, "F1 for the private mapping as well");
    munmap(at, 4 * PAGE), munmap(private, 4 * PAGE);
    signal(SIGBUS, SIG_DFL);
    close(fd);
}

// A child whose tables are shared with its parent's when the file is cut.
static void cut_over_fork(void)
{
    int fd = open_new(64 * PAGE), go[2], status;
    char *at = map(fd, 64 * PAGE, MAP_SHARED), byte;
    for (int i = 0; i < 64; i++)
        at[i * PAGE] = i + 1;
    pipe(go);
    pid_t child = fork();
    if (!child) {
        close(go[1]);
        read(go[0], &byte, 1);
        struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
        sigaction(SIGBUS, &action, NULL);
        _exit(at[0] == 1 && at[9 * PAGE] == 10 && is_bus(at + 10 * PAGE) && is_bus(at + 63 * PAGE) ? 0 : 1);
    }
    ftruncate(fd, 10 * PAGE);
    close(go[0]), close(go[1]);
    waitpid(child, &status, 0);
    is(status, 0, "F1 a file that is cut is cut in a child's mapping");
    munmap(at, 64 * PAGE);
    close(fd);
}

static void rights(void)
{
    int fd = open_new(PAGE), reader = open("/tmp/fs-maps", O_RDONLY), writer = open("/tmp/fs-maps", O_WRONLY);
    fails((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), EACCES,
          "a shared mapping to write needs a file open for writing");
    fails((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0), EACCES, "all need one open for reading");
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    fails(mprotect(at, PAGE, PROT_READ | PROT_WRITE), EACCES, "nor can mprotect give the right");
    munmap(at, PAGE);
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
    at[0] = 1;
    is(at[0], 1, "a private one may be written");
    munmap(at, PAGE);
    int directory = open("/tmp", O_RDONLY);
    fails((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0), ENODEV, "a directory cannot be mapped");
    close(fd), close(reader), close(writer), close(directory);
}

// Pages of a file in memory are promises kept: each is charged when it is made, and refunded with the file.
static void charges(void)
{
    long before = meminfo("Committed_AS:");
    int fd = open_new(0);
    static char megabyte[1 << 20];
    memset(megabyte, 1, sizeof megabyte);
    long written = meminfo("Committed_AS:");
    write(fd, megabyte, sizeof megabyte);
    between(1024, meminfo("Committed_AS:") - written, 1024 + 256, "a file of 1 MiB is charged with 1 MiB");
    close(fd);
    unlink("/tmp/fs-maps");
    between(-256, meminfo("Committed_AS:") - before, 256, "and with nothing when it is gone");
}

static void memfd(void)
{
    int fd = memfd_create("results", MFD_CLOEXEC);
    ok(fd >= 0, "memfd_create");
    ftruncate(fd, PAGE);
    char *at = map(fd, PAGE, MAP_SHARED);
    strcpy(at, "kept");
    close(fd);
    ok(!strcmp(at, "kept"), "lives as long as it is mapped");
    munmap(at, PAGE);
}

// Sets the file's times far back and touches the page; have they moved?
static bool times_move(int fd, volatile char *page, char value)
{
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    struct stat before, after;
    futimens(fd, old);
    fstat(fd, &before);
    if (value)
        *page = value;
    else
        (void)*page;
    fstat(fd, &after);
    return after.st_mtime != before.st_mtime;
}

static void times(void)
{
    int fd = memfd_create("times", 0);
    ftruncate(fd, 64 * PAGE);
    char *shared = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    ok(times_move(fd, shared + 40 * PAGE, 1), "the fault of a write through a shared mapping changes the file's time");
    ok(!times_move(fd, shared + 40 * PAGE, 2), "writes that follow on the page do not");
    ok(!times_move(fd, shared + 20 * PAGE, 0), "nor does a read");
    ok(!times_move(fd, private + 40 * PAGE, 3), "nor a private write");
    munmap(shared, 64 * PAGE);
    munmap(private, 64 * PAGE);
    close(fd);
}

int main(void)
{
    tap_begin();
    times();
    shared();
    unlinked();
    beyond_the_end();
    cut_over_fork();
    rights();
    charges();
    memfd();
    unlink("/tmp/fs-maps");
    return tap_end();
}
