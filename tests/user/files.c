// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: files
//
// The initial files: open, read, seek, stat, list a directory; the null and the zero device.
#include <dirent.h>
#include <sys/stat.h>

#include "observe.h"

#define SCRIPT "/tests/script.sh"

static void reading_check(void)
{
    char got[64] = "";
    int fd = open(SCRIPT, O_RDONLY), copy = dup(fd);
    ok(fd >= 0, "a file is opened");
    is(read(fd, got, 15), 15, "it is read");
    is(memcmp(got, "#!/bin/busybox ", 15), 0, "its bytes are right");
    is(lseek(copy, 0, SEEK_CUR), 15, "a dup shares the position");
    is(lseek(fd, 2, SEEK_SET), 2, "SEEK_SET");
    is(read(copy, got, 4), 4, "the dup reads from there");
    is(memcmp(got, "/bin", 4), 0, "the right bytes");
    long size = lseek(fd, 0, SEEK_END);
    ok(size > 50, "SEEK_END tells the size");
    is(read(fd, got, 10), 0, "at the end read gives 0");
    is(lseek(fd, 100, SEEK_CUR), size + 100, "one may seek beyond the end");
    is(read(fd, got, 10), 0, "and reads 0 there");
    fails(lseek(fd, -1, SEEK_SET), EINVAL, "not before the start: EINVAL");
    fails(write(fd, "x", 1), EBADF, "a file opened for reading cannot be written: EBADF");
    struct stat status;
    is(fstat(fd, &status), 0, "fstat");
    ok(status.st_size == size && S_ISREG(status.st_mode) && (status.st_mode & 0111),
       "tells size, kind and rights");
    close(fd);
    close(copy);
}

static void names_check(void)
{
    struct stat by_name, directory;
    is(stat(SCRIPT, &by_name), 0, "stat by name");
    is(stat("/tests/../tests/./script.sh", &directory), 0, "dots in a path");
    is(directory.st_ino, by_name.st_ino, "lead to the same file");
    ok(stat("/tests", &directory) == 0 && S_ISDIR(directory.st_mode), "a directory is a directory");
    fails(stat("/tests/nothing", &directory), ENOENT, "a name that is not there: ENOENT");
    fails(open("/tests/script.sh/deeper", O_RDONLY), ENOTDIR, "a file is no directory: ENOTDIR");
    fails(open("/tests", O_RDWR), EISDIR, "a directory cannot be opened for writing: EISDIR");
    fails(open(SCRIPT, O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file: ENOTDIR");
    fails(open("", O_RDONLY), ENOENT, "the empty name: ENOENT");
    static char long_name[5000];
    memset(long_name, 'n', sizeof(long_name) - 1);
    fails(open(long_name, O_RDONLY), ENAMETOOLONG, "a name of 5000 letters: ENAMETOOLONG");
    is(access(SCRIPT, X_OK), 0, "access: the script may be run");
    char here[100];
    ok(getcwd(here, sizeof(here)) && strcmp(here, "/") == 0, "the working directory is /");
    fails((long)getcwd(here, 1) ? 0 : -1, ERANGE, "a buffer too small for it: ERANGE");
    ok(open("tests/script.sh", O_RDONLY) >= 0, "a relative name");
}

static void listing_check(void)
{
    DIR *directory = opendir("/tests");
    int script = 0, dots = 0, entries = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        entries++;
        script += strcmp(entry->d_name, "script.sh") == 0 &&
                  (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN);
        dots += strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    is(script, 1, "a listing names the file once");
    is(dots, 2, "and . and ..");
    rewinddir(directory);
    int again = 0;
    while (readdir(directory))
        again++;
    is(again, entries, "rewound, it lists the same");
    closedir(directory);
    is(open("/proc", O_RDONLY | O_DIRECTORY) >= 0, 1, "/proc is a directory as well");
}

static void devices_check(void)
{
    char got[100];
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
    ok(null >= 0 && zero >= 0, "/dev/null and /dev/zero are there");
    is(write(null, "gone", 4), 4, "/dev/null takes everything");
    is(read(null, got, 4), 0, "and gives nothing");
    memset(got, 'x', sizeof(got));
    is(read(zero, got, sizeof(got)), 100, "/dev/zero gives what is asked");
    ok(all_bytes(got, sizeof(got), 0), "zeroes");
    struct stat status;
    ok(fstat(null, &status) == 0 && S_ISCHR(status.st_mode), "/dev/null is a character device");
    close(null);
    close(zero);
}

int main(void)
{
    tap_begin();
    reading_check();
    names_check();
    listing_check();
    devices_check();
    return tap_end();
}
