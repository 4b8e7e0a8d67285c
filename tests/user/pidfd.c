// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Descriptors that mean a process: making, signalling, polling, waiting; and what they mean when it
// is gone. And a child whose pid its parent chooses.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"

#define NOBODY 99999
#define BY_PIDFD 3 // P_PIDFD
#define PIDFD 0x1000 // CLONE_PIDFD
#define WANTED 20000

static volatile sig_atomic_t arrived, code;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)context;
    arrived = signal;
    code = info->si_code;
}

static int open_pid(int pid, int flags) { return syscall(SYS_pidfd_open, pid, flags); }

static int send_to(int fd, int signal, void *info) { return syscall(SYS_pidfd_send_signal, fd, signal, info, 0); }

static int wait_for(int fd, siginfo_t *info)
{
    memset(info, 0, sizeof *info);
    return syscall(SYS_waitid, BY_PIDFD, fd, info, WEXITED, NULL);
}

static void own(int fd)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    char path[40], text[40] = "";
    struct stat status;

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    is(fcntl(fd, F_GETFD), FD_CLOEXEC, "it does not survive exec");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ok(readlink(path, text, sizeof text - 1) > 0 && !strcmp(text, "anon_inode:[pidfd]"), "what it is called");
    ok(!fstat(fd, &status) && status.st_mode == 0600, "a file of no kind");
    fails(read(fd, text, 1), EINVAL, "nothing to read");
    is(send_to(fd, SIGUSR1, NULL), 0, "a signal");
    ok(arrived == SIGUSR1 && code == SI_USER, "arrives as if by kill");
    is(send_to(fd, SIGRTMIN, NULL), 0, "a real-time one");
    is(arrived, SIGRTMIN, "as well");
    is(send_to(fd, SIGUSR1, &info), 0, "with a siginfo");
    is(code, SI_QUEUE, "which arrives");
    fails(send_to(fd, SIGUSR2, &info), EINVAL, "a siginfo about another signal");
    fails(send_to(fd, 65, NULL), EINVAL, "no such signal");
    fails(send_to(fd, 0, (void *)8), EFAULT, "a siginfo that is nowhere");
    fails(send_to(0, 0, (void *)8), EBADF, "to another kind of descriptor");
    fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 1), EINVAL, "with flags");
}

static void refusals(void)
{
    fails(open_pid(0, 0), EINVAL, "nobody's");
    fails(open_pid(-1, 0), EINVAL, "nor that");
    fails(open_pid(NOBODY, 0), ESRCH, "who is not there");
    fails(open_pid(getpid(), 1), EINVAL, "flags");
}

static void end_with_7(struct link *link, void *unused)
{
    (void)unused;
    hear(link);
    _exit(7);
}

static void child(void)
{
    struct link link = child_start(end_with_7, NULL);
    int fd = open_pid(link.pid, 0), restless = open_pid(link.pid, O_NONBLOCK);
    struct pollfd polled = {fd, POLLIN | POLLOUT, 0};
    siginfo_t info;

    is(poll(&polled, 1, 0), 0, "a child that runs is not ready");
    fails(wait_for(restless, &info), EAGAIN, "a descriptor that does not wait");
    say(&link, 0);
    is(poll(&polled, 1, 5000), 1, "poll tells its end");
    is(polled.revents, POLLIN, "as something to read");
    is(send_to(fd, 0, NULL), 0, "before it is waited for it can be signalled");
    is(wait_for(fd, &info), 0, "waitid");
    ok(info.si_pid == link.pid && info.si_status == 7, "tells of it");
    fails(wait_for(fd, &info), ECHILD, "once");
    fails(send_to(fd, 0, NULL), ESRCH, "then it is gone");
    is(poll(&polled, 1, 0), 1, "and stays ready");
    fails(wait_for(0, &info), EBADF, "waitid on another kind of descriptor");
    close(fd);
    close(restless);
}

static void clone_with_pidfd(void)
{
    int fd = -1;
    siginfo_t info;
    long pid = syscall(SYS_clone, PIDFD | SIGCHLD, NULL, &fd, NULL, 0);

    if (pid == 0) {
        pause();
        _exit(0);
    }
    ok(pid > 0 && fd >= 0, "clone gives a descriptor");
    is(send_to(fd, SIGKILL, NULL), 0, "which means the child");
    is(wait_for(fd, &info), 0, "which can be waited for");
    ok(info.si_pid == pid && info.si_status == SIGKILL, "so it ended");
    close(fd);
    fails(syscall(SYS_clone, PIDFD | SIGCHLD, NULL, 8, NULL, 0), EFAULT, "no place for the descriptor: no child");
    fails(waitpid(-1, NULL, WNOHANG), ECHILD, "really");
    fails(syscall(SYS_clone, PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, 0), EINVAL,
          "two things in one place");
    is(open("/", O_RDONLY), fd, "no descriptor is lost");
    close(fd);
}

// As clone3 takes it.
struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static long clone_as(const int *pids, size_t count)
{
    struct arguments arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)pids, .set_tid_size = count};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0)
        _exit(getpid() == pids[0] ? 5 : 6);
    return pid;
}

static void unprivileged(void *unused)
{
    int pid = WANTED;
    (void)unused;
    _exit(!setuid(1000) && clone_as(&pid, 1) == -1 && errno == EPERM ? 0 : 1);
}

static void chosen_pid(void)
{
    int pid = WANTED, status;

    is(clone_as(&pid, 1), WANTED, "a child with a chosen pid");
    fails(clone_as(&pid, 1), EEXIST, "which nobody else can have");
    waitpid(WANTED, &status, 0);
    is(status, 5 << 8, "it has it");
    is(clone_as(&pid, 1), WANTED, "afterwards it is free again");
    waitpid(WANTED, &status, 0);
    fails(clone_as((int[]){1}, 1), EEXIST, "init's");
    fails(clone_as((int[]){0}, 1), EINVAL, "not a pid");
    fails(clone_as((int[]){WANTED, 5}, 2), EINVAL, "one for each of two namespaces");
    fails(clone_as((int[]){WANTED}, 33), EINVAL, "or of more than there can be");
    fails(clone_as(NULL, 1), EINVAL, "a number of pids that are not there");
    fails(clone_as((int *)8, 1), EFAULT, "or nowhere");
    is(child_run(unprivileged, NULL), 0, "without privilege: EPERM");
    status = child_run(unprivileged, NULL);
    is(status, 0, "the numbers go on as before");
}

int main(void)
{
    int fd;

    tap_begin();
    refusals();
    fd = open_pid(getpid(), 0);
    own(fd);
    close(fd);
    child();
    clone_with_pidfd();
    chosen_pid();
    return tap_end();
}
