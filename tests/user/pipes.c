// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: files
//
// Pipes and descriptors: order, end of file, SIGPIPE, blocking, O_NONBLOCK, poll, dup, close-on-exec.
#define _GNU_SOURCE
#include <poll.h>
#include <sys/uio.h>

#include "child.h"
#include "observe.h"

#define BULK (1000 * 1000L)

static int ends[2];

static void pipe_make(void)
{
    if (pipe(ends))
        tap_bail("pipe");
}

static void pipe_close(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void writes_bulk(void *arg)
{
    static char block[7000];
    (void)arg;
    close(ends[0]);
    for (long sent = 0; sent < BULK;) {
        long n = BULK - sent < 7000 ? BULK - sent : 7000;
        for (long i = 0; i < n; i++)
            block[i] = (sent + i) * 31 >> 3;
        if (write(ends[1], block, n) != n)
            _exit(1);
        sent += n;
    }
}

static void bulk_check(void)
{
    static char got[10000];
    pipe_make();
    pid_t pid = fork();
    if (pid == 0) {
        writes_bulk(NULL);
        _exit(0);
    }
    close(ends[1]);
    long total = 0, wrong = 0, n;
    while ((n = read(ends[0], got, sizeof(got))) > 0)
        for (long i = 0; i < n; i++, total++)
            wrong += got[i] != (char)(total * 31 >> 3);
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "a child writes a million bytes into a pipe, which blocks when it is full");
    is(total, BULK, "all of them arrive");
    is(wrong, 0, "in order");
    is(read(ends[0], got, 1), 0, "then comes end of file");
    close(ends[0]);
}

static void writes_to_nobody(void *arg)
{
    (void)arg;
    close(ends[0]);
    if (write(ends[1], "x", 1) < 0)
        _exit(1);
}

static void broken_check(void)
{
    pipe_make();
    close(ends[0]);
    ok(killed_by(child_run(writes_to_nobody, NULL), SIGPIPE), "writing to a pipe nobody reads: SIGPIPE");
    signal(SIGPIPE, SIG_IGN);
    fails(write(ends[1], "x", 1), EPIPE, "with SIGPIPE ignored: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
}

static void blocking_check(void)
{
    char byte;
    pipe_make();
    struct pollfd look = {ends[0], POLLIN, 0};
    is(poll(&look, 1, 0), 0, "poll: an empty pipe has nothing to read");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fails(read(ends[0], &byte, 1), EAGAIN, "O_NONBLOCK: read of an empty pipe: EAGAIN");
    ok(write(ends[1], "y", 1) == 1 && poll(&look, 1, 1000) == 1 && look.revents == POLLIN,
       "poll: one byte makes it readable");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    static char block[4096];
    long filled = 1, n;
    while ((n = write(ends[1], block, sizeof(block))) > 0)
        filled += n;
    ok(n == -1 && errno == EAGAIN && filled >= 4096, "O_NONBLOCK: write to a full pipe: EAGAIN");
    close(ends[1]);
    while ((n = read(ends[0], block, sizeof(block))) > 0)
        filled -= n;
    is(filled, 0, "what went in comes out");
    is(n, 0, "then end of file");
    close(ends[0]);
}

static void vectors_check(void)
{
    char a[3] = "", b[5] = "";
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[2] = {{a, 2}, {b, 4}};
    pipe_make();
    is(writev(ends[1], out, 3), 7, "writev gathers");
    is(readv(ends[0], in, 2), 6, "readv scatters");
    ok(strcmp(a, "ab") == 0 && strcmp(b, "cdef") == 0, "each part its bytes");
    pipe_close();
}

static void descriptors_check(void)
{
    pipe_make();
    int copy = dup(ends[1]);
    ok(copy > ends[1], "dup takes the lowest free number");
    is(dup2(copy, 40), 40, "dup2 takes the number it is told");
    close(ends[1]);
    close(copy);
    is(write(40, "z", 1), 1, "a copy works when the others are closed");
    is(dup2(40, 40), 40, "dup2 to itself is no change");
    fails(dup2(99, 41), EBADF, "dup2 of nothing: EBADF");
    is(fcntl(40, F_DUPFD, 50), 50, "F_DUPFD takes the first number from its argument on");
    is(fcntl(50, F_GETFD), 0, "without close-on-exec");
    is(fcntl(40, F_DUPFD_CLOEXEC, 50), 51, "F_DUPFD_CLOEXEC the next");
    is(fcntl(51, F_GETFD), FD_CLOEXEC, "with close-on-exec");
    is(fcntl(ends[0], F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL: a pipe's first end is for reading");
    is(fcntl(40, F_GETFL) & O_ACCMODE, O_WRONLY, "its second for writing");
    fails(read(40, observe_text, 1), EBADF, "which cannot be read: EBADF");
    fails(write(ends[0], "x", 1), EBADF, "nor the first be written: EBADF");
    for (int fd = 40; fd <= 51; fd++)
        close(fd);
    is(read(ends[0], observe_text, 10), 1, "the byte is there");
    is(read(ends[0], observe_text, 10), 0, "and the last close was the end of file");
    fails(close(51), EBADF, "closing twice: EBADF");
    close(ends[0]);
    is(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0, "pipe2 with flags");
    ok(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && fcntl(ends[1], F_GETFL) & O_NONBLOCK, "sets them");
    pipe_close();
}

int main(void)
{
    tap_begin();
    bulk_check();
    broken_check();
    blocking_check();
    vectors_check();
    descriptors_check();
    return tap_end();
}
