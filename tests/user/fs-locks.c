// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Advisory locks: flock(2) on whole files, fcntl(2) on ranges of bytes, for processes and for open files.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static int fd;

static int range(int file, int command, short type, off_t start, off_t length)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    return fcntl(file, command, &lock);
}

// What another process finds in the way of a write lock there: the start times 1000 plus the length; -1: nothing.
static long seen(off_t start, off_t length)
{
    int status;
    int ends[2];
    long found = -2;
    pipe(ends);
    if (!fork()) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
        fcntl(fd, F_GETLK, &lock);
        found = lock.l_type == F_UNLCK ? -1 : lock.l_pid != getppid() ? -3 : lock.l_start * 1000 + lock.l_len;
        write(ends[1], &found, sizeof(found));
        _exit(0);
    }
    read(ends[0], &found, sizeof(found));
    wait(&status);
    close(ends[0]), close(ends[1]);
    return found;
}

static void errors(void)
{
    int reads = open("f", O_RDONLY), writes = open("f", O_WRONLY), place = open("f", O_PATH);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = 9 };
    fails(fcntl(fd, F_SETLK, &lock), EINVAL, "an unknown whence");
    fails(range(fd, F_SETLK, 9, 0, 0), EINVAL, "an unknown type");
    fails(range(fd, F_GETLK, F_UNLCK, 0, 0), EINVAL, "no lock is in nobody's way");
    fails(range(fd, F_SETLK, F_RDLCK, -1, 0), EINVAL, "before the start");
    fails(range(fd, F_SETLK, F_RDLCK, 5, -6), EINVAL, "a range that ends before it");
    fails(range(fd, F_SETLK, F_RDLCK, INT64_MAX, 2), EOVERFLOW, "a range that runs over");
    fails(range(reads, F_SETLK, F_WRLCK, 0, 0), EBADF, "to lock for writing the file must be open for it");
    fails(range(writes, F_SETLK, F_RDLCK, 0, 0), EBADF, "and for reading");
    fails(range(place, F_SETLK, F_RDLCK, 0, 0), EBADF, "a place cannot be locked");
    fails(fcntl(fd, F_SETLK, (void *)16), EFAULT, "a bad address");
    lock = (struct flock){ .l_type = F_RDLCK, .l_pid = 5 };
    fails(fcntl(fd, F_OFD_SETLK, &lock), EINVAL, "an open file's lock has no process");
    fails(flock(fd, LOCK_SH | LOCK_UN), EINVAL, "an unknown operation");
    fails(flock(place, LOCK_SH), EBADF, "nor can the whole of it");
    fails(flock(-1, LOCK_SH), EBADF, "nor what is not open");
    close(reads), close(writes), close(place);
}

static void ranges(void)
{
    is(seen(0, 0), -1, "nothing is locked");
    is(range(fd, F_SETLK, F_WRLCK, 10, 10), 0, "bytes 10 to 19");
    is(seen(0, 0), 10010, "are in the way");
    is(seen(0, 10), -1, "not of those before");
    is(seen(20, 0), -1, "nor of those behind");
    is(range(fd, F_SETLK, F_WRLCK, 20, 10), 0, "ten more");
    is(seen(0, 0), 10020, "make one range");
    is(range(fd, F_SETLK, F_UNLCK, 15, 5), 0, "five in the middle go");
    is(seen(0, 0), 10005, "which leaves the first five");
    is(seen(15, 5), -1, "nothing in the middle");
    is(seen(16, 0), 20010, "and the last ten");
    is(range(fd, F_SETLK, F_RDLCK, 0, 12), 0, "a read lock over the first two");
    is(seen(11, 1), 12, "takes their place");
    is(seen(12, 1), 12003, "and leaves three");
    is(range(fd, F_SETLK, F_WRLCK, 5, -5), 0, "a length below 0 goes backwards");
    is(seen(0, 1), 5, "from 0 to 4");
    is(range(fd, F_SETLK, F_UNLCK, 0, 0), 0, "all goes");
    is(seen(0, 0), -1, "all is gone");
    range(fd, F_SETLK, F_WRLCK, 0, 0);
    close(open("f", O_RDONLY));
    is(seen(0, 0), -1, "closing any descriptor of the file gives its locks up");
    range(fd, F_SETLK, F_WRLCK, 7, 1);
    close(dup(fd));
    is(seen(0, 0), -1, "a copy's, too");
}

// Runs in a child: locks byte `first`, says so, waits for a byte, and then waits for `second`: the errno.
static int cross(int first, int second, int say, int hear)
{
    char byte = 0;
    range(fd, F_SETLK, F_WRLCK, first, 1);
    write(say, &byte, 1);
    read(hear, &byte, 1);
    if (range(fd, F_SETLKW, F_WRLCK, second, 1) == 0)
        return 0;
    return errno;
}

static void waiting(void)
{
    int to_one[2], to_other[2], status, codes = 0;
    pipe(to_one), pipe(to_other);
    if (!fork())
        _exit(cross(0, 1, to_other[1], to_one[0]));
    if (!fork())
        _exit(cross(1, 0, to_one[1], to_other[0]));
    for (int i = 0; i < 2; i++) {
        wait(&status);
        codes += WEXITSTATUS(status);
    }
    is(codes, EDEADLK, "of two that wait for each other one is told so, the other gets its lock");
    range(fd, F_SETLK, F_WRLCK, 0, 0);
    pid_t child = fork();
    if (!child)
        _exit(range(fd, F_SETLK, F_RDLCK, 3, 1) == -1 && errno == EAGAIN && range(fd, F_SETLKW, F_RDLCK, 3, 1) == 0);
    usleep(50000);
    is(waitpid(child, &status, WNOHANG), 0, "a child inherits no lock, and waits");
    range(fd, F_SETLK, F_UNLCK, 3, 1);
    waitpid(child, &status, 0);
    is(WEXITSTATUS(status), 1, "until the byte is free");
    range(fd, F_SETLK, F_UNLCK, 0, 0);
}

static void nothing(int number) { (void)number; }

static void interrupted(void)
{
    int status;
    struct sigaction action = { .sa_handler = nothing };
    range(fd, F_SETLK, F_WRLCK, 0, 0);
    flock(fd, LOCK_EX);
    pid_t child = fork();
    if (!child) {
        int own = open("f", O_RDWR);
        sigaction(SIGALRM, &action, NULL);
        alarm(1);
        bool both = range(own, F_SETLKW, F_WRLCK, 0, 0) == -1 && errno == EINTR;
        alarm(1);
        both = both && flock(own, LOCK_EX) == -1 && errno == EINTR;
        _exit(both);
    }
    waitpid(child, &status, 0);
    is(WEXITSTATUS(status), 1, "a signal ends the waiting");
    range(fd, F_SETLK, F_UNLCK, 0, 0);
    flock(fd, LOCK_UN);
}

static void open_files(void)
{
    int other = open("f", O_RDWR), copy = dup(fd), status;
    is(range(fd, F_OFD_SETLK, F_WRLCK, 0, 10), 0, "an open file's lock");
    fails(range(other, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN, "keeps another open file out, of the same process");
    fails(range(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN, "and the process itself");
    is(range(copy, F_OFD_SETLK, F_WRLCK, 5, 10), 0, "not a copy of its descriptor");
    struct flock lock = { .l_type = F_RDLCK };
    fcntl(other, F_OFD_GETLK, &lock);
    ok(lock.l_type == F_WRLCK && lock.l_len == 15 && lock.l_pid == -1, "it belongs to no process");
    if (!fork())
        _exit(range(fd, F_OFD_SETLK, F_UNLCK, 0, 5) ? 1 : 0);
    wait(&status);
    is(range(other, F_OFD_SETLK, F_RDLCK, 0, 5), 0, "a child that has the file can give it up");
    close(copy);
    fails(range(other, F_OFD_SETLK, F_RDLCK, 5, 5), EAGAIN, "closing one descriptor of two does not");
    range(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
    close(other);
}

static void whole_files(void)
{
    int one = open("f", O_RDONLY), other = open("f", O_RDONLY), copy = dup(one), status;
    is(flock(one, LOCK_SH), 0, "a shared lock");
    is(flock(other, LOCK_SH | LOCK_NB), 0, "and another");
    fails(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK, "exclusive it cannot be");
    is(flock(one, LOCK_EX | LOCK_NB), 0, "and has gone by asking");
    is(flock(copy, LOCK_EX | LOCK_NB), 0, "a copy of a descriptor is the same");
    is(range(fd, F_SETLK, F_WRLCK, 0, 0), 0, "ranges are another matter");
    if (!fork()) {
        close(one), close(copy);
        _exit(flock(other, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    }
    wait(&status);
    is(WEXITSTATUS(status), 1, "a child's closing leaves the lock");
    close(one), close(copy);
    is(flock(other, LOCK_EX | LOCK_NB), 0, "the last closing does not");
    pid_t child = fork();
    if (!child) {
        int own = open("f", O_RDONLY);
        _exit(flock(own, LOCK_EX));
    }
    usleep(50000);
    is(waitpid(child, &status, WNOHANG), 0, "another process waits");
    is(flock(other, LOCK_UN), 0, "and when it is unlocked");
    waitpid(child, &status, 0);
    is(status, 0, "gets the lock");
    close(other);
    range(fd, F_SETLK, F_UNLCK, 0, 0);
}

// A process that execs keeps its locks; its end gives them up.
static void across_exec(const char *path)
{
    char *const arguments[] = { "fs-locks", "wait", NULL };
    int ends[2], status;
    pipe(ends);
    pid_t child = fork();
    if (!child) {
        dup2(ends[0], 0), close(ends[1]);
        range(fd, F_SETLK, F_WRLCK, 1, 1);
        execv(path, arguments);
        _exit(1);
    }
    close(ends[0]);
    struct flock lock;
    do {
        lock = (struct flock){ .l_type = F_WRLCK };
        fcntl(fd, F_GETLK, &lock);
    } while (lock.l_type == F_UNLCK);
    is(lock.l_pid, child, "a child locks a byte");
    usleep(200000); // by now it runs anew
    lock = (struct flock){ .l_type = F_WRLCK };
    fcntl(fd, F_GETLK, &lock);
    is(lock.l_pid, child, "and keeps it when it runs another program");
    close(ends[1]);
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && !WEXITSTATUS(status), "to its end");
    lock = (struct flock){ .l_type = F_WRLCK };
    fcntl(fd, F_GETLK, &lock);
    is(lock.l_type, F_UNLCK, "then it is gone");
}

int main(int argc, char **argv)
{
    char byte;
    if (argc > 1)
        return read(0, &byte, 1) < 0;
    tap_begin();
    mkdir("/tmp/fs-locks", 0755);
    if (chdir("/tmp/fs-locks"))
        tap_bail("no room to work in");
    fd = open("f", O_CREAT | O_RDWR, 0644);
    write(fd, "0123456789", 10);
    errors();
    ranges();
    waiting();
    interrupted();
    open_files();
    whole_files();
    across_exec(argv[0]);
    return tap_end();
}
