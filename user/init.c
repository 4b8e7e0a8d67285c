// SPDX-License-Identifier: MIT
//
// pid 1 of the ISO: greets, starts busybox's shell on the terminal, and powers off when that ends.
// With arguments (from the boot line, behind `--`) it starts what they name instead, without a greeting.
// It reaps the orphans, and takes the signals by which busybox's `poweroff`, `halt` and `reboot` ask for
// an end.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/demos.h"

#define HOME "/root"

static char *const shell[] = {"-sh", NULL}; // with the hyphen it is a login shell, and reads /etc/profile

static _Noreturn void machine_end(int how)
{
    fflush(stdout);
    reboot(how);
    exit(0);
}

// In the child: becomes the program, in a session of its own with this terminal, so that Ctrl-C and a
// shell's job control are its.
static _Noreturn void become(char *const argv[], const sigset_t *signals)
{
    char *envp[] = {"PATH=/bin", "HOME=" HOME, "PWD=" HOME, "USER=root", "SHELL=/bin/sh", "TERM=vt100",
                    "PS1=lazybones:\\w# ", NULL};
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 1);
    execve(argv == shell ? "/bin/busybox" : argv[0], argv, envp);
    perror(argv[0]);
    _exit(127);
}

static pid_t start(char *const argv[], const sigset_t *signals)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, signals);
    if (pid < 0) {
        perror("fork");
        machine_end(RB_POWER_OFF);
    }
    return pid;
}

// A name for each of busybox's applets, so that scripts and other programs find them. Those that are there
// already, our own programs, stay what they are.
static void applets_link(void)
{
    char *const install[] = {"/bin/busybox", "--install", "-s", "/bin", NULL};
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "w", stderr);
        execv(install[0], install);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

static void greet(void)
{
    printf("\nLazybones never does today what can wait for a page fault. Its demos:\n\n");
    for (int i = 0; i < CHAPTERS; i++) {
        printf("  %-10s", chapters[i].name);
        for (const struct demo *demo = chapters[i].demos; demo->name; demo++)
            printf(" %s", demo->name);
        printf("\n");
    }
    printf("\nType a name. `tour` shows them one after the other; `exit` or `poweroff` ends.\n\n");
}

// Reaps all that have ended. True if `program` is among them, with its status.
static int reap(pid_t program, int *status)
{
    int one, found = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
        if (pid == program) {
            *status = one;
            found = 1;
        }
    return found;
}

int main(int argc, char **argv)
{
    char *const *program = argc > 1 ? argv + 1 : shell;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    mkdir(HOME, 0700);
    chdir(HOME);
    applets_link();
    if (program == shell)
        greet();
    pid_t pid = start(program, &signals);
    for (;;) {
        int status, signal = sigwaitinfo(&signals, NULL);
        if (signal == SIGUSR1 || signal == SIGUSR2)
            machine_end(RB_POWER_OFF);
        if (signal == SIGTERM)
            machine_end(RB_AUTOBOOT);
        if (!reap(pid, &status))
            continue;
        if (program != shell || !WIFSIGNALED(status))
            machine_end(RB_POWER_OFF);
        printf("\nThe shell was killed by signal %d. Here is another.\n", WTERMSIG(status));
        pid = start(shell, &signals);
    }
}
