// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: files
//
// openat2(2): what a path may lead through; close_range(2); listings that go on while names are made; the text of a
// memfd's link.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

// Linux's numbers, which musl of this age does not have.
enum { OPENAT2 = 437, CLOSE_RANGE = 436, MEMFD_CREATE = 319 };
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16 };
enum { RANGE_UNSHARE = 2, RANGE_CLOEXEC = 4 };

struct how {
    uint64_t flags, mode, resolve, beyond;
};
#define HOW_SIZE 24

static char room[] = "/tmp/fs-newer-XXXXXX";

static long openat2(int directory, const char *path, struct how how, size_t size)
{
    return syscall(OPENAT2, directory, path, &how, size);
}

static void arguments(void)
{
    static const struct {
        struct how how;
        size_t size;
        int error;
        const char *what;
    } rows[] = {
        { { O_RDONLY, 0200, 0, 0 }, HOW_SIZE, EINVAL, "a mode for what makes no file" },
        { { O_RDWR | O_CREAT, 010644, 0, 0 }, HOW_SIZE, EINVAL, "a mode with more than permissions" },
        { { O_RDWR, 0, 64, 0 }, HOW_SIZE, EINVAL, "an unknown wish" },
        { { O_RDWR, 0, BENEATH | IN_ROOT, 0 }, HOW_SIZE, EINVAL, "two wishes that exclude each other" },
        { { 1ul << 40, 0, 0, 0 }, HOW_SIZE, EINVAL, "an unknown flag" },
        { { O_PATH | O_RDWR, 0, 0, 0 }, HOW_SIZE, EINVAL, "a flag that O_PATH would ignore" },
        { { O_RDWR, 0, 0, 0 }, 0, EINVAL, "no structure" },
        { { O_RDWR, 0, 0, 0 }, HOW_SIZE - 1, EINVAL, "a structure that is too short" },
        { { O_RDWR, 0, 0, 1 }, HOW_SIZE + 8, E2BIG, "a word that we do not know" },
        { { O_RDWR, 0, 0, 0 }, 4097, E2BIG, "a structure of more than a page" },
        { { O_RDWR, 0, 0, 0 }, HOW_SIZE + 8, 0, "a word that we do not know, but zero" },
        { { O_RDWR, 0, 0, 0 }, HOW_SIZE, 0, "no wish" },
        { { O_PATH | O_CLOEXEC, 0, 0, 0 }, HOW_SIZE, 0, "O_PATH" },
        { { O_RDWR | O_CREAT, 0600, 0, 0 }, HOW_SIZE, 0, "O_CREAT with a mode" },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        long fd = openat2(AT_FDCWD, "file", rows[i].how, rows[i].size);
        is(fd < 0 ? errno : 0, rows[i].error, "openat2: %s", rows[i].what);
        if (fd >= 0)
            close((int)fd);
    }
    is(syscall(OPENAT2, AT_FDCWD, "file", NULL, HOW_SIZE), -1, "openat2: no structure at all");
    fails(openat2(99, "file", (struct how){ 0 }, HOW_SIZE), EBADF, "openat2: no directory");
    long fd = openat2(AT_FDCWD, "file", (struct how){ .flags = O_RDWR }, HOW_SIZE);
    is(fcntl((int)fd, F_GETFL), O_RDWR | 0100000, "openat2: F_GETFL shows O_LARGEFILE");
    close((int)fd);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    is(fcntl((int)fd, F_GETFL), O_TMPFILE | O_RDWR | 0100000, "F_GETFL shows O_TMPFILE");
    close((int)fd);
}

static void resolving(void)
{
    static const struct {
        uint64_t resolve;
        const char *path;
        int error;
    } rows[] = {
        { NO_XDEV, "inside/file", 0 },          { NO_XDEV, "mount", EXDEV },
        { NO_XDEV, "mount/file", EXDEV },       { NO_XDEV, "/proc/version", EXDEV },
        { NO_XDEV, "inside/up", 0 },            { NO_XDEV, "version", EXDEV },
        { NO_MAGICLINKS, "/proc/self/exe", ELOOP }, { NO_MAGICLINKS, "/proc/self/cwd/file", ELOOP },
        { NO_MAGICLINKS, "inside/up", 0 },      { NO_SYMLINKS, "inside/up", ELOOP },
        { NO_SYMLINKS, "link/file", ELOOP },    { NO_SYMLINKS, "inside/../file", 0 },
        { BENEATH, "inside/up", 0 },            { BENEATH, "inside/../file", 0 },
        { BENEATH, "inside/../..", EXDEV },     { BENEATH, "..", EXDEV },
        { BENEATH, "/tmp", EXDEV },             { BENEATH, "version", EXDEV },
        { BENEATH, "/proc/self/exe", EXDEV },   { BENEATH, "mount/file", 0 },
        { IN_ROOT, "/file", 0 },                { IN_ROOT, "//", 0 },
        { IN_ROOT, "../../file", 0 },           { IN_ROOT, "/proc/version", ENOENT },
        { IN_ROOT, "version", ENOENT },         { IN_ROOT, "inside/top", 0 },
        { IN_ROOT, "inside/up", 0 },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        long fd = openat2(AT_FDCWD, rows[i].path, (struct how){ .resolve = rows[i].resolve }, HOW_SIZE);
        is(fd < 0 ? errno : 0, rows[i].error, "resolve %lu, %s", (unsigned long)rows[i].resolve, rows[i].path);
        if (fd >= 0)
            close((int)fd);
    }
    int mount_fd = open("mount", O_PATH);
    fails(openat2(mount_fd, "..", (struct how){ .resolve = NO_XDEV }, HOW_SIZE), EXDEV, ".. leads out of a mount");
    long fd = openat2(mount_fd, "new", (struct how){ O_CREAT | O_RDWR, 0600, BENEATH, 0 }, HOW_SIZE);
    ok(fd >= 0, "a file is made beneath");
    close((int)fd);
    fails(openat2(mount_fd, "../new", (struct how){ O_CREAT | O_RDWR, 0600, BENEATH, 0 }, HOW_SIZE), EXDEV,
          "and not made above");
    ok(access("mount/new", F_OK) == 0 && access("new", F_OK) < 0, "it lies there and only there");
    close(mount_fd);
}

static void ranges(void)
{
    for (int fd = 20; fd < 30; fd++)
        dup2(2, fd);
    is(syscall(CLOSE_RANGE, 20, 22, 0), 0, "close_range");
    ok(fcntl(20, F_GETFD) < 0 && fcntl(22, F_GETFD) < 0 && fcntl(23, F_GETFD) == 0, "closes these and no more");
    is(syscall(CLOSE_RANGE, 22, 24, RANGE_CLOEXEC), 0, "close_range marks, over a gap");
    ok(fcntl(22, F_GETFD) < 0 && fcntl(24, F_GETFD) == FD_CLOEXEC && fcntl(25, F_GETFD) == 0, "these and no more");
    dup2(2, 22);
    is(fcntl(22, F_GETFD), 0, "what is opened in the gap later is not marked");
    fails(syscall(CLOSE_RANGE, 4, 3, 0), EINVAL, "a range that ends before it starts");
    fails(syscall(CLOSE_RANGE, 20, 21, 1), EINVAL, "an unknown flag");
    is(syscall(CLOSE_RANGE, ~0u, ~0u, 0), 0, "a range beyond all");

    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(syscall(CLOSE_RANGE, 20, ~0u, RANGE_UNSHARE) || fcntl(25, F_GETFD) >= 0);
    int status;
    waitpid(pid, &status, 0);
    ok(status == 0 && fcntl(25, F_GETFD) == 0, "RANGE_UNSHARE closes in a table of one's own");
    pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(syscall(CLOSE_RANGE, 20, ~0u, 0) != 0);
    waitpid(pid, &status, 0);
    ok(status == 0 && fcntl(25, F_GETFD) < 0, "else in the one that is shared");
}

static void listing(void)
{
    struct dirent *entry;
    int made = 0;
    char name[32];
    mkdir("list", 0700);
    mkdir("list/first", 0700);
    DIR *directory = opendir("list");
    while ((entry = readdir(directory)) && made < 1000) {
        snprintf(name, sizeof name, "list/%d", made++);
        mkdir(name, 0700);
    }
    ok(made < 1000, "a listing ends, though each entry makes another");
    rewinddir(directory);
    int seen = 0;
    while (readdir(directory))
        seen++;
    is(seen, made + 3, "the next one tells of them all");
    closedir(directory);
}

static void memfd(void)
{
    char link[32], text[64] = "";
    int fd = (int)syscall(MEMFD_CREATE, "a name", 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ok(readlink(link, text, sizeof text - 1) > 0 && !strcmp(text, "/memfd:a name (deleted)"), "a memfd's link: %s", text);
    close(fd);
}

int main(void)
{
    tap_begin();
    if (!mkdtemp(room) || chdir(room))
        return 1;
    ok(mkdir("inside", 0700) == 0 && mkdir("mount", 0700) == 0 && mount("none", "mount", "tmpfs", 0, NULL) == 0 &&
           symlink("../file", "inside/up") == 0 && symlink("/file", "inside/top") == 0 &&
           symlink("/proc/version", "version") == 0 && symlink("inside", "link") == 0,
       "a tree to walk in");
    close(creat("file", 0600));
    close(creat("inside/file", 0600));
    close(creat("mount/file", 0600));
    arguments();
    resolving();
    ranges();
    listing();
    memfd();
    return tap_end();
}
