// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: files
//
// F_NOTIFY (fcntl(2)): signals that tell what happens in a directory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"


static sigset_t signals;
static int watched;

// How many signals are pending, of which each tells of `fd`; -1: one does not.
static int told_of(int fd)
{
    const struct timespec now = {0};
    siginfo_t info;
    int count = 0;
    while (sigtimedwait(&signals, &info, &now) == SIGRTMIN) {
        if (info.si_fd != fd || info.si_code != POLL_MSG)
            return -1;
        count++;
    }
    return count;
}

static int told(void) { return told_of(watched); }

// Watches for these events alone.
static void watch(unsigned events)
{
    fcntl(watched, F_NOTIFY, 0);
    fcntl(watched, F_NOTIFY, events | DN_MULTISHOT);
    told();
}

static void put(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY, 0644));
}

static void rules(void)
{
    int file = open("w/file", O_CREAT | O_RDWR, 0644);
    fails(fcntl(file, F_NOTIFY, DN_MODIFY), ENOTDIR, "only directories are watched");
    is(fcntl(file, F_NOTIFY, 0), 0, "nobody minds what is not to be watched");
    is(fcntl(watched, F_NOTIFY, DN_CREATE), 0, "F_NOTIFY");
    is(fcntl(watched, F_GETOWN), getpid(), "makes the process the directory's owner");
    fcntl(watched, F_SETSIG, SIGRTMIN);
    put("w/one");
    is(told(), 1, "a new file is told");
    put("w/two");
    is(told(), 0, "once");
    fcntl(watched, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    fcntl(watched, F_NOTIFY, DN_DELETE | DN_MULTISHOT);
    put("w/three"), unlink("w/three");
    is(told(), 2, "with DN_MULTISHOT for ever; further calls add events");
    is(fcntl(watched, F_NOTIFY, 0), 0, "no event");
    unlink("w/two");
    is(told(), 0, "is the end of it");
    fcntl(watched, F_SETSIG, 0);
    fcntl(watched, F_NOTIFY, DN_DELETE);
    unlink("w/one");
    siginfo_t info;
    const struct timespec now = {0};
    ok(sigtimedwait(&signals, &info, &now) == SIGIO, "without F_SETSIG it is SIGIO");
    fcntl(watched, F_SETSIG, SIGRTMIN);
    int copy = dup(watched);
    fcntl(watched, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    close(copy);
    put("w/four");
    is(told(), 0, "closing any copy of the descriptor ends it");
    unlink("w/four");
    close(file);
}

static void names(void)
{
    watch(DN_CREATE);
    put("w/a");
    is(told(), 1, "create: open");
    put("w/a");
    is(told(), 0, "of a new file only");
    mkdir("w/d", 0755);
    is(told(), 1, "mkdir");
    symlink("x", "w/s");
    is(told(), 1, "symlink");
    mknod("w/p", S_IFIFO | 0644, 0);
    is(told(), 1, "mknod");
    link("w/a", "w/l");
    is(told(), 1, "link");
    put("outside");
    rename("outside", "w/inside");
    is(told(), 1, "rename into it");
    put("w/d/deep");
    is(told(), 0, "nothing deeper");
    watch(DN_DELETE);
    unlink("w/s");
    is(told(), 1, "delete: unlink");
    unlink("w/d/deep"), told();
    rmdir("w/d");
    is(told(), 1, "rmdir");
    rename("w/inside", "outside");
    is(told(), 1, "rename out of it");
    watch(DN_RENAME);
    rename("w/l", "w/m");
    is(told(), 1, "rename: within it");
    rename("outside", "w/inside");
    rename("w/inside", "outside");
    is(told(), 0, "neither in nor out");
}

static void contents(void)
{
    char bytes[10] = "";
    struct stat stat_of;
    int file = open("w/a", O_RDWR);
    watch(DN_MODIFY);
    write(file, bytes, 10);
    is(told(), 1, "modify: write");
    ftruncate(file, 5);
    is(told(), 1, "ftruncate");
    truncate("w/a", 3);
    is(told(), 1, "truncate");
    fallocate(file, 0, 0, 100);
    is(told(), 1, "fallocate");
    close(open("w/a", O_WRONLY | O_TRUNC));
    is(told(), 1, "O_TRUNC");
    write(file, bytes, 0);
    is(told(), 0, "nothing written is nothing");
    pwrite(file, bytes, 10, 0);
    watch(DN_ACCESS);
    pread(file, bytes, 10, 0);
    is(told(), 1, "access: read");
    pread(file, bytes, 10, 100);
    is(told(), 0, "not at the end");
    stat("w/a", &stat_of);
    is(told(), 0, "nor stat");
    DIR *directory = opendir("w");
    while (readdir(directory))
        ;
    closedir(directory);
    ok(told() >= 1, "but a listing");
    watch(DN_ATTRIB);
    chmod("w/a", 0600);
    is(told(), 1, "attrib: chmod");
    chown("w/a", 0, 0);
    is(told(), 1, "chown");
    utimensat(AT_FDCWD, "w/a", NULL, 0);
    is(told(), 1, "utimensat");
    chmod("w", 0700);
    is(told(), 1, "the directory's own, too");
    mkdir("w/inner", 0755);
    int inner = open("w/inner", O_RDONLY);
    fcntl(inner, F_SETSIG, SIGRTMIN);
    watch(DN_ATTRIB);
    fcntl(inner, F_NOTIFY, DN_ATTRIB);
    chmod("w/inner", 0700);
    const struct timespec now = {0};
    siginfo_t info;
    int seen = 0;
    while (sigtimedwait(&signals, &info, &now) == SIGRTMIN)
        seen |= info.si_fd == inner ? 1 : info.si_fd == watched ? 2 : 4;
    is(seen, 3, "both the directory and the one around it are told");
    close(inner), close(file);
}

static void children(void)
{
    int status;
    watch(DN_CREATE);
    pid_t child = fork();
    if (!child) {
        put("w/by-child");
        _exit(0);
    }
    waitpid(child, &status, 0);
    is(told(), 1, "what others do is told as well; a child that ends takes nothing away");
    put("w/after");
    is(told(), 1, "as is seen");
    fcntl(watched, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    close(watched);
    put("w/late");
    is(told(), 0, "with the descriptor it ends");
}

int main(void)
{
    tap_begin();
    sigemptyset(&signals);
    sigaddset(&signals, SIGIO), sigaddset(&signals, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    mkdir("/tmp/notify", 0755);
    if (chdir("/tmp/notify") || mkdir("w", 0755))
        tap_bail("mkdir");
    watched = open("w", O_RDONLY);
    rules();
    names();
    contents();
    children();
    return tap_end();
}
