// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: files
//
// Corners of calls on files: pipes of packets, what F_GETFL tells, files that never get a name, flags that ask for
// nothing, the time of birth.
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"
#include "observe.h"

#define LARGEFILE 0100000 // O_LARGEFILE as the kernel has it: libc's is 0 in programs of 64 bits
#define PLACE "/tmp/fs-corners"

static char page[2 * PIPE_BUF], got[2 * PIPE_BUF];
static int ends[2];

static bool all(const char *bytes, size_t size, char byte)
{
    while (size && *bytes++ == byte)
        size--;
    return !size;
}

static long unread(void)
{
    int bytes = -1;
    ioctl(ends[0], FIONREAD, &bytes);
    return bytes;
}

static void packets_check(void)
{
    is(pipe2(ends, O_DIRECT | O_NONBLOCK), 0, "pipe2 with O_DIRECT");
    is(fcntl(ends[0], F_GETFL), O_RDONLY | O_NONBLOCK, "F_GETFL does not show it at the end that reads");
    is(fcntl(ends[1], F_GETFL), O_WRONLY | O_DIRECT | O_NONBLOCK, "but at the end that writes");
    is(write(ends[1], "one", 3) + write(ends[1], "two!", 4), 7, "two writes");
    is(unread(), 7, "FIONREAD counts the bytes of both");
    is(read(ends[0], got, sizeof(got)), 3, "a read gives one packet");
    ok(!memcmp(got, "one", 3), "the first one");
    is(read(ends[0], got, 2), 2, "a buffer that is too small gets the packet's beginning");
    fails(read(ends[0], got, 2), EAGAIN, "and the rest of it is lost");
    is(unread(), 0, "nothing is left");

    memset(page, 'p', sizeof(page));
    is(write(ends[1], page, PIPE_BUF + 5), PIPE_BUF + 5, "a write of more than PIPE_BUF bytes");
    is(read(ends[0], got, sizeof(got)), PIPE_BUF, "makes two packets");
    is(read(ends[0], got, sizeof(got)), 5, "of which the second has the rest");

    int packets = 0;
    while (write(ends[1], "x", 1) == 1)
        packets++;
    is(packets, 16, "a pipe of 16 pages holds 16 packets, however small");
    is(poll(&(struct pollfd){ ends[1], POLLOUT, 0 }, 1, 0), 0, "poll says that it is full");
    is(read(ends[0], got, 10), 1, "one is read");
    is(poll(&(struct pollfd){ ends[1], POLLOUT, 0 }, 1, 0), 1, "then there is room");
    is(fcntl(ends[1], F_SETPIPE_SZ, 32 * 4096), 32 * 4096, "the pipe is made larger");
    for (packets = 0; read(ends[0], got, 10) == 1;)
        packets++;
    is(packets, 15, "the packets in it stay packets");
}

static void modal_write(int mode, char byte, size_t size)
{
    fcntl(ends[1], F_SETFL, O_NONBLOCK | mode);
    memset(page, byte, size);
    is(write(ends[1], page, size), size, "%zu bytes%s", size, mode ? " as a packet" : "");
}

// Plain bytes, a packet, plain bytes: whether the pipe then becomes smaller or not, they are what they were.
static void packets_resize_check(void)
{
    pipe2(ends, O_NONBLOCK);
    modal_write(0, 'a', 4000);
    modal_write(O_DIRECT, 'b', 200);
    modal_write(0, 'c', 50);
    is(read(ends[0], got, 3900), 3900, "most of the first bytes");
    fcntl(ends[1], F_SETPIPE_SZ, 8192);
    is(unread(), 350, "a resize loses nothing");
    is(read(ends[0], got, 1000), 300, "what was left of them and the packet");
    ok(all(got, 100, 'a') && all(got + 100, 200, 'b'), "as written");
    is(read(ends[0], got, 1000), 50, "what was behind it");
    ok(all(got, 50, 'c'), "as written, too");
    is(unread(), 0, "and nothing else");
    close(ends[0]);
    close(ends[1]);
}

// A packet that finds room behind plain bytes joins them, as Linux does it.
static void packets_join_check(void)
{
    pipe2(ends, O_NONBLOCK);
    modal_write(0, 'a', 200);
    modal_write(O_DIRECT, 'b', 10);
    modal_write(O_DIRECT, 'c', 10);
    is(read(ends[0], got, 1000), 220, "all are read at once");
    modal_write(O_DIRECT, 'd', 10);
    modal_write(O_DIRECT, 'e', 10);
    is(read(ends[0], got, 1000), 10, "in an empty pipe they are packets");
    close(ends[0]);
    close(ends[1]);
}

// The mode belongs to the end that writes, and what lies in the pipe already stays as it is.
static void packets_mixed_check(void)
{
    is(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0, "F_SETFL takes O_DIRECT away");
    is(write(ends[1], page, PIPE_BUF), PIPE_BUF, "a page of plain bytes");
    is(fcntl(ends[1], F_SETFL, O_NONBLOCK | O_DIRECT), 0, "F_SETFL sets it again");
    is(write(ends[1], "ef", 2), 2, "a packet behind them");
    is(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0, "and away");
    is(write(ends[1], "gh", 2) + write(ends[1], "ij", 2), 4, "plain bytes behind the packet");
    is(unread(), PIPE_BUF + 6, "all of them lie in the pipe");
    is(read(ends[0], got, PIPE_BUF - 1), PIPE_BUF - 1, "plain bytes are read as they come");
    is(read(ends[0], got, 100), 3, "a packet ends the read that reaches it");
    ok(!memcmp(got, "pef", 3), "and the bytes are in order");
    is(read(ends[0], got, 100), 4, "the next read gives what follows");
    close(ends[0]);
    close(ends[1]);
    int fd = open(PLACE "/plain", O_RDWR | O_CREAT, 0600);
    fails(fcntl(fd, F_SETFL, O_DIRECT), EINVAL, "a file of tmpfs has no such mode");
    close(fd);
}

// A blocking writer of packets waits for a slot of its own, and every packet comes out as it went in.
static void packets_stream_check(void)
{
    static char block[PIPE_BUF];
    if (pipe2(ends, O_DIRECT))
        tap_bail("pipe2");
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 1; i <= 1000; i++)
            if (write(ends[1], block, i * 37 % PIPE_BUF + 1) != i * 37 % PIPE_BUF + 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    int packets = 0, wrong = 0;
    for (long n; (n = read(ends[0], got, sizeof(got))) > 0;) {
        packets++;
        wrong += n != packets * 37 % PIPE_BUF + 1;
    }
    int status = -1;
    waitpid(pid, &status, 0);
    ok(status == 0 && packets == 1000 && !wrong, "a thousand packets through a small pipe, each as it was written");
    close(ends[0]);
}

static void flags_check(void)
{
    struct stat st;
    int fd = open(PLACE "/plain", O_RDWR | O_CREAT, 0600);
    is(fcntl(fd, F_GETFL), O_RDWR | LARGEFILE, "F_GETFL of an opened file shows O_LARGEFILE, asked for or not");
    is(syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH | 0x4000), 0, "fstatat takes the flags of statx about freshness");
    struct timespec omit[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };
    is(syscall(SYS_utimensat, 99, "/nowhere", omit, -1), 0, "utimensat that is to leave both times looks at nothing else");
    close(fd);
}

static void nameless_check(void)
{
    int free = open(PLACE, O_TMPFILE | O_RDWR, 0600), bound = open(PLACE, O_TMPFILE | O_RDWR | O_EXCL, 0600);
    is(linkat(free, "", AT_FDCWD, PLACE "/a", AT_EMPTY_PATH), 0, "a file without a name can get one");
    fails(linkat(bound, "", AT_FDCWD, PLACE "/b", AT_EMPTY_PATH), ENOENT, "one that was opened with O_EXCL cannot");
    close(free);
    close(bound);
}

// statx(2): what is used of it; musl of this age has neither the call nor the structure.
#define BTIME 0x800
#define MTIME 0x40
struct birth {
    uint32_t mask, others[19];
    struct {
        int64_t seconds;
        uint64_t nanoseconds;
    } btime, ctime, mtime;
    char rest[128];
};

static void birth_check(void)
{
    struct birth first, later;
    int fd = open(PLACE "/born", O_RDWR | O_CREAT, 0600);
    is(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, BTIME | MTIME, &first), 0, "statx of a new file");
    ok(first.mask & BTIME && first.btime.seconds == first.mtime.seconds, "which was born when it was made");
    usleep(20000);
    if (write(fd, "x", 1) != 1 || fchmod(fd, 0644))
        tap_bail("change the file");
    syscall(SYS_statx, fd, "", AT_EMPTY_PATH, BTIME | MTIME, &later);
    ok(!memcmp(&first.btime, &later.btime, sizeof(first.btime)), "that time stays");
    ok(memcmp(&first.mtime, &later.mtime, sizeof(first.mtime)), "while the others move");
    close(fd);
}

int main(void)
{
    tap_begin();
    if (mkdir(PLACE, 0777) && errno != EEXIST)
        tap_bail("mkdir " PLACE);
    packets_check();
    packets_mixed_check();
    packets_resize_check();
    packets_join_check();
    packets_stream_check();
    flags_check();
    nameless_check();
    birth_check();
    return tap_end();
}
