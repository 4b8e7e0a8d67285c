// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: files
//
// What is in files: writing, holes, sizes, moving bytes between files, and limits.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PAGE 4096

static char bytes[64 * 1024];

static struct stat stat_of(int fd)
{
    struct stat st = { 0 };
    fstat(fd, &st);
    return st;
}

static bool all(const char *at, size_t n, char byte)
{
    while (n > 0 && at[n - 1] == byte)
        n--;
    return n == 0;
}

static int open_new(void)
{
    unlink("/tmp/fs-contents");
    return open("/tmp/fs-contents", O_RDWR | O_CREAT | O_EXCL, 0600);
}

static void writing(void)
{
    int fd = open_new();
    memset(bytes, 'a', sizeof bytes);
    is(write(fd, bytes, 10000), 10000, "write makes a file longer");
    is(stat_of(fd).st_size, 10000, "its size is what was written");
    is(stat_of(fd).st_blocks, 24, "its blocks are whole pages");
    is(pwrite(fd, "XY", 2, 4095), 2, "pwrite over two pages");
    is(lseek(fd, 0, SEEK_CUR), 10000, "leaves the position");
    is(pread(fd, bytes, 4, 4094), 4, "pread");
    ok(!memcmp(bytes, "aXYa", 4), "finds it");
    is(read(fd, bytes, 10), 0, "at the end there is nothing to read");
    is(lseek(fd, -5, SEEK_END), 9995, "SEEK_END");
    is(read(fd, bytes, 10), 5, "a read stops at the end");
    fails(lseek(fd, -1, SEEK_SET), EINVAL, "a negative position");
    fails(pread(fd, bytes, 1, -1), EINVAL, "a negative offset");
    fails(write(fd, (void *)8, 5), EFAULT, "a bad address");
    is(stat_of(fd).st_size, 10000, "changes nothing");
    close(fd);
    fd = open("/tmp/fs-contents", O_RDONLY);
    fails(write(fd, bytes, 1), EBADF, "writing what is open for reading");
    fails(ftruncate(fd, 0), EINVAL, "nor cut it");
    close(fd);
}

static void vectors(void)
{
    int fd = open_new();
    struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
    is(writev(fd, out, 3), 8, "writev");
    is(pwritev(fd, out, 3, 8), 8, "pwritev");
    char a[4], b[20];
    struct iovec in[2] = { { a, 4 }, { b, 20 } };
    is(preadv(fd, in, 2, 0), 16, "preadv stops at the end");
    ok(!memcmp(a, "onet", 4) && !memcmp(b, "hreeonethree", 12), "all in order");
    fails(preadv(fd, in, 2, -1), EINVAL, "a negative offset");
    close(fd);
}

static void holes(void)
{
    int fd = open_new();
    is(pwrite(fd, "end", 3, 1 << 20), 3, "a write far behind the end");
    is(stat_of(fd).st_blocks, 8, "takes one page");
    memset(bytes, 'x', sizeof bytes);
    is(read(fd, bytes, sizeof bytes), sizeof bytes, "the hole can be read");
    ok(all(bytes, sizeof bytes, 0), "as zeroes");
    is(stat_of(fd).st_blocks, 8, "and is still one");
    is(lseek(fd, 0, SEEK_DATA), 1 << 20, "SEEK_DATA");
    is(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 3, "SEEK_HOLE: the end");
    fails(lseek(fd, 2 << 20, SEEK_DATA), ENXIO, "SEEK_DATA behind the end");
    is(ftruncate(fd, 1l << 40), 0, "a file of one tebibyte");
    is(pwrite(fd, "!", 1, (1l << 40) - 1), 1, "its last byte");
    is(stat_of(fd).st_blocks, 16, "takes a second page");
    is(ftruncate(fd, 0), 0, "cut to nothing");
    is(stat_of(fd).st_blocks, 0, "takes none");
    close(fd);
}

static void sizes(void)
{
    int fd = open_new();
    memset(bytes, 'a', sizeof bytes);
    write(fd, bytes, 6000);
    is(ftruncate(fd, 5000), 0, "ftruncate to less");
    is(ftruncate(fd, 7000), 0, "and to more");
    memset(bytes, 'x', sizeof bytes);
    is(pread(fd, bytes, 8000, 0), 7000, "all of it");
    ok(all(bytes, 5000, 'a') && all(bytes + 5000, 2000, 0), "what was cut off is zero now");
    is(truncate("/tmp/fs-contents", 1), 0, "truncate by name");
    is(stat_of(fd).st_size, 1, "one byte");
    fails(truncate("/tmp", 1), EISDIR, "truncate of a directory");
    fails(truncate("/tmp/none", 1), ENOENT, "of nothing");
    fails(truncate("/tmp/fs-contents", -1), EINVAL, "to a negative size");
    fails(ftruncate(fd, -1), EINVAL, "by descriptor, too");
    is(fallocate(fd, 0, 0, 3 * PAGE), 0, "fallocate");
    is(stat_of(fd).st_size, 3 * PAGE, "makes a file longer");
    is(stat_of(fd).st_blocks, 24, "and its pages");
    is(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0, "FALLOC_FL_KEEP_SIZE");
    is(stat_of(fd).st_size, 3 * PAGE, "keeps the size");
    memset(bytes, 'a', sizeof bytes);
    pwrite(fd, bytes, 3 * PAGE, 0);
    is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 2 * PAGE), 0, "a hole");
    pread(fd, bytes, 3 * PAGE, 0);
    ok(all(bytes, 100, 'a') && all(bytes + 100, 2 * PAGE, 0) && all(bytes + 100 + 2 * PAGE, PAGE - 100, 'a'),
       "just where it was asked for");
    fails(fallocate(fd, 0, 0, 0), EINVAL, "fallocate of nothing");
    fails(fallocate(fd, 0, -1, 1), EINVAL, "at a negative offset");
    fails(fallocate(fd, 0, INT64_MAX, 1), EFBIG, "beyond all ends");
    close(fd);
}

static void copies(void)
{
    int in = open_new(), out = open("/tmp/fs-copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    write(in, bytes, 20000);
    off_t offset = 100;
    is(sendfile(out, in, &offset, 30000), 19900, "sendfile to a file stops at the end");
    is(offset, 20000, "and moves the offset");
    static char got[20000];
    is(pread(out, got, 20000, 0), 19900, "all has come");
    ok(!memcmp(got, bytes + 100, 19900), "and right");
    loff_t from = 0, to = 5;
    is(copy_file_range(in, &from, out, &to, 1000, 0), 1000, "copy_file_range");
    ok(from == 1000 && to == 1005, "moves both offsets");
    pread(out, got, 2000, 0);
    ok(!memcmp(got, bytes + 100, 5) && !memcmp(got + 5, bytes, 1000) && !memcmp(got + 1005, bytes + 1105, 995),
       "and nothing else");
    from = 0, to = 10;
    fails(copy_file_range(in, &from, in, &to, 100, 0), EINVAL, "over itself");
    close(in), close(out);
    unlink("/tmp/fs-copy");
}

// Two processes that append to one file: nothing is lost.
static void appending(void)
{
    int fd = open_new();
    close(fd);
    for (char name = 'a'; name <= 'b'; name++)
        if (!fork()) {
            char line[100];
            memset(line, name, sizeof line);
            fd = open("/tmp/fs-contents", O_WRONLY | O_APPEND);
            for (int i = 0; i < 500; i++)
                if (write(fd, line, sizeof line) != sizeof line)
                    _exit(1);
            _exit(0);
        }
    int status, bad = 0;
    while (wait(&status) > 0)
        bad += status != 0;
    is(bad, 0, "two append");
    fd = open("/tmp/fs-contents", O_RDONLY);
    is(stat_of(fd).st_size, 100000, "all is there");
    int torn = 0, of_a = 0;
    for (int i = 0; i < 1000; i++) {
        read(fd, bytes, 100);
        torn += !all(bytes, 100, bytes[0]);
        of_a += bytes[0] == 'a';
    }
    is(torn, 0, "no line is torn");
    is(of_a, 500, "each has its 500");
    close(fd);
}

static volatile int signals;
static void count_signal(int number) { (void)number, signals++; }

static void limits(void)
{
    struct rlimit limit = { 5000, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
    int fd = open_new();
    signal(SIGXFSZ, count_signal);
    setrlimit(RLIMIT_FSIZE, &limit);
    is(write(fd, bytes, 6000), 5000, "RLIMIT_FSIZE cuts a write");
    fails(write(fd, bytes, 1), EFBIG, "and refuses the next");
    is(signals, 1, "with SIGXFSZ");
    fails(ftruncate(fd, 5001), EFBIG, "ftruncate as well");
    setrlimit(RLIMIT_FSIZE, &none);
    close(fd);
    struct rlimit few = { 20, 4096 }, before;
    getrlimit(RLIMIT_NOFILE, &before);
    few.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    int last = -1, next;
    while ((next = open("/tmp/fs-contents", O_RDONLY)) >= 0)
        last = next;
    is(errno, EMFILE, "descriptors are limited");
    is(last, 19, "to those below RLIMIT_NOFILE");
    fails(fcntl(last, F_DUPFD, 20), EINVAL, "F_DUPFD at the limit");
    fails(dup2(last, 20), EBADF, "dup2 to it");
    while (last > 2)
        close(last--);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void figures(void)
{
    struct statfs fs;
    is(statfs("/tmp", &fs), 0, "statfs");
    is(fs.f_bsize, PAGE, "counts pages");
    is(fs.f_namelen, 255, "names of 255 bytes");
    is(statfs("/proc", &fs), 0, "statfs of /proc");
    is(fs.f_type, 0x9fa0, "is proc's");
    fails(statfs("/none", &fs), ENOENT, "of nothing");
    int ends[2], fd = open_new();
    pipe(ends);
    is(fsync(fd), 0, "fsync");
    is(fdatasync(fd), 0, "fdatasync");
    fails(fsync(ends[0]), EINVAL, "fsync of a pipe");
    fails(fsync(-1), EBADF, "of nothing");
    is(fcntl(ends[0], F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ");
    close(fd), close(ends[0]), close(ends[1]);
}

int main(void)
{
    tap_begin();
    writing();
    vectors();
    holes();
    sizes();
    copies();
    appending();
    limits();
    figures();
    unlink("/tmp/fs-contents");
    return tap_end();
}
