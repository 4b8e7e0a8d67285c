// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
//
// Who may do what with files: access(2) by the real ids, running programs, programs that are busy, links in
// other people's directories; two names that change places; memory from /dev/zero.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void file_make(const char *name, mode_t mode, uid_t owner)
{
    int fd = open(name, O_CREAT | O_RDWR, 0600);
    write(fd, name, 1);
    close(fd);
    chown(name, owner, owner);
    chmod(name, mode);
}

// Runs `body` with these ids; the number of what went wrong first, or 0.
static int as_user(uid_t real, uid_t effective, int (*body)(void))
{
    int status;
    if (!fork()) {
        setgroups(0, NULL);
        setresgid(real, effective, effective);
        setresuid(real, effective, effective);
        _exit(body());
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool refused(long result, int error) { return result == -1 && errno == error; }
static int access_effective(const char *path, int wanted)
{
    return syscall(SYS_faccessat2, AT_FDCWD, path, wanted, AT_EACCESS);
}

static int real_somebody(void)
{
    if (!refused(access("roots", R_OK), EACCES))
        return 1;
    if (access("theirs", R_OK) || !refused(access("theirs", W_OK), EACCES))
        return 2;
    if (!refused(access("closed/f", F_OK), EACCES))
        return 3;
    if (access_effective("roots", R_OK | W_OK) || access_effective("closed/f", R_OK))
        return 4;
    return open("roots", O_RDONLY) < 0 ? 5 : 0;
}

static int real_root(void)
{
    if (access("roots", R_OK | W_OK) || access("theirs", W_OK) || access("closed/f", F_OK))
        return 1;
    if (!refused(access_effective("roots", R_OK), EACCES))
        return 2;
    return refused(open("roots", O_RDONLY), EACCES) ? 0 : 3;
}

static void real_ids(void)
{
    file_make("roots", 0600, 0);
    file_make("theirs", 0400, 1000);
    mkdir("closed", 0700);
    file_make("closed/f", 0666, 0);
    is(as_user(1000, 0, real_somebody), 0, "access(2) asks for the real user, AT_EACCESS for the effective one");
    is(as_user(0, 1000, real_root), 0, "and finds root there, too");
}

// ---- programs

// exec of `path`: the errno, or 0.
static int try_exec(const char *path)
{
    char *const arguments[] = { "true", NULL };
    int status;
    if (!fork()) {
        execve(path, arguments, arguments + 1);
        _exit(errno);
    }
    wait(&status);
    return WEXITSTATUS(status);
}

static int exec_as_somebody(void)
{
    if (try_exec("program") != EACCES)
        return 1;
    return try_exec("closed/program") == EACCES ? 0 : 2;
}

static void copy_program(const char *name)
{
    char block[4096];
    ssize_t n;
    int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    while ((n = read(from, block, sizeof(block))) > 0)
        write(to, block, n);
    close(from), close(to);
}

static void programs(void)
{
    int fd, status, to_child[2];
    copy_program("program");
    copy_program("closed/program");
    chmod("program", 0744);
    is(as_user(1000, 1000, exec_as_somebody), 0, "a program wants an x bit of who runs it, and the way there");
    is(try_exec("program"), 0, "any x bit will do for root");
    fd = open("program", O_RDWR);
    is(try_exec("program"), ETXTBSY, "what is open for writing cannot be run");
    close(fd);
    pipe(to_child);
    pid_t child = fork();
    if (!child) {
        char *const arguments[] = { "program", "wait", NULL };
        dup2(to_child[0], 0);
        close(to_child[1]);
        do // the parent may have it open just now
            execve("program", arguments, arguments + 2);
        while (errno == ETXTBSY);
        _exit(1);
    }
    close(to_child[0]);
    while ((fd = open("program", O_WRONLY)) >= 0)
        close(fd);
    is(errno, ETXTBSY, "what runs cannot be opened for writing");
    fails(open("program", O_RDONLY | O_TRUNC), ETXTBSY, "nor be cut off by opening it");
    fails(truncate("program", 0), ETXTBSY, "nor by its name");
    is(unlink("program"), 0, "but its name can go");
    close(to_child[1]);
    wait(&status);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and it runs on");
}

// ---- links

static int links_as_somebody(void)
{
    chdir("open");
    if (!refused(link("../roots", "l1"), EPERM) || !refused(link("../theirs", "l2"), EPERM))
        return 1;
    if (link("../public", "l3"))
        return 2;
    if (!refused(open("by-2000", O_RDONLY), EACCES) || open("by-root", O_RDONLY) < 0)
        return 3;
    if (symlink("../public", "mine") || open("mine", O_RDONLY) < 0)
        return 4;
    return readlink("by-2000", (char[8]){ 0 }, 8) > 0 ? 0 : 5;
}

static void links(void)
{
    mkdir("open", 0777), chmod("open", 01777);
    file_make("public", 0666, 0);
    chown("theirs", 2000, 2000);
    symlink("../public", "open/by-2000"), lchown("open/by-2000", 2000, 2000);
    symlink("../public", "open/by-root");
    is(as_user(1000, 1000, links_as_somebody), 0, "links in sticky directories and to files of others are distrusted");
}

// ---- names that change places

static int exchange(const char *one, const char *other)
{
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2);
}

static struct stat stat_of(const char *path)
{
    struct stat st = { 0 };
    lstat(path, &st);
    return st;
}

static void exchanges(void)
{
    char path[64];
    mkdir("x", 0755), mkdir("y", 0755), mkdir("x/d", 0755), mkdir("x/d/e", 0755);
    file_make("y/f", 0644, 0);
    struct stat d = stat_of("x/d"), f = stat_of("y/f");
    is(exchange("x/d", "y/f"), 0, "a directory and a file change places");
    ok(stat_of("x/d").st_ino == f.st_ino && stat_of("y/f").st_ino == d.st_ino, "each is the other now");
    is(stat_of("x").st_nlink, 2, "the directory that lost one has a link less");
    is(stat_of("y").st_nlink, 3, "the other has one more");
    chdir("y/f/e");
    getcwd(path, sizeof(path));
    ok(strstr(path, "/y/f/e") != NULL, "and is what .. leads to");
    chdir("../../..");
    fails(exchange("y", "y/f"), EINVAL, "not a directory with what lies in it");
    fails(exchange("y/f", "y"), EINVAL, "either way round");
    fails(exchange("x", "none"), ENOENT, "not with nothing");
    is(exchange("x", "x"), 0, "with itself nothing happens");
    is(rmdir("y/f/e") | rmdir("y/f") | unlink("x/d") | rmdir("x") | rmdir("y"), 0, "and all can be removed");
}

// ---- /dev/zero

static void zero_device(void)
{
    int fd = open("/dev/zero", O_RDWR), status;
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!ok(private != MAP_FAILED && shared != MAP_FAILED, "/dev/zero is mapped"))
        return;
    ok(private[0] == 0 && shared[0] == 0, "full of zeroes");
    private[0] = 1, shared[0] = 1;
    if (!fork()) {
        private[0] = 2, shared[0] = 2;
        _exit(0);
    }
    wait(&status);
    ok(private[0] == 1 && shared[0] == 2, "one to each process, one to all");
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    ok(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES,
       "not to be shared and written unless opened so");
    close(fd);
}

int main(int argc, char **argv)
{
    char byte;
    if (argc > 1 && !strcmp(argv[1], "wait"))
        return read(0, &byte, 1) < 0;
    if (!strcmp(argv[0], "true"))
        return 0;
    tap_begin();
    umask(022);
    mkdir("/tmp/fs-rights", 0755);
    if (chdir("/tmp/fs-rights"))
        tap_bail("no room to work in");
    real_ids();
    programs();
    links();
    exchanges();
    zero_device();
    return tap_end();
}
