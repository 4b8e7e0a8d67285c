// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: files
//
// What is known about files: modes, owners, times, kinds; named pipes and device nodes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static struct stat stat_of(const char *path)
{
    struct stat st = { 0 };
    lstat(path, &st);
    return st;
}

static void modes(void)
{
    close(open("f", O_CREAT | O_RDWR, 0644));
    is(chmod("f", 04711), 0, "chmod");
    is(stat_of("f").st_mode, S_IFREG | 04711, "sets the mode and leaves the kind");
    is(chown("f", 12, -1), 0, "chown of the user alone");
    ok(stat_of("f").st_uid == 12 && stat_of("f").st_gid == 0, "leaves the group");
    is(stat_of("f").st_mode & 07777, 0711, "and takes the set-user-ID bit away");
    symlink("f", "s");
    is(lchown("s", 3, 4), 0, "lchown");
    ok(stat_of("s").st_uid == 3 && stat_of("f").st_uid == 12, "changes the link");
    is(fchownat(AT_FDCWD, "s", 0, 0, 0), 0, "fchownat follows it");
    is(stat_of("f").st_uid, 0, "to the file");
    fails(chmod("none", 0), ENOENT, "chmod of nothing");
    is(access("f", X_OK), 0, "access to run it");
    chmod("f", 0600);
    fails(access("f", X_OK), EACCES, "not without any x bit, even for root");
    is(access("f", R_OK | W_OK), 0, "to read and write it");
    mkdir("d", 0755);
    chown("d", 0, 77), chmod("d", 02755);
    close(open("d/f", O_CREAT | O_RDWR, 0644));
    mkdir("d/d", 0755);
    is(stat_of("d/f").st_gid, 77, "a set-group-ID directory hands its group down");
    is(stat_of("d/d").st_mode & 07777, 02755, "and the bit to directories");
    rmdir("d/d"), unlink("d/f"), rmdir("d"), unlink("s"), unlink("f");
}

// What somebody else may do, one bit each: what went wrong.
static int as_somebody(void)
{
    int wrong = 0;
    wrong |= (open("secret", O_RDONLY) == -1 && errno == EACCES) ? 0 : 1;
    wrong |= (open("public", O_RDWR) == -1 && errno == EACCES) ? 0 : 2;
    wrong |= open("public", O_RDONLY) >= 0 ? 0 : 4;
    wrong |= (chmod("public", 0666) == -1 && errno == EPERM) ? 0 : 8;
    wrong |= (chown("mine", 0, -1) == -1 && errno == EPERM) ? 0 : 16;
    wrong |= chmod("mine", 0600) == 0 ? 0 : 32;
    wrong |= (open("new", O_CREAT | O_RDWR, 0600) == -1 && errno == EACCES) ? 0 : 64;
    wrong |= (unlink("public") == -1 && errno == EACCES) ? 0 : 128;
    return wrong;
}

static void permissions(void)
{
    int status;
    close(open("secret", O_CREAT | O_RDWR, 0600));
    close(open("public", O_CREAT | O_RDWR, 0644));
    close(open("mine", O_CREAT | O_RDWR, 0644));
    chown("mine", 1000, 1000);
    if (!fork()) {
        setgid(1000), setuid(1000);
        _exit(as_somebody());
    }
    wait(&status);
    is(status >> 8, 0, "who is not root may do what the mode says");
    unlink("secret"), unlink("public"), unlink("mine");
}

static bool later(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void times(void)
{
    struct timespec pause = { 0, 20000000 }, both[2] = { { 1000, 5 }, { 2000, 999999999 } };
    char byte;
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    ok(stat_of("f").st_mtime >= time(NULL) - 2, "a new file is new");
    is(utimensat(AT_FDCWD, "f", both, 0), 0, "utimensat");
    struct stat st = stat_of("f"), before = st;
    ok(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 5, "sets the time of access");
    ok(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 999999999, "and of change");
    nanosleep(&pause, NULL);
    write(fd, "x", 1);
    st = stat_of("f");
    ok(later(st.st_mtim, before.st_mtim) && later(st.st_ctim, before.st_ctim), "write changes mtime and ctime");
    is(st.st_atim.tv_sec, 1000, "and not atime");
    pread(fd, &byte, 1, 0);
    ok(stat_of("f").st_atim.tv_sec > 2000, "read changes atime");
    before = stat_of("f");
    nanosleep(&pause, NULL);
    chmod("f", 0600);
    st = stat_of("f");
    ok(later(st.st_ctim, before.st_ctim) && !later(st.st_mtim, before.st_mtim), "chmod changes ctime alone");
    before = stat_of(".");
    nanosleep(&pause, NULL);
    close(open("g", O_CREAT | O_RDWR, 0644));
    ok(later(stat_of(".").st_mtim, before.st_mtim), "a new name changes its directory");
    both[0].tv_nsec = UTIME_OMIT, both[1].tv_nsec = UTIME_NOW;
    before = stat_of("f");
    is(utimensat(AT_FDCWD, "f", both, 0), 0, "UTIME_OMIT and UTIME_NOW");
    st = stat_of("f");
    ok(st.st_atim.tv_sec == before.st_atim.tv_sec && later(st.st_mtim, before.st_mtim), "do so");
    both[0].tv_nsec = 1000000000;
    fails(utimensat(AT_FDCWD, "f", both, 0), EINVAL, "too many nanoseconds");
    struct timeval old[2] = { { -5, 0 }, { 7, 8 } };
    is(utimes("f", old), 0, "utimes, before 1970");
    ok(stat_of("f").st_atim.tv_sec == -5 && stat_of("f").st_mtim.tv_nsec == 8000, "is kept");
    is(futimens(fd, NULL), 0, "futimens: now");
    close(fd);
    unlink("f"), unlink("g");
}

static void named_pipes(void)
{
    char byte = 0;
    is(mkfifo("p", 0600), 0, "mkfifo");
    ok(S_ISFIFO(stat_of("p").st_mode), "is a pipe");
    fails(open("p", O_WRONLY | O_NONBLOCK), ENXIO, "nobody reads: a writer that does not wait");
    int reader = open("p", O_RDONLY | O_NONBLOCK);
    ok(reader >= 0, "a reader that does not wait");
    is(read(reader, &byte, 1), 0, "finds the end, for nobody writes");
    close(reader);
    if (!fork()) {
        int writer = open("p", O_WRONLY);
        _exit(write(writer, "z", 1) != 1);
    }
    reader = open("p", O_RDONLY);
    is(read(reader, &byte, 1), 1, "a reader and a writer meet");
    is(byte, 'z', "and a byte passes");
    is(read(reader, &byte, 1), 0, "until the writer ends");
    close(reader);
    wait(NULL);
    int both = open("p", O_RDWR);
    is(write(both, "ab", 2), 2, "open for both, it waits for nobody");
    is(read(both, &byte, 1), 1, "and talks to itself");
    close(both);
    unlink("p");
}

static void nodes(void)
{
    char byte = 1;
    is(mknod("zero", S_IFCHR | 0600, makedev(1, 5)), 0, "mknod of a device");
    is(stat_of("zero").st_rdev, makedev(1, 5), "has its number");
    int fd = open("zero", O_RDONLY);
    is(read(fd, &byte, 1), 1, "and is that device");
    is(byte, 0, "which gives zeroes");
    close(fd);
    mknod("nobody", S_IFCHR | 0600, makedev(250, 9));
    fails(open("nobody", O_RDONLY), ENXIO, "a device that is not there");
    is(mknod("plain", 0600, 0), 0, "mknod of a plain file");
    ok(S_ISREG(stat_of("plain").st_mode), "makes one");
    fails(mknod("x", S_IFDIR | 0700, 0), EPERM, "mknod of a directory");
    fails(mknod("plain", S_IFREG, 0), EEXIST, "mknod where a file is");
    unlink("zero"), unlink("nobody"), unlink("plain");
}

static void no_signal(int number) { (void)number; }

static void selecting(void)
{
    int ends[2];
    pipe(ends);
    fd_set readers, writers;
    FD_ZERO(&readers);
    FD_ZERO(&writers);
    FD_SET(ends[0], &readers);
    FD_SET(ends[1], &writers);
    struct timeval soon = { 0, 10000 };
    is(select(ends[1] + 1, &readers, &writers, NULL, &soon), 1, "select: an empty pipe can be written");
    ok(!FD_ISSET(ends[0], &readers) && FD_ISSET(ends[1], &writers), "and not read");
    FD_SET(ends[0], &readers);
    is(select(ends[0] + 1, &readers, NULL, NULL, &soon), 0, "select waits so long");
    write(ends[1], "x", 1);
    FD_SET(ends[0], &readers);
    FD_SET(ends[1], &writers);
    struct timespec nothing = { 0, 0 };
    is(pselect(ends[1] + 1, &readers, &writers, NULL, &nothing, NULL), 2, "pselect: both");
    struct pollfd fds[2] = { { ends[0], POLLIN, 0 }, { 99, POLLIN, 0 } };
    is(ppoll(fds, 2, &nothing, NULL), 2, "ppoll");
    ok(fds[0].revents == POLLIN && fds[1].revents == POLLNVAL, "says what each is");
    FD_ZERO(&readers);
    FD_SET(ends[1], &readers);
    close(ends[1]);
    fails(select(ends[1] + 1, &readers, NULL, NULL, &soon), EBADF, "select of a closed descriptor");
    fails(select(-1, NULL, NULL, NULL, &soon), EINVAL, "a negative number");

    sigset_t blocked, empty;
    sigemptyset(&empty), sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGUSR1, no_signal);
    raise(SIGUSR1);
    struct timespec second = { 1, 0 };
    fails(ppoll(NULL, 0, &second, &empty), EINTR, "ppoll lets a blocked signal in");
    sigprocmask(SIG_BLOCK, NULL, &empty);
    ok(sigismember(&empty, SIGUSR1), "and blocks it again");
    close(ends[0]);
}

// Neither tmpfs of Linux 6.1 nor Lazybones keeps a user's attributes.
static void extended(void)
{
    char value[8] = "v", long_name[300];
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = 0;
    close(open("x", O_CREAT | O_RDWR, 0644));
    symlink("x", "sx");
    int fd = open("x", O_RDONLY), place = open("x", O_PATH);
    fails(getxattr("x", "user.a", value, 8), EOPNOTSUPP, "getxattr: EOPNOTSUPP");
    fails(fgetxattr(fd, "user.a", value, 8), EOPNOTSUPP, "fgetxattr");
    fails(fgetxattr(place, "user.a", value, 8), EBADF, "not by a descriptor of a place");
    fails(setxattr("x", "user.a", value, 1, 0), EOPNOTSUPP, "setxattr");
    fails(setxattr("x", "user.a", value, 1, 8), EINVAL, "setxattr with an unknown flag: EINVAL");
    fails(setxattr("x", "user.a", value, 70000, 0), E2BIG, "a value of 70,000 bytes: E2BIG");
    fails(setxattr("x", "user.a", (void *)8, 1, 0), EFAULT, "a value from nowhere: EFAULT");
    fails(removexattr("x", "user.a"), EOPNOTSUPP, "removexattr");
    fails(getxattr("nothing", "user.a", value, 8), ENOENT, "no file: ENOENT");
    fails(getxattr("x", long_name, value, 8), ERANGE, "a name of 299 bytes: ERANGE");
    fails(getxattr("x", "", value, 8), ERANGE, "an empty one: ERANGE");
    fails(getxattr("x", (char *)8, value, 8), EFAULT, "one from nowhere: EFAULT");
    fails(lgetxattr("sx", "user.a", value, 8), ENODATA, "a link has none: ENODATA");
    fails(lsetxattr("sx", "user.a", value, 1, 0), EPERM, "and gets none: EPERM");
    is(listxattr("x", value, 8), 0, "there are none");
    is(flistxattr(fd, NULL, 0), 0, "by descriptor");
    is(llistxattr("sx", NULL, 0), 0, "nor of a link");
    close(fd);
    close(place);
    unlink("x");
    unlink("sx");
}

int main(void)
{
    tap_begin();
    umask(022);
    mkdir("/tmp/fs-attributes", 0755);
    chdir("/tmp/fs-attributes");
    modes();
    permissions();
    times();
    named_pipes();
    nodes();
    selecting();
    extended();
    chdir("/");
    is(rmdir("/tmp/fs-attributes"), 0, "all is cleaned up");
    return tap_end();
}
