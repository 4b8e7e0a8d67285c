// SPDX-License-Identifier: MIT
//
// ram: 256M  time: 30
// subject: processes
//
// What a library for tests of system calls leans on, one thing after the other as such a library does it: results in a
// page of an unlinked file, counted by all of a family; a test in a group of its own, with heartbeats and a time limit;
// checkpoints on words of that page, met also from another program; settings of /proc/sys saved and put back; a
// directory that is made, used and removed.
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>

#include "sysctl.h"

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 }; // linux/futex.h, which musl does not bring

struct page {
    uint32_t magic;
    int main_pid;
    volatile int passed, broken;
    uint32_t checkpoint[8];
};

static struct page *page;
static const char *page_path;
static volatile sig_atomic_t heartbeats, alarms;
static pid_t test_pid;

static void count_pass(void) { __atomic_add_fetch(&page->passed, 1, __ATOMIC_SEQ_CST); }

// ---- checkpoints: the sleeper retries until it was woken, the waker until it woke somebody

static int checkpoint_wait(unsigned which, int milliseconds)
{
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    long result;
    do
        result = syscall(SYS_futex, &page->checkpoint[which], FUTEX_WAIT, page->checkpoint[which], &limit);
    while (result == -1 && errno == EINTR);
    return (int)result;
}

static int checkpoint_wake(unsigned which, int wanted, int milliseconds)
{
    int woken = 0;
    for (int waited = 0; woken < wanted && waited <= milliseconds; waited++) {
        long result = syscall(SYS_futex, &page->checkpoint[which], FUTEX_WAKE, INT_MAX, NULL);
        if (result < 0)
            return -1;
        woken += (int)result;
        if (woken < wanted)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return woken == wanted ? 0 : -1;
}

// ---- the page

static void page_make(const char *path, bool keep)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0 || chmod(path, 0666) || ftruncate(fd, 4096))
        tap_bail("the page's file");
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        tap_bail("the page");
    ok(close(fd) == 0 && (keep || unlink(path) == 0), "a page of a file is mapped%s", keep ? "" : ", the file is unlinked");
    memset(page, 0, 4096);
    page->magic = 0x4c415a59;
    page_path = path;
}

// Another program finds it by its path.
static int program_main(char *path)
{
    int fd = access(path, F_OK) ? -1 : open(path, O_RDWR);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED || page->magic != 0x4c415a59)
        return 1;
    count_pass();
    return checkpoint_wait(0, 10000) == 0 && checkpoint_wake(1, 1, 10000) == 0 ? 0 : 2;
}

// ---- the library's process and the test's

static void on_heartbeat(int number)
{
    (void)number;
    heartbeats++;
    alarm(10);
}

static void on_alarm(int number)
{
    (void)number;
    alarms++;
    kill(-test_pid, SIGKILL);
}

static void heartbeat(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (getppid() == 1)
        kill(0, SIGKILL);
    kill(getppid(), SIGUSR1);
}

// Runs `body` as the test: in a group of its own, watched. Its wait status; what it left behind is killed.
static int test_run(void (*body)(void), unsigned seconds)
{
    int status;
    heartbeats = alarms = 0;
    alarm(seconds);
    test_pid = fork();
    if (test_pid == 0) {
        signal(SIGALRM, SIG_DFL);
        signal(SIGUSR1, SIG_DFL);
        setpgid(0, 0);
        page->main_pid = getpid();
        body();
        exit(0);
    }
    while (waitpid(test_pid, &status, 0) < 0 && errno == EINTR)
        continue;
    alarm(0);
    if (kill(-test_pid, 0) == 0)
        kill(-test_pid, SIGKILL);
    return status;
}

static void body_family(void)
{
    heartbeat();
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            if (fork() == 0) {
                count_pass();
                exit(0);
            }
            wait(NULL);
            count_pass();
            exit(0);
        }
    int status, ended = 0;
    while (wait(&status) > 0)
        ended += status == 0;
    if (ended == 3 && errno == ECHILD)
        count_pass();
    heartbeat();
}

static void body_meets_its_child(void)
{
    heartbeat();
    pid_t pid = fork();
    if (pid == 0) {
        if (checkpoint_wait(2, 10000) == 0 && checkpoint_wake(3, 1, 10000) == 0)
            count_pass();
        exit(0);
    }
    if (checkpoint_wake(2, 1, 10000) == 0 && checkpoint_wait(3, 10000) == 0)
        count_pass();
    wait(NULL);
    if (checkpoint_wait(4, 20) == -1 && errno == ETIMEDOUT)
        count_pass();
}

// A grandchild finds that nothing makes sense any more, and ends the test.
static void body_breaks(void)
{
    if (fork() == 0)
        for (;;)
            pause();
    if (fork() == 0) {
        page->broken = 1;
        kill(page->main_pid, SIGKILL);
        exit(0);
    }
    for (;;)
        pause();
}

static void body_hangs(void)
{
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            for (;;)
                pause();
    for (;;)
        continue;
}

// Nobody is left of the group that the test led; those that were its children's are init's.
static bool group_is_gone(void)
{
    for (int i = 0; i < 5000; i++) {
        if (kill(-test_pid, 0) == -1 && errno == ESRCH)
            return true;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return false;
}

static void family_check(const char *self)
{
    is(test_run(body_family, 10), 0, "a test with children and theirs ends well");
    is(page->passed, 7, "all of them have counted in the page");
    ok(heartbeats >= 1 && heartbeats <= 2 && !alarms, "its heartbeats came");
    ok(group_is_gone(), "nobody of its group is left");
    page->passed = 0;
    is(test_run(body_meets_its_child, 10), 0, "a test meets its child at checkpoints");
    is(page->passed, 3, "both of them, and it gives up in time where nobody comes");
    int status = test_run(body_breaks, 10);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && page->broken, "a grandchild can end its test");
    ok(group_is_gone(), "and who is left goes");
    status = test_run(body_hangs, 1);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && alarms == 1, "a test that hangs is ended in time");
    ok(group_is_gone(), "with its children");
    munmap(page, 4096);

    page_make("/dev/shm/page-by-path", true);
    setenv("PAGE", page_path, 1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(execlp(self, self, getenv("PAGE"), NULL));
    is(checkpoint_wake(0, 1, 10000), 0, "another program is met in a page that it found by its path");
    is(checkpoint_wait(1, 10000), 0, "and meets us");
    waitpid(pid, &status, 0);
    ok(status == 0 && page->passed == 1, "it has counted, too");
    is(unlink(page_path), 0, "the file can go");
    is(msync(page, 4096, MS_SYNC) || munmap(page, 4096), 0, "and the page");
}

// A setting's first line is kept and put back as it was.
static void setting_check(const char *path)
{
    char saved[256];
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, saved, sizeof(saved) - 1);
    close(fd);
    saved[length > 0 ? length : 0] = '\0';
    long value = file_get_number(path);
    is(file_put_number(path, value + 1), 0, "%s can be set", path);
    is(file_get_number(path), value + 1, "it reads so");
    is(file_put(path, saved), 0, "and is put back by its own text");
    is(file_get_number(path), value, "it reads as before");
}

// A directory of its own for the test: made, entered, filled, a file system mounted in it, all gone again.
static void directory_check(void)
{
    char name[] = "/tmp/testXXXXXX", here[PATH_MAX];
    struct statfs about;
    ok(mkdtemp(name) && chown(name, -1, getgid()) == 0 && chmod(name, 0777) == 0, "a directory for a test");
    ok(chdir(name) == 0 && getcwd(here, sizeof(here)) && !strcmp(here, name), "the test goes there");
    ok(statfs(".", &about) == 0 && about.f_type != 0, "and learns what file system it is on");
    is(mkdir("mounted", 0777), 0, "a place to mount on");
    is(mount("test-tmpfs", "mounted", "tmpfs", 0, "size=32M"), 0, "a file system is mounted there");
    is(mkdir("mounted/dir", 0777), 0, "it can be filled");
    is(mount("test-tmpfs", "mounted", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0, "and made read-only");
    fails(mkdir("mounted/more", 0777), EROFS, "then nothing is made there");
    ok(umount("mounted") == 0 && rmdir("mounted") == 0, "it goes again");
    ok(chdir("/") == 0 && rmdir(name) == 0, "and so does the directory");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return program_main(argv[1]);
    tap_begin();
    mkdir("/dev/shm", 01777);
    signal(SIGUSR1, on_heartbeat);
    signal(SIGALRM, on_alarm);
    page_make("/dev/shm/page", false);
    family_check(argv[0]);
    setting_check("/proc/sys/vm/overcommit_ratio");
    setting_check("/proc/sys/kernel/threads-max");
    is(file_get_number("/proc/sys/kernel/tainted"), 0, "the kernel is not tainted");
    ok(file_get_number("/proc/sys/kernel/pid_max") > 1000, "there are pids");
    directory_check();
    return tap_end();
}
