// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: files
//
// Signals that tell of a file's readiness (fcntl(2)): owners, F_SETSIG, O_ASYNC; and leases.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

static int ends[2];
static sigset_t signals;

// The next of our signals that is pending, or 0.
static int next(siginfo_t *info)
{
    const struct timespec now = {0};
    memset(info, 0, sizeof(*info));
    int number = sigtimedwait(&signals, info, &now);
    return number < 0 ? 0 : number;
}

static void owners(void)
{
    int file = open("f", O_CREAT | O_RDWR, 0644), place = open("f", O_PATH), status;
    struct f_owner_ex owner = {9, 9};
    unsigned users[2] = {9, 9};
    is(fcntl(ends[0], F_GETOWN), 0, "a new file has no owner");
    is(fcntl(ends[0], F_GETOWN_EX, &owner), 0, "nor in the other form");
    ok(owner.type == F_OWNER_TID && owner.pid == 0, "which says: thread 0");
    is(fcntl(ends[0], F_SETOWN, getpid()), 0, "F_SETOWN: this process");
    is(fcntl(ends[0], F_GETOWN), getpid(), "which is told");
    fcntl(ends[0], F_GETOWN_EX, &owner);
    ok(owner.type == F_OWNER_PID && owner.pid == getpid(), "in the other form, too");
    is(fcntl(ends[0], F_GETOWNER_UIDS, users), 0, "and who set it");
    ok(users[0] == getuid() && users[1] == geteuid(), "was this user");
    is(fcntl(ends[0], F_SETOWN, -getpgrp()), 0, "a group");
    fcntl(ends[0], F_GETOWN_EX, &owner);
    ok(owner.type == F_OWNER_PGRP && owner.pid == getpgrp(), "is told as one");
    fails(fcntl(ends[0], F_SETOWN, 30000), ESRCH, "there is no such process");
    fails(fcntl(ends[0], F_SETOWN, -30000), ESRCH, "nor group");
    fails(fcntl(ends[0], F_SETOWN, INT_MIN), EINVAL, "and this can be none");
    owner = (struct f_owner_ex){7, getpid()};
    fails(fcntl(ends[0], F_SETOWN_EX, &owner), EINVAL, "a kind that nobody knows");
    owner = (struct f_owner_ex){F_OWNER_PID, 30000};
    fails(fcntl(ends[0], F_SETOWN_EX, &owner), ESRCH, "and a process that nobody knows");
    fails(fcntl(ends[0], F_SETOWN_EX, (void *)8), EFAULT, "a bad address");
    fails(fcntl(ends[0], F_GETOWN_EX, (void *)8), EFAULT, "to get by as well");
    owner = (struct f_owner_ex){F_OWNER_TID, gettid()};
    is(fcntl(ends[0], F_SETOWN_EX, &owner), 0, "a thread");
    is(fcntl(ends[0], F_GETOWN), gettid(), "is told by its number");
    pid_t child = fork();
    if (!child)
        _exit(fcntl(ends[1], F_SETOWN, getpid()));
    waitpid(child, &status, 0);
    is(status, 0, "a child makes itself the owner");
    is(fcntl(ends[1], F_GETOWN), 0, "and is none when it has gone");
    is(fcntl(ends[0], F_SETOWN, 0), 0, "0 is nobody");
    is(fcntl(ends[0], F_GETOWN), 0, "any more");
    is(fcntl(file, F_SETOWN, getpid()), 0, "a regular file may have an owner");
    fails(fcntl(place, F_GETOWN), EBADF, "a place has none");
    is(fcntl(ends[0], F_GETSIG), 0, "no signal has been chosen");
    fails(fcntl(ends[0], F_SETSIG, 65), EINVAL, "there is no signal 65");
    fails(fcntl(ends[0], F_SETSIG, -1), EINVAL, "nor -1");
    is(fcntl(ends[0], F_SETSIG, SIGRTMIN), 0, "F_SETSIG");
    is(fcntl(ends[0], F_GETSIG), SIGRTMIN, "is told");
    is(fcntl(ends[0], F_SETSIG, 0), 0, "and taken back");
    is(fcntl(file, F_SETFL, O_ASYNC), 0, "a regular file does not mind O_ASYNC");
    is(fcntl(file, F_GETFL) & O_ASYNC, 0, "and does not take it");
    int on = 1;
    fails(ioctl(file, FIOASYNC, &on), ENOTTY, "FIOASYNC tells so");
    fails(fcntl(file, 4000), EINVAL, "a command that nobody knows");
    close(file), close(place);
}

static void readers(void)
{
    siginfo_t info;
    char bytes[8];
    write(ends[1], "a", 1);
    is(next(&info), 0, "without O_ASYNC nothing is told");
    is(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0, "O_ASYNC on a pipe");
    is(fcntl(ends[0], F_GETFL), O_ASYNC | O_NONBLOCK, "is told");
    write(ends[1], "b", 1);
    is(next(&info), 0, "without an owner nobody is told");
    fcntl(ends[0], F_SETOWN, getpid());
    write(ends[1], "c", 1);
    ok(next(&info) == SIGIO && info.si_code == SI_KERNEL, "a write to a pipe is SIGIO for its reader's owner");
    write(ends[1], "d", 1), write(ends[1], "e", 1);
    is(next(&info), SIGIO, "two writes");
    is(next(&info), 0, "may be one SIGIO");
    fcntl(ends[0], F_SETSIG, SIGRTMIN + 1);
    write(ends[1], "f", 1), write(ends[1], "g", 1);
    ok(next(&info) == SIGRTMIN + 1 && info.si_code == POLL_IN && info.si_fd == ends[0] &&
           info.si_band == (POLLIN | POLLRDNORM), "with F_SETSIG it tells what and where");
    is(next(&info), SIGRTMIN + 1, "and once a write");
    is(next(&info), 0, "no more");
    fcntl(ends[0], F_SETSIG, SIGIO);
    write(ends[1], "h", 1);
    ok(next(&info) == SIGIO && info.si_code == POLL_IN && info.si_fd == ends[0], "SIGIO can be chosen, too");
    fcntl(ends[0], F_SETSIG, SIGCHLD);
    write(ends[1], "i", 1);
    ok(next(&info) == SIGCHLD && info.si_code == SI_SIGIO, "a signal with codes of its own says SI_SIGIO");
    fcntl(ends[0], F_SETSIG, 0);
    int copy = dup(ends[0]), off = 0;
    is(fcntl(copy, F_GETFL) & O_ASYNC, O_ASYNC, "copies of the descriptor have it in common");
    is(ioctl(copy, FIOASYNC, &off), 0, "FIOASYNC takes it back");
    is(fcntl(ends[0], F_GETFL) & O_ASYNC, 0, "for all");
    write(ends[1], "j", 1);
    is(next(&info), 0, "and nothing is told any more");
    close(copy);
    while (read(ends[0], bytes, sizeof(bytes)) > 0)
        ;
}

static void writers(void)
{
    siginfo_t info;
    char byte;
    fcntl(ends[1], F_SETOWN, getpid());
    is(fcntl(ends[1], F_SETFL, O_ASYNC), 0, "O_ASYNC for a writer");
    write(ends[1], "x", 1);
    is(next(&info), 0, "his own write is no news");
    read(ends[0], &byte, 1);
    is(next(&info), SIGIO, "a read is");
    fcntl(ends[1], F_SETSIG, SIGRTMIN);
    close(ends[0]);
    ok(next(&info) == SIGRTMIN && info.si_code == POLL_OUT && info.si_band == (POLLOUT | POLLWRNORM | POLLWRBAND),
       "and that the last reader goes");
    close(ends[1]);
    pipe(ends);
    fcntl(ends[0], F_SETOWN, -getpgrp());
    fcntl(ends[0], F_SETFL, O_ASYNC);
    pid_t child = fork();
    if (!child)
        _exit(sigwaitinfo(&signals, &info) != SIGIO);
    write(ends[1], "x", 1);
    int status;
    waitpid(child, &status, 0);
    is(status, 0, "a group's members are told");
    is(next(&info), SIGCHLD, "the child has ended");
    is(next(&info), SIGIO, "each of them");
    fcntl(ends[0], F_SETSIG, SIGRTMIN);
    close(ends[1]);
    is(next(&info), SIGRTMIN, "a reader is told when the last writer goes");
    close(ends[0]);
}

static void permission(void)
{
    siginfo_t info;
    int status;
    pipe(ends);
    pid_t child = fork();
    if (!child) {
        setuid(1000);
        _exit(fcntl(ends[0], F_SETOWN, getppid()) || fcntl(ends[0], F_SETFL, O_ASYNC));
    }
    waitpid(child, &status, 0);
    is(status, 0, "a stranger may make us the owner");
    write(ends[1], "x", 1);
    int told = next(&info);
    while (told == SIGCHLD)
        told = next(&info);
    is(told, 0, "but does not get us signals that he may not send");
    close(ends[0]), close(ends[1]);
}

// ---- leases

static int lease_file;

static void lease_errors(void)
{
    int pipes[2], status, other;
    pipe(pipes);
    is(fcntl(lease_file, F_GETLEASE), F_UNLCK, "there is no lease");
    fails(fcntl(lease_file, F_SETLEASE, F_UNLCK), EAGAIN, "none to give up");
    fails(fcntl(lease_file, F_SETLEASE, 7), EINVAL, "no such kind of lease");
    fails(fcntl(pipes[0], F_SETLEASE, F_RDLCK), EINVAL, "a pipe has none");
    fails(fcntl(lease_file, F_SETLEASE, F_RDLCK), EAGAIN, "no read lease on what is open for writing");
    is(fcntl(lease_file, F_SETLEASE, F_WRLCK), 0, "a write lease, if nobody else has it open");
    is(fcntl(lease_file, F_GETLEASE), F_WRLCK, "is told");
    is(fcntl(lease_file, F_GETOWN), getpid(), "and its holder owns the file");
    is(fcntl(lease_file, F_SETLEASE, F_UNLCK), 0, "it is given up");
    is(fcntl(lease_file, F_GETOWN), 0, "and nobody owns the file");
    other = open("lease", O_RDONLY);
    fails(fcntl(lease_file, F_SETLEASE, F_WRLCK), EAGAIN, "a reader is in a write lease's way");
    close(other);
    pid_t child = fork();
    if (!child) {
        setuid(1000);
        _exit(fcntl(lease_file, F_SETLEASE, F_WRLCK) == 0 ? 1 : errno != EACCES);
    }
    waitpid(child, &status, 0);
    is(status, 0, "only the owner of a file may lease it");
    close(pipes[0]), close(pipes[1]);
}

static void lease_breaks(void)
{
    siginfo_t info;
    int reader = open("lease", O_RDONLY), status;
    fcntl(lease_file, F_SETLEASE, F_UNLCK);
    close(lease_file);
    is(fcntl(reader, F_SETLEASE, F_RDLCK), 0, "a read lease");
    int second = open("lease", O_RDONLY);
    ok(second >= 0, "does not mind readers");
    is(next(&info), 0, "and says nothing of them");
    is(fcntl(second, F_SETLEASE, F_RDLCK), 0, "there may be several");
    fails(fcntl(second, F_SETLEASE, F_WRLCK), EAGAIN, "but no write lease beside them");
    close(second);
    fails(open("lease", O_WRONLY | O_NONBLOCK), EWOULDBLOCK, "who will write and not wait is refused");
    ok(next(&info) == SIGIO && info.si_code == SI_KERNEL, "and the holder is told");
    is(fcntl(reader, F_GETLEASE), F_UNLCK, "that his lease is to go");
    fcntl(reader, F_SETLEASE, F_UNLCK);
    fcntl(reader, F_SETLEASE, F_RDLCK);
    fcntl(reader, F_SETSIG, SIGRTMIN);
    pid_t child = fork();
    if (!child) {
        int fd = open("lease", O_WRONLY);
        _exit(fd < 0);
    }
    ok(sigwaitinfo(&signals, &info) == SIGRTMIN && info.si_code == POLL_MSG && info.si_fd == reader, "F_SETSIG tells which");
    is(waitpid(child, &status, WNOHANG), 0, "a writer waits");
    is(fcntl(reader, F_SETLEASE, F_UNLCK), 0, "until the lease is given up");
    waitpid(child, &status, 0);
    is(status, 0, "then he has the file");
    close(reader);
    while (next(&info))
        ;
}

static void lease_weakens(void)
{
    siginfo_t info;
    int status;
    lease_file = open("lease", O_RDWR);
    is(fcntl(lease_file, F_SETLEASE, F_WRLCK), 0, "a write lease");
    pid_t child = fork();
    if (!child) {
        close(lease_file);
        _exit(truncate("lease", 0));
    }
    is(sigwaitinfo(&signals, &info), SIGIO, "truncate breaks it");
    is(fcntl(lease_file, F_GETLEASE), F_UNLCK, "whole");
    close(lease_file);
    waitpid(child, &status, 0);
    is(status, 0, "closing the file is giving up the lease");
    while (next(&info))
        ;
    lease_file = open("lease", O_RDONLY);
    is(fcntl(lease_file, F_SETLEASE, F_WRLCK), 0, "a write lease on what is open for reading");
    child = fork();
    if (!child)
        _exit(open("lease", O_RDONLY) < 0);
    is(sigwaitinfo(&signals, &info), SIGIO, "a reader breaks it");
    is(fcntl(lease_file, F_GETLEASE), F_RDLCK, "to a read lease");
    fails(fcntl(lease_file, F_SETLEASE, F_WRLCK), EAGAIN, "which it must become");
    is(fcntl(lease_file, F_SETLEASE, F_RDLCK), 0, "and does");
    waitpid(child, &status, 0);
    is(status, 0, "the reader has the file");
    chmod("lease", 0755);
    is(fcntl(lease_file, F_SETLEASE, F_WRLCK), 0, "a write lease again");
    child = fork();
    if (!child) {
        execl("lease", "lease", NULL);
        _exit(errno != ENOEXEC);
    }
    is(sigwaitinfo(&signals, &info), SIGIO, "who runs the file breaks it");
    is(fcntl(lease_file, F_GETLEASE), F_RDLCK, "as a reader does");
    fcntl(lease_file, F_SETLEASE, F_RDLCK);
    waitpid(child, &status, 0);
    is(status, 0, "and then finds that it is no program");
    close(lease_file);
    while (next(&info))
        ;
}

static void knob_set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);
    write(fd, value, strlen(value));
    close(fd);
}

static void lease_time(void)
{
    siginfo_t info;
    knob_set("/proc/sys/fs/lease-break-time", "1");
    lease_file = open("lease", O_RDONLY);
    fcntl(lease_file, F_SETLEASE, F_WRLCK);
    int writer = open("lease", O_WRONLY);
    ok(writer >= 0, "a holder who does not answer loses his lease in the end");
    is(next(&info), SIGIO, "he had been told");
    is(fcntl(lease_file, F_GETLEASE), F_UNLCK, "it is gone");
    close(writer), close(lease_file);
    knob_set("/proc/sys/fs/leases-enable", "0");
    lease_file = open("lease", O_RDONLY);
    fails(fcntl(lease_file, F_SETLEASE, F_RDLCK), EINVAL, "leases can be switched off");
    knob_set("/proc/sys/fs/leases-enable", "1");
    knob_set("/proc/sys/fs/lease-break-time", "45");
    close(lease_file);
}

int main(void)
{
    tap_begin();
    sigemptyset(&signals);
    sigaddset(&signals, SIGIO), sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGRTMIN), sigaddset(&signals, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (chdir("/tmp"))
        tap_bail("chdir");
    setpgid(0, 0);
    pipe(ends);
    owners();
    siginfo_t info;
    while (next(&info))
        ;
    readers();
    writers();
    while (next(&info))
        ;
    permission();
    sigdelset(&signals, SIGCHLD);
    lease_file = open("lease", O_CREAT | O_RDWR, 0644);
    lease_errors();
    lease_breaks();
    lease_weakens();
    lease_time();
    unlink("f"), unlink("lease");
    return tap_end();
}
