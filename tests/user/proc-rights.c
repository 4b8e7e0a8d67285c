// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
//
// Who may look into which process by /proc; /proc/PID/task, fdinfo, mountinfo, root; a root of one's own (chroot).
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static char path[64];

static const char *file_of(int pid, const char *name)
{
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return path;
}

// Files that tell about memory and files, and those that tell little.
static const char *const inner[] = {
    "maps", "smaps", "smaps_rollup", "pagemap", "environ", "auxv", "fd", "cwd/.", "exe", "root/.",
};
static const char *const outer[] = {
    "stat", "statm", "status", "comm", "cmdline", "limits", "oom_score", "mounts", "task",
};

// How many of these can be opened.
static int opened(int pid, const char *const *names, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        int fd = open(file_of(pid, names[i]), O_RDONLY);
        n += fd >= 0;
        if (fd >= 0)
            close(fd);
        else if (errno != EACCES)
            return -errno;
    }
    return n;
}

#define INNER ((int)(sizeof(inner) / sizeof(inner[0])))
#define OUTER ((int)(sizeof(outer) / sizeof(outer[0])))

// As user `who`: what can be opened of `pid` (0: of itself), 100 times the inner ones plus the outer ones.
static int seen_by(uid_t who, int pid)
{
    int status;
    if (!fork()) {
        setgroups(0, NULL);
        if (who)
            setgid(who), setuid(who);
        int target = pid ? pid : getpid();
        _exit(opened(target, inner, INNER) * 16 + opened(target, outer, OUTER));
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) / 16 * 100 + WEXITSTATUS(status) % 16 : -1;
}

// A process of that user that has not changed its ids since it began to run its program, or has.
static pid_t sleeper(uid_t who, bool anew, const char *self)
{
    char *const arguments[] = { "sleeper", "sleep", NULL };
    int ends[2];
    char byte;
    pipe(ends);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 1);
        setgroups(0, NULL), setgid(who), setuid(who);
        if (anew)
            execv(self, arguments);
        write(1, "x", 1);
        for (;;)
            pause();
    }
    close(ends[1]);
    read(ends[0], &byte, 1);
    close(ends[0]);
    return child;
}

static void rights(const char *self)
{
    pid_t same = sleeper(1000, true, self), changed = sleeper(1000, false, self);
    is(seen_by(0, same), INNER * 100 + OUTER, "root sees all");
    is(seen_by(0, changed), INNER * 100 + OUTER, "of everybody");
    is(seen_by(1000, same), INNER * 100 + OUTER, "a user sees all of his processes");
    is(seen_by(1000, changed), OUTER, "but not into one that was root's when it began to run");
    is(seen_by(2000, same), OUTER, "others see the outside alone");
    is(seen_by(1000, getpid()), OUTER, "of root's, too");
    is(seen_by(1000, 0), (INNER - 3) * 100 + OUTER, "itself it sees, but for what is root's: environ, auxv, pagemap");
    kill(same, SIGKILL), kill(changed, SIGKILL);
    wait(NULL), wait(NULL);
}

static bool reads(const char *name, char *text, size_t size)
{
    int fd = open(name, O_RDONLY);
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void threads(void)
{
    char text[64], want[64];
    ssize_t n = readlink("/proc/thread-self", text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    snprintf(want, sizeof(want), "%d/task/%d", getpid(), getpid());
    ok(!strcmp(text, want), "/proc/thread-self");
    ok(reads("/proc/thread-self/comm", text, sizeof(text)) && !strcmp(text, "proc-rights\n"),
       "leads to the files of the thread");
    fails(access("/proc/thread-self/task", F_OK), ENOENT, "which has no threads of its own");
    fails(access("/proc/self/task/1000000", F_OK), ENOENT, "and is the only one");
}

static void descriptors(void)
{
    char text[512], want[64];
    int fd = open("f", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    write(fd, "abc", 3);
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    ok(reads(path, text, sizeof(text)), "fdinfo");
    snprintf(want, sizeof(want), "pos:\t3\nflags:\t0%o\nmnt_id:\t", O_RDWR | O_APPEND | O_CLOEXEC | 0100000);
    ok(!strncmp(text, want, strlen(want)), "tells position and flags");
    struct stat st;
    fstat(fd, &st);
    snprintf(want, sizeof(want), "\nino:\t%lu\n", (unsigned long)st.st_ino);
    ok(strstr(text, want) != NULL, "and the inode");
    close(fd);
    fails(open(path, O_RDONLY), ENOENT, "of what is open");
}

static int in_a_root(void)
{
    char text[64] = { 0 };
    if (chroot("root"))
        return 1;
    if (syscall(SYS_getcwd, text, sizeof(text)) < 0 || strncmp(text, "(unreachable)", 13))
        return 2;
    if (access("/in", F_OK) || access("/../in", F_OK) || access("/link", F_OK))
        return 3;
    if (access("/f", F_OK) != -1 || access("f", F_OK))
        return 4;
    if (chdir("/") || syscall(SYS_getcwd, text, sizeof(text)) != 2 || chdir("..") || access("in", F_OK))
        return 5;
    if (chdir("in") || syscall(SYS_getcwd, text, sizeof(text)) != 4 || strcmp(text, "/in"))
        return 6;
    return fork() ? (wait(NULL), 0) : access("/in", F_OK);
}

static void roots(void)
{
    char text[64] = { 0 };
    int status, ends[2];
    mkdir("root", 0755), mkdir("root/in", 0755), symlink("/in", "root/link");
    close(open("f", O_CREAT | O_RDWR, 0600));
    if (!fork())
        _exit(in_a_root());
    wait(&status);
    is(WEXITSTATUS(status), 0, "a process in a root of its own finds nothing outside, but where it stands");
    pipe(ends);
    pid_t child = fork();
    if (!child) {
        chroot("root");
        write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    read(ends[0], text, 1);
    readlink(file_of(child, "root"), text, sizeof(text) - 1);
    ok(!strcmp(text, "/tmp/proc-rights/root"), "/proc/PID/root tells");
    is(access(file_of(child, "root/in"), F_OK), 0, "and leads there");
    kill(child, SIGKILL);
    wait(NULL);
    fails(chroot("f"), ENOTDIR, "a root is a directory");
    if (!fork()) {
        setuid(1000);
        _exit(chroot("/") == -1 && errno == EPERM ? 0 : 1);
    }
    wait(&status);
    is(status, 0, "and root's to change");
}

int main(int argc, char **argv)
{
    char self[64] = { 0 };
    if (argc > 1) {
        write(1, "x", 1);
        for (;;)
            pause();
    }
    tap_begin();
    umask(022);
    mkdir("/tmp/proc-rights", 0755);
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || chdir("/tmp/proc-rights"))
        tap_bail("no room to work in");
    rights(self);
    threads();
    descriptors();
    roots();
    (void)argv;
    return tap_end();
}
