// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: files
//
// Names: making, linking, moving and removing files and directories, and the errors of each call.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

static void works(long result, const char *what)
{
    int got = errno;
    if (!ok(result >= 0, "%s", what))
        tap_note("errno %d (%s)", got, strerror(got));
}

// Makes a file with this text.
static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        tap_note("cannot write %s: %s", path, strerror(errno));
    close(fd);
}

// Does the file hold just this text?
static bool holds(const char *path, const char *text)
{
    char bytes[256];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    close(fd);
    return n == (ssize_t)strlen(text) && !memcmp(bytes, text, n);
}

static int names_in(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (!directory)
        return -1;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static struct stat stat_of(const char *path)
{
    struct stat st = { 0 };
    lstat(path, &st);
    return st;
}

static void directories(void)
{
    works(mkdir("d", 0755), "mkdir");
    is(stat_of("d").st_nlink, 2, "a new directory has two links");
    fails(mkdir("d", 0755), EEXIST, "mkdir where a directory is");
    works(mkdir("d/e/", 0700), "mkdir with a slash behind");
    is(stat_of("d").st_nlink, 3, "a subdirectory is a link to its parent");
    fails(mkdir("none/e", 0755), ENOENT, "mkdir in nothing");
    put("f", "x");
    fails(mkdir("f/e", 0755), ENOTDIR, "mkdir in a file");
    fails(mkdir("f", 0755), EEXIST, "mkdir where a file is");
    fails(rmdir("d"), ENOTEMPTY, "rmdir of a directory that is not empty");
    fails(rmdir("f"), ENOTDIR, "rmdir of a file");
    fails(rmdir("none"), ENOENT, "rmdir of nothing");
    fails(rmdir("d/."), EINVAL, "rmdir of a dot");
    fails(rmdir("d/e/.."), ENOTEMPTY, "rmdir of dot dot");
    fails(rmdir("/"), EBUSY, "rmdir of the root");
    fails(unlink("d/e"), EISDIR, "unlink of a directory");
    works(rmdir("d/e/"), "rmdir with a slash behind");
    is(names_in("d"), 2, "only . and .. are left");
    works(rmdir("d"), "rmdir");
    fails(unlink("f/"), ENOTDIR, "unlink of a file with a slash behind");
    works(unlink("f"), "unlink");
    fails(unlink("f"), ENOENT, "unlink of nothing");
}

// /proc takes no names from anybody.
static void proc_names(void)
{
    fails(open("/proc/new", O_CREAT | O_WRONLY, 0644), ENOENT, "a file in /proc cannot be made");
    fails(mkdir("/proc/new", 0755), ENOENT, "nor a directory");
    fails(unlink("/proc/version"), EPERM, "nor a name be removed");
    int fd = open("/proc/version", O_RDONLY | O_CREAT, 0644);
    works(fd, "what is there is opened");
    close(fd);
}

static void removed_directory(void)
{
    char path[PATH_MAX];
    mkdir("gone", 0755);
    works(chdir("gone"), "chdir");
    works(rmdir("../gone"), "the working directory can be removed");
    fails(syscall(SYS_getcwd, path, sizeof path), ENOENT, "it has no path any more");
    fails(open("f", O_CREAT | O_WRONLY, 0644), ENOENT, "nothing can be made in it");
    fails(mkdir("d", 0755), ENOENT, "no directory either");
    is(names_in("."), 0, "it has no names, not even dots");
    works(chdir(".."), "its parent is still above it");
}

static void links(void)
{
    put("a", "text");
    works(link("a", "b"), "link");
    is(stat_of("a").st_nlink, 2, "two links");
    ok(stat_of("a").st_ino == stat_of("b").st_ino, "the same file");
    fails(link("a", "b"), EEXIST, "link to a name that is there");
    fails(link("none", "c"), ENOENT, "link of nothing");
    mkdir("d", 0755);
    fails(link("d", "e"), EPERM, "link of a directory");
    fails(link("a", "none/b"), ENOENT, "link into nothing");
    put("b", "other");
    ok(holds("a", "other"), "what is written by one name is read by the other");
    works(unlink("a"), "unlink one");
    ok(holds("b", "other"), "the file is still there by the other");
    is(stat_of("b").st_nlink, 1, "one link");
    works(symlink("b", "s"), "symlink");
    is(stat_of("s").st_size, 1, "its size is its target's length");
    ok(holds("s", "other"), "it is followed");
    works(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0), "link of a symbolic link");
    ok(S_ISLNK(stat_of("t").st_mode), "is one to the link");
    fails(symlink("", "u"), ENOENT, "symlink to an empty path");
    fails(symlink("x", "s"), EEXIST, "symlink where a name is");
    works(symlink("new", "dangling"), "a dangling link");
    fails(open("dangling", O_RDONLY), ENOENT, "cannot be opened");
    put("dangling", "made");
    ok(holds("new", "made"), "O_CREAT makes what it points to");
    fails(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST, "O_EXCL does not follow");
    symlink("loop", "loop");
    fails(open("loop", O_RDONLY), ELOOP, "a link to itself");
    unlink("loop"), unlink("dangling"), unlink("new"), unlink("s"), unlink("t"), unlink("b"), rmdir("d");
}

static void renames(void)
{
    put("a", "1"), put("b", "2");
    mkdir("d", 0755), mkdir("d/sub", 0755), mkdir("e", 0755);
    works(rename("a", "b"), "rename over a file");
    ok(holds("b", "1"), "the new contents are there");
    fails(rename("a", "c"), ENOENT, "rename of nothing");
    fails(rename("b", "d"), EISDIR, "a file over a directory");
    fails(rename("d", "b"), ENOTDIR, "a directory over a file");
    fails(rename("e", "d"), ENOTEMPTY, "a directory over one that is not empty");
    fails(rename("d", "d/sub/x"), EINVAL, "a directory into itself");
    fails(rename("d/sub", "d"), ENOTEMPTY, "a directory over its parent");
    fails(rename("b", "/proc/x"), EXDEV, "to another file system");
    fails(rename("b", "c/"), ENOTDIR, "a file to a name with a slash");
    fails(rename("d/.", "x"), EBUSY, "a dot");
    works(rename("d", "e"), "a directory over an empty one");
    is(names_in("e"), 3, "with what was in it");
    works(rename("e/sub", "sub"), "a directory out of its parent");
    is(stat_of("e").st_nlink, 2, "the old parent has a link less");
    put("c", "3");
    fails(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE), EEXIST, "RENAME_NOREPLACE");
    ok(holds("c", "3"), "changes nothing");
    link("b", "b2");
    works(rename("b", "b2"), "rename of one name of a file to another");
    is(stat_of("b").st_nlink, 2, "does nothing");
    unlink("b"), unlink("b2"), unlink("c"), rmdir("e"), rmdir("sub");
}

// A directory that is emptied while it is read.
static void emptying(void)
{
    char name[32];
    int seen = 0;
    mkdir("many", 0755);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "many/file-%03d", i);
        put(name, "");
    }
    is(names_in("many"), 502, "500 names and the dots");
    DIR *directory = opendir("many");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        seen++;
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
    is(seen, 500, "removing while reading, each is seen once");
    works(rmdir("many"), "and nothing is left");
}

static void opens(void)
{
    int fd;
    umask(027);
    fd = open("o", O_CREAT | O_EXCL | O_RDWR, 0666);
    works(fd, "O_CREAT|O_EXCL makes");
    is(stat_of("o").st_mode & 07777, 0640, "with the mode less the umask");
    umask(022);
    close(fd);
    fails(open("o", O_CREAT | O_EXCL | O_RDWR, 0666), EEXIST, "O_EXCL where a file is");
    fails(open("o/", O_CREAT | O_RDWR, 0666), EISDIR, "O_CREAT with a slash behind");
    fails(open(".", O_WRONLY), EISDIR, "a directory for writing");
    fails(open("o", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file");
    symlink("o", "s");
    fails(open("s", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW of a link");
    put("o", "0123456789");
    fd = open("o", O_WRONLY | O_APPEND);
    ok(write(fd, "ab", 2) == 2 && lseek(fd, 0, SEEK_CUR) == 12, "O_APPEND writes at the end");
    close(fd);
    fd = open("o", O_RDWR | O_TRUNC);
    is(stat_of("o").st_size, 0, "O_TRUNC empties");
    close(fd);
    fd = open("o", O_PATH);
    works(fd, "O_PATH");
    fails(read(fd, &umask, 1), EBADF, "cannot be read");
    fails(syscall(SYS_fchmod, fd, 0600), EBADF, "nor its mode be set");
    close(fd);
    fd = open(".", O_RDWR | O_TMPFILE, 0600);
    works(fd, "O_TMPFILE");
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    works(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), "gets a name afterwards");
    is(stat_of("named").st_nlink, 1, "which is its only link");
    close(fd);
    unlink("named"), unlink("o"), unlink("s");
}

static void deleted_paths(void)
{
    char target[PATH_MAX], link[64];
    int fd = open("here", O_CREAT | O_RDWR, 0644);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    rename("here", "there");
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    ok(strstr(target, "/there") && !strstr(target, "deleted"), "a descriptor's link follows a rename");
    unlink("there");
    n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    ok(strstr(target, "/there (deleted)"), "and says so when the file is removed");
    ok(write(fd, "x", 1) == 1, "it can still be written");
    close(fd);
}

int main(void)
{
    tap_begin();
    mkdir("/tmp/fs-names", 0755);
    if (chdir("/tmp/fs-names"))
        tap_note("no place for it: %s", strerror(errno));
    directories();
    proc_names();
    removed_directory();
    links();
    renames();
    emptying();
    opens();
    deleted_paths();
    chdir("/");
    works(rmdir("/tmp/fs-names"), "all is cleaned up");
    return tap_end();
}
