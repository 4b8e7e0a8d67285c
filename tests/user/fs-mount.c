// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: files
//
// mount(2) and umount2(2) for tmpfs and proc: what is seen where, what keeps a mount busy, and that nothing can be
// changed where MS_RDONLY is.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void put(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY, 0644));
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

// The options of the last mount on `path`, by /proc/self/mounts; "" where there is none.
static const char *options_of(const char *path)
{
    static char found[512];
    char line[512], source[128], target[128], type[32], options[256];
    FILE *mounts = fopen("/proc/self/mounts", "r");
    found[0] = '\0';
    while (mounts && fgets(line, sizeof(line), mounts))
        if (sscanf(line, "%127s %127s %31s %255s", source, target, type, options) == 4 && !strcmp(target, path))
            snprintf(found, sizeof(found), "%s:%s:%s", source, type, options);
    if (mounts)
        fclose(mounts);
    return found;
}

static void errors(void)
{
    int status;
    put("file");
    fails(mount("x", "nowhere", "tmpfs", 0, NULL), ENOENT, "no such directory");
    fails(mount("x", "file", "tmpfs", 0, NULL), ENOTDIR, "a file is no place for a tree");
    fails(mount("x", "m", "no-such-type", 0, NULL), ENODEV, "no such type");
    fails(mount("x", "m", NULL, 0, NULL), EINVAL, "no type");
    fails(mount("x", "m", "tmpfs", 0, "no-such-option=1"), EINVAL, "no such option");
    fails(mount("x", "m", "tmpfs", 0, "size=many"), EINVAL, "no size");
    fails(mount("x", "m", "tmpfs", MS_REMOUNT, NULL), EINVAL, "nothing is mounted there to be changed");
    fails(mount("x", (char *)8, "tmpfs", 0, NULL), EFAULT, "a bad address");
    fails(umount("m"), EINVAL, "nor to be taken away");
    fails(umount("nowhere"), ENOENT, "no such place to take away from");
    fails(umount2("m", 0x80), EINVAL, "an unknown flag");
    pid_t child = fork();
    if (!child) {
        setuid(1000);
        int codes = mount("x", "m", "tmpfs", 0, NULL) == 0 || errno != EPERM;
        _exit(codes | (umount("m") == 0 || errno != EPERM) << 1);
    }
    waitpid(child, &status, 0);
    is(status, 0, "only root mounts");
}

static void covers(void)
{
    struct stat below, above, parent;
    put("m/below");
    stat("m", &below);
    stat(".", &parent);
    is(mount("source", "m", "tmpfs", 0, "size=64k,mode=751"), 0, "mount");
    stat("m", &above);
    ok(above.st_dev != below.st_dev && (above.st_mode & 07777) == 0751, "another tree lies there, with its mode");
    ok(!there("m/below"), "it covers what was there");
    stat("m/..", &above);
    ok(above.st_ino == parent.st_ino && above.st_dev == parent.st_dev, "its parent is the directory around it");
    put("m/above");
    ok(there("m/above"), "it takes files");
    ok(!strncmp(options_of("/tmp/mounts/m"), "source:tmpfs:rw,relatime", 24), "/proc/self/mounts tells of it");
    ok(strstr(options_of("/tmp/mounts/m"), ",size=64k,") && strstr(options_of("/tmp/mounts/m"), ",mode=751"), "and its options");
    struct statfs figures;
    statfs("m", &figures);
    is(figures.f_blocks, 16, "which hold");
    fails(rename("m", "n"), EBUSY, "what is mounted on is not renamed");
    fails(rmdir("m"), EBUSY, "nor removed");
    fails(rename("m/above", "above"), EXDEV, "names do not move from tree to tree");
    fails(link("m/above", "above"), EXDEV, "nor are there links between them");
    is(mount("other", "m", "tmpfs", 0, NULL), 0, "another one on top");
    ok(!there("m/above"), "covers the first one");
    is(umount("m"), 0, "and goes first");
    ok(there("m/above"), "which is there again");
    is(umount("m"), 0, "umount");
    ok(there("m/below") && !there("m/above"), "uncovers what was there");
    unlink("m/below");
}

// What is out of the tree, or removed, carries no mount.
static void detached(void)
{
    mount("x", "m", "tmpfs", 0, NULL);
    mkdir("m/inner", 0755);
    chdir("m");
    is(umount2("/tmp/mounts/m", MNT_DETACH), 0, "a tree is detached");
    fails(mount("x", ".", "tmpfs", 0, NULL), EINVAL, "its root is not mounted on");
    fails(mount("x", "inner", "tmpfs", 0, NULL), EINVAL, "nor what lies in it");
    chdir("/tmp/mounts");
    mkdir("gone", 0755);
    chdir("gone");
    rmdir("/tmp/mounts/gone");
    fails(mount("x", ".", "tmpfs", 0, NULL), ENOENT, "nor a directory that was removed");
    chdir("/tmp/mounts");
}

static void no_execution(void)
{
    mount("x", "m", "tmpfs", MS_NOEXEC, NULL);
    put("m/file");
    int fd = open("m/file", O_RDWR);
    ftruncate(fd, 4096);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    fails(mprotect(map, 4096, PROT_READ | PROT_EXEC), EACCES, "MS_NOEXEC: a mapping does not become executable");
    is(mprotect(map, 4096, PROT_READ | PROT_WRITE), 0, "but writable");
    munmap(map, 4096);
    close(fd);
    is(umount("m"), 0, "and away");
}

static void remount_is_whole(void)
{
    struct statfs figures;
    mount("x", "m", "tmpfs", 0, "size=64k");
    put("m/file");
    int fd = open("m/file", O_RDWR);
    fails(mount("x", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, "size=128k"), EBUSY, "a remount that is refused");
    statfs("m", &figures);
    is(figures.f_blocks, 16, "changes no limit either");
    close(fd);
    umount("m");
}

static void busy(void)
{
    mount("x", "m", "tmpfs", 0, NULL);
    put("m/file");
    int fd = open("m/file", O_RDONLY);
    fails(umount("m"), EBUSY, "an open file keeps it busy");
    void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    fails(umount("m"), EBUSY, "a mapping does");
    munmap(map, 4096);
    chdir("m");
    fails(umount("/tmp/mounts/m"), EBUSY, "and a working directory");
    chdir("..");
    mkdir("m/inner", 0755);
    mount("x", "m/inner", "tmpfs", 0, NULL);
    fails(umount("m"), EBUSY, "and what is mounted in it");
    is(umount("m/inner"), 0, "the inner one goes");
    fd = open("m/file", O_RDWR);
    unlink("m/file");
    fails(umount("m"), EBUSY, "so does a file that has no name any more");
    write(fd, "kept", 4);
    mount("x", "m/inner", "tmpfs", 0, NULL);
    put("m/inner/deep");
    is(umount2("m", MNT_DETACH), 0, "MNT_DETACH asks nobody");
    ok(!there("m/inner") && !*options_of("/tmp/mounts/m"), "all is out of the tree");
    ok(!*options_of("/tmp/mounts/m/inner"), "with what was mounted in it");
    char text[5] = "";
    is(pread(fd, text, 4, 0), 4, "but who has a file");
    ok(!strcmp(text, "kept"), "still has it");
    close(fd);
    fails(umount("m"), EINVAL, "twice it does not go");
    mount("x", "m", "tmpfs", 0, NULL);
    fails(umount2("m", MNT_EXPIRE), EAGAIN, "MNT_EXPIRE marks");
    is(umount2("m", MNT_EXPIRE), 0, "and takes away what was not used since");
    mount("x", "m", "tmpfs", 0, NULL);
    fails(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL, "it goes with no other flag");
    umount("m");
}

static void read_only(void)
{
    struct statvfs figures;
    mount("x", "m", "tmpfs", 0, NULL);
    mkdir("m/directory", 0755);
    put("m/file");
    int fd = open("m/file", O_WRONLY);
    fails(mount("x", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), EBUSY, "not read-only while somebody writes");
    close(fd);
    fd = open("m/file", O_RDWR);
    ftruncate(fd, 4096);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    fails(mount("x", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), EBUSY, "nor while there is a mapping that could");
    munmap(map, 4096);
    fd = open("m/file", O_RDONLY);
    map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    is(mount("x", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0, "read-only from now on");
    munmap(map, 4096);
    ok(!strncmp(options_of("/tmp/mounts/m"), "x:tmpfs:ro,", 11), "is told");
    statvfs("m", &figures);
    ok(figures.f_flag & ST_RDONLY, "by statfs, too");
    fails(open("m/file", O_WRONLY), EROFS, "open to write");
    fails(open("m/file", O_RDONLY | O_TRUNC), EROFS, "to truncate");
    fails(open("m/new", O_CREAT | O_WRONLY, 0644), EROFS, "to create");
    fails(open("m/file", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST, "what is there is there");
    fd = open("m/file", O_CREAT | O_RDONLY, 0644);
    ok(fd >= 0, "to read it opens");
    fails(fchmod(fd, 0600), EROFS, "fchmod");
    fails(fchown(fd, 1, 1), EROFS, "fchown");
    fails(futimens(fd, NULL), EROFS, "futimens");
    close(fd);
    fails(mkdir("m/new", 0755), EROFS, "mkdir");
    fails(mkdir("m/directory", 0755), EEXIST, "of what is there");
    fails(mknod("m/new", S_IFIFO | 0644, 0), EROFS, "mknod");
    fails(symlink("x", "m/new"), EROFS, "symlink");
    fails(link("m/file", "m/new"), EROFS, "link");
    fails(unlink("m/file"), EROFS, "unlink");
    fails(unlink("m/nothing"), EROFS, "even of nothing");
    fails(rmdir("m/directory"), EROFS, "rmdir");
    fails(rename("m/file", "m/new"), EROFS, "rename");
    fails(chmod("m/file", 0600), EROFS, "chmod");
    fails(chown("m/file", 1, 1), EROFS, "chown");
    fails(lchown("m/file", -1, -1), EROFS, "chown to nobody");
    fails(truncate("m/file", 0), EROFS, "truncate");
    fails(utimensat(AT_FDCWD, "m/file", NULL, 0), EROFS, "utimensat");
    fails(access("m/file", W_OK), EROFS, "access says it, too");
    is(access("m/file", R_OK), 0, "reading is free");
    is(mount("x", "m", "tmpfs", MS_REMOUNT, NULL), 0, "and writing when it is remounted");
    is(unlink("m/file"), 0, "again");
    fails(mount("x", "m", "tmpfs", MS_REMOUNT, "size=what"), EINVAL, "a remount looks at its options");
    is(umount("m"), 0, "it goes");
}

static void flags(void)
{
    mount("x", "m", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOATIME, NULL);
    ok(strstr(options_of("/tmp/mounts/m"), "nodev,noexec,noatime"), "flags are told");
    mknod("m/null", S_IFCHR | 0666, makedev(1, 3));
    fails(open("m/null", O_RDONLY), EACCES, "nodev: devices are not opened");
    int fd = open("m/program", O_CREAT | O_RDWR, 0755);
    ftruncate(fd, 4096);
    ok(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EPERM, "noexec: nothing is mapped to run");
    close(fd);
    fails(execl("m/program", "program", NULL), EACCES, "nor run");
    fails(access("m/program", X_OK), EACCES, "and access says so");
    is(umount("m"), 0, "it goes");
    is(mount("x", "m", "proc", 0, NULL), 0, "proc");
    ok(there("m/self/maps"), "is what it is elsewhere");
    fd = open("m/uptime", O_RDONLY);
    fails(umount("m"), EBUSY, "and busy with open files");
    close(fd);
    is(umount("m"), 0, "it goes, too");
    mount("x", "m", "tmpfs", 0, NULL);
    put("m/moves");
    is(mount("m", "n", NULL, MS_MOVE, NULL), 0, "MS_MOVE");
    ok(there("n/moves") && !there("m/moves"), "it lies elsewhere now");
    fails(mount("m", "n", NULL, MS_MOVE, NULL), EINVAL, "only mounts move");
    is(umount("n"), 0, "it goes from there");
}

// ---- unshare(2), of what clone(2) shares

static int shared_child(void *arg)
{
    (void)arg;
    int fd = open("m", O_RDONLY | O_DIRECTORY);
    if (unshare(CLONE_FS | CLONE_FILES))
        return 1;
    if (chdir("m") || close(fd))
        return 2;
    umask(077);
    return fd;
}

static void unshared(void)
{
    static char stack[16384] __attribute__((aligned(16)));
    int status;
    char cwd[64];
    umask(022);
    is(unshare(0), 0, "unshare nothing");
    is(unshare(CLONE_FILES | CLONE_FS), 0, "and what is not shared");
    fails(unshare(1), EINVAL, "an unknown flag");
    pid_t child = clone(shared_child, stack + sizeof(stack), CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
    waitpid(child, &status, 0);
    int fd = WEXITSTATUS(status);
    ok(WIFEXITED(status) && fd > 2, "a child unshares what it shares with us");
    is(close(fd), 0, "what it closes then stays open here");
    ok(!strcmp(getcwd(cwd, sizeof(cwd)), "/tmp/mounts"), "where it goes is not where we go");
    is(umask(022), 022, "and its umask is its own");
}

int main(void)
{
    tap_begin();
    mkdir("/tmp/mounts", 0755);
    if (chdir("/tmp/mounts"))
        tap_bail("chdir");
    mkdir("m", 0755), mkdir("n", 0755);
    errors();
    covers();
    busy();
    detached();
    no_execution();
    remount_is_whole();
    read_only();
    flags();
    unshared();
    return tap_end();
}
