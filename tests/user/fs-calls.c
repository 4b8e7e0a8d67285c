// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
//
// Corners of the calls on open files: positions, limits, sizes of pipes, times of what is read and written by
// the way, old calls and new ones.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static char block[70000];

static void positions(void)
{
    int null = open("/dev/null", O_RDWR), full = open("/dev/full", O_WRONLY), fd = open("f", O_CREAT | O_RDWR, 0644);
    int directory = open(".", O_RDONLY), ends[2];
    is(lseek(null, 10, SEEK_SET), 0, "there are no places in /dev/null");
    fails(write(full, block, 0), ENOSPC, "not even nothing fits into /dev/full");
    fails(lseek(directory, 0, SEEK_END), EINVAL, "a directory's end is no place");
    pipe(ends);
    fails(lseek(ends[0], 0, 99), EINVAL, "what lseek does not know is EINVAL, of a pipe, too");
    lseek(fd, INT64_MAX, SEEK_SET);
    fails(write(fd, "x", 1), EINVAL, "a write beyond the last offset");
    fails(read(fd, block, 1), EINVAL, "and a read");
    fails(pwrite(fd, "x", 1, INT64_MAX), EINVAL, "at an offset, too");
    ftruncate(fd, 100);
    lseek(fd, 30, SEEK_SET);
    int left = 0;
    ok(ioctl(fd, FIONREAD, &left) == 0 && left == 70, "FIONREAD of a file is what is left of it");
    struct pollfd entry = { fd, -1, 0 };
    poll(&entry, 1, 0);
    is(entry.revents, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, "a file is always ready");
    close(null), close(full), close(fd), close(directory), close(ends[0]), close(ends[1]);
}

static void vectors(void)
{
    int fd = open("v", O_CREAT | O_RDWR, 0644);
    struct iovec parts[2] = { { "ab", 2 }, { "cd", 2 } };
    is(syscall(SYS_pwritev2, fd, parts, 2, 1l, 0l, 0), 4, "pwritev2 at an offset");
    is(lseek(fd, 0, SEEK_CUR), 0, "which leaves the position");
    is(syscall(SYS_pwritev2, fd, parts, 2, -1l, -1l, 0), 4, "at -1 it writes at the position");
    is(lseek(fd, 0, SEEK_CUR), 4, "and moves it");
    parts[0].iov_base = block, parts[1].iov_base = block + 2;
    is(syscall(SYS_preadv2, fd, parts, 2, 0l, 0l, 0), 4, "preadv2");
    ok(!memcmp(block, "abcd", 4), "reads what was written last");
    fails(syscall(SYS_preadv2, fd, parts, 2, 0l, 0l, 0x4000), EOPNOTSUPP, "wishes that nobody knows");
    close(fd);
}

static int caught;
static void note(int number) { caught = number; }

static int with_small_limit(void)
{
    struct rlimit limit = { 100, 100 };
    int fd = open("small", O_CREAT | O_RDWR, 0644);
    signal(SIGXFSZ, note);
    setrlimit(RLIMIT_FSIZE, &limit);
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 200) != -1 || errno != EFBIG || caught != SIGXFSZ)
        return 1;
    struct rlimit few = { 10, 10 };
    setrlimit(RLIMIT_NOFILE, &few);
    while (dup(0) >= 0)
        continue;
    if (open("late", O_CREAT | O_RDWR, 0600) != -1 || errno != EMFILE)
        return 2;
    return access("late", F_OK) == -1 && errno == ENOENT ? 0 : 3;
}

static void limits(void)
{
    int status;
    if (!fork())
        _exit(with_small_limit());
    wait(&status);
    is(status, 0, "RLIMIT_FSIZE binds what keeps the size; without a descriptor nothing is made");
}

static void pipes(void)
{
    int ends[2], file = open("f", O_RDWR);
    pipe2(ends, O_NONBLOCK);
    is(fcntl(ends[0], F_GETPIPE_SZ), 65536, "a new pipe holds 64 KiB");
    for (int i = 0; i < 70000; i++)
        block[i] = i % 251;
    write(ends[1], block, 3000), read(ends[0], block, 3000);
    is(write(ends[1], block, 5000), 5000, "with a little in the middle of it");
    is(fcntl(ends[0], F_SETPIPE_SZ, 5000), 8192, "a size is a power of two of pages");
    fails(fcntl(ends[0], F_SETPIPE_SZ, 4096), EBUSY, "it cannot be less than what lies in it");
    is(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20, "but more");
    memset(block, 0, sizeof(block));
    is(read(ends[0], block, 70000), 5000, "all of it is there");
    ok(block[0] == 0 && block[1500] == (char)(1500 % 251) && block[4999] == (char)(4999 % 251), "as it was written");
    fails(fcntl(file, F_SETPIPE_SZ, 4096), EBADF, "a file is no pipe");
    fails(fcntl(file, F_GETPIPE_SZ), EBADF, "and has no such size");
    if (!fork()) {
        setgroups(0, NULL), setgid(1000), setuid(1000);
        _exit(fcntl(ends[0], F_SETPIPE_SZ, 1 << 21) == -1 && errno == EPERM ? 0 : 1);
    }
    int status;
    wait(&status);
    is(status, 0, "more than pipe-max-size is root's to ask for");
    close(ends[0]), close(ends[1]), close(file);
}

static void copies(void)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), fd = open("f", O_RDWR);
    int appends = open("a", O_CREAT | O_WRONLY | O_APPEND, 0600), version = open("/proc/version", O_RDONLY);
    int directory = open(".", O_RDONLY);
    fails(sendfile(fd, zero, NULL, 10), EINVAL, "sendfile takes from files only");
    fails(sendfile(fd, directory, NULL, 10), EINVAL, "a directory is none");
    fails(sendfile(appends, fd, NULL, 10), EINVAL, "and does not append");
    fails(sendfile(null, fd, NULL, -1), EINVAL, "nor send less than nothing");
    fails(copy_file_range(version, NULL, fd, NULL, 5, 0), EXDEV, "copy_file_range stays in one file system");
    fails(copy_file_range(fd, NULL, directory, NULL, 5, 0), EISDIR, "a directory is no place to copy to");
    close(null), close(zero), close(fd), close(appends), close(version), close(directory);
}

static void advice(void)
{
    int fd = open("f", O_RDWR), writes = open("f", O_WRONLY), ends[2];
    pipe(ends);
    is(syscall(SYS_sync_file_range, fd, 0l, 0l, 0), 0, "sync_file_range");
    fails(syscall(SYS_sync_file_range, ends[0], 0l, 0l, 0), ESPIPE, "not of a pipe");
    fails(syscall(SYS_sync_file_range, fd, -1l, 0l, 0), EINVAL, "nor before the start");
    fails(syscall(SYS_sync_file_range, fd, 0l, 0l, 9), EINVAL, "nor with unknown flags");
    is(syscall(SYS_fadvise64, fd, 0l, 0l, 3), 0, "fadvise64");
    fails(syscall(SYS_fadvise64, fd, 0l, 0l, 99), EINVAL, "knows six kinds of advice");
    fails(syscall(SYS_fadvise64, ends[0], 0l, 0l, 0), ESPIPE, "none for pipes");
    is(syscall(SYS_readahead, fd, 0l, 10l), 0, "readahead");
    fails(syscall(SYS_readahead, writes, 0l, 10l), EBADF, "wants a file that can be read");
    close(fd), close(writes), close(ends[0]), close(ends[1]);
}

// The old getdents: the kind is the last byte of an entry.
static void listings(void)
{
    struct stat st;
    mkdir("d", 0755);
    stat("d", &st);
    is(st.st_size, 40, "an empty directory has the size of two names");
    mkdir("d/sub", 0755);
    int fd = open("d", O_RDONLY), kinds = 0, found = 0;
    long n = syscall(SYS_getdents, fd, block, 1000);
    is(n, 72, "getdents gives three entries");
    for (long at = 0; at < n;) {
        unsigned short length = *(unsigned short *)(block + at + 16);
        kinds += block[at + length - 1] == 4;
        found += !strcmp(block + at + 18, "sub");
        at += length;
    }
    ok(kinds == 3 && found == 1, "all directories, and one of them by its name");
    close(fd), rmdir("d/sub"), rmdir("d");
}

static struct stat aged(const char *path)
{
    struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
    struct stat st;
    utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    lstat(path, &st);
    return st;
}

static bool was_read(const char *path)
{
    struct stat st;
    lstat(path, &st);
    return st.st_atim.tv_sec != 1000 && st.st_mtim.tv_sec == 2000;
}

static void times(void)
{
    char byte;
    int fd = open("f", O_RDWR);
    symlink("f", "s");
    aged("s");
    access("s", F_OK);
    ok(was_read("s"), "following a link reads it");
    aged("f");
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), 4096);
    ok(was_read("f"), "mapping a file reads it");
    mkfifo("fifo", 0600);
    int fifo = open("fifo", O_RDWR);
    aged("fifo");
    write(fifo, "x", 1);
    struct stat st;
    stat("fifo", &st);
    ok(st.st_mtim.tv_sec != 2000, "what goes into a named pipe changes it");
    aged("fifo");
    read(fifo, &byte, 1);
    ok(was_read("fifo"), "and what comes out of it reads it");
    close(fifo), close(fd);
}

int main(void)
{
    tap_begin();
    umask(022);
    mkdir("/tmp/fs-calls", 0755);
    if (chdir("/tmp/fs-calls"))
        tap_bail("no room to work in");
    positions();
    vectors();
    limits();
    pipes();
    copies();
    advice();
    listings();
    times();
    return tap_end();
}
