// SPDX-License-Identifier: MIT
//
// Init of the user ring, on Linux and on Lazybones alike. It reads /tests.list, one program a line
// ("NAME SECONDS"), runs /tests/NAME of each with its time limit, and writes a stream that
// scripts/user-ring reads:
//
//     @kernel SYSNAME RELEASE VERSION
//     @begin NAME
//     ... what the program prints ...
//     @end NAME exit 0 | @end NAME signal 11 | @end NAME timeout
//     @done
//
// Then it powers off. A stream that ends without @done means that the kernel fell over.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Linux gives init the kernel's console; the stream belongs on the first serial port, raw. Lazybones
// has mounted /proc and opened the port already and knows no mount(2), which is how they are told
// apart.
static void stage_set(void)
{
    if (mount("proc", "/proc", "proc", 0, NULL) && errno == ENOSYS)
        return;
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
    if (fd < 0)
        return;
    struct termios raw;
    tcgetattr(fd, &raw);
    cfmakeraw(&raw);
    tcsetattr(fd, TCSANOW, &raw);
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    if (fd > 2)
        close(fd);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

// Waits for `pid` until `deadline`, reaping orphans on the way. True if it ended, with its status.
static bool wait_until(pid_t pid, double deadline, int *status)
{
    while (now() < deadline) {
        int other;
        pid_t got = waitpid(-1, &other, WNOHANG);
        if (got == pid) {
            *status = other;
            return true;
        }
        if (got <= 0) {
            struct timespec nap = {0, 2 * 1000 * 1000};
            nanosleep(&nap, NULL);
        }
    }
    return false;
}

// Runs one program in a process group of its own, so that a time-out takes its children with it.
static void program_run(const char *name, int seconds)
{
    char path[128];
    snprintf(path, sizeof(path), "/tests/%s", name);
    printf("@begin %s\n", name);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        char *argv[] = {path, NULL};
        char *envp[] = {"PATH=/bin:/tests", "HOME=/", NULL};
        execve(path, argv, envp);
        _exit(127);
    }
    int status = 0, status_ignored;
    bool ended = pid > 0 && wait_until(pid, now() + seconds, &status);
    kill(-pid, SIGKILL);
    wait_until(-1, now() + (ended ? 0.05 : 2), &status_ignored);
    if (!ended)
        printf("\n@end %s timeout\n", name);
    else if (WIFSIGNALED(status))
        printf("\n@end %s signal %d\n", name, WTERMSIG(status));
    else
        printf("\n@end %s exit %d\n", name, WEXITSTATUS(status));
    fflush(stdout);
}

int main(void)
{
    stage_set();
    struct utsname kernel;
    uname(&kernel);
    printf("\n@kernel %s %s %s\n", kernel.sysname, kernel.release, kernel.version);
    FILE *list = fopen("/tests.list", "r");
    char name[100];
    int seconds;
    while (list && fscanf(list, "%99s %d", name, &seconds) == 2)
        program_run(name, seconds);
    printf("@done\n");
    fflush(stdout);
    tcdrain(1);
    reboot(RB_POWER_OFF);
    return 0;
}
