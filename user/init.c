// SPDX-License-Identifier: MIT
//
// pid 1 on Lazybones: a menu of the programs in /bin. With the argument `tour` it runs them all and
// powers off. It adopts orphans and reaps them.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name, *what;
} programs[] = {
    {"life", "the life of one gibibyte"},
    {"forkvars", "fork and the three variables"},
    {"thirty", "thirty of a hundred pages"},
    {"sparse", "a sparse gibibyte and its page tables"},
    {"callocs", "calloc against malloc and memset"},
    {"runaway", "runaway recursion, caught"},
    {"collector", "two garbage collectors after fork"},
    {"stale", "no stale data"},
    {"reserve", "five hundred gibibytes reserved"},
    {"workers", "a hundred workers that share their memory"},
    {"overcommit", "overcommit: the three modes side by side"},
    {"oomstory", "out of memory: who dies, and why"},
};
#define COUNT ((int)(sizeof(programs) / sizeof(programs[0])))

static _Noreturn void power_off(void)
{
    fflush(stdout);
    reboot(RB_POWER_OFF);
    exit(0);
}

// In the child: becomes the program, in a session of its own with this terminal, so that Ctrl-C and a
// shell's job control are its.
static _Noreturn void become(const char *path, char *const argv[])
{
    char *envp[] = {"PATH=/bin", "HOME=/", "TERM=vt100", "PS1=lazybones# ", NULL};
    setsid();
    ioctl(0, TIOCSCTTY, 1);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    execve(path, argv, envp);
    perror(path);
    _exit(127);
}

// Runs a program in the foreground; orphans that end meanwhile are reaped as well.
static void run(const char *path, char *const argv[])
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork(), ended;
    if (pid == 0)
        become(path, argv);
    do
        ended = wait(&status);
    while (ended > 0 && ended != pid);
    if (ended == pid && WIFSIGNALED(status))
        printf("%s was killed by signal %d\n", argv[0], WTERMSIG(status));
    else if (ended == pid && WEXITSTATUS(status))
        printf("%s ended with status %d\n", argv[0], WEXITSTATUS(status));
}

static void run_program(int number)
{
    char path[32];
    snprintf(path, sizeof(path), "/bin/%s", programs[number].name);
    run(path, (char *[]){(char *)programs[number].name, NULL});
}

static void tour(int pause_between)
{
    char line[100];
    for (int i = 0; i < COUNT; i++) {
        run_program(i);
        if (pause_between && i < COUNT - 1) {
            printf("\n[Enter: on to %s]  ", programs[i + 1].name);
            fflush(stdout);
            if (!fgets(line, sizeof(line), stdin))
                return;
        }
    }
}

static void menu_print(void)
{
    printf("\nLazybones never does today what can wait for a page fault.\n\n");
    for (int i = 0; i < COUNT; i++)
        printf("  %2d  %-10s %s\n", i + 1, programs[i].name, programs[i].what);
    printf("\n     tour       all of them, one after the other\n"
           "     sh         a shell (busybox)\n"
           "     exit       power off\n\n");
}

// Obeys one line of input: a number, a name, or one of the three words.
static void obey(const char *word)
{
    if (strcmp(word, "exit") == 0)
        power_off();
    if (strcmp(word, "sh") == 0)
        return run("/bin/busybox", (char *[]){"sh", NULL});
    if (strcmp(word, "tour") == 0)
        return tour(1);
    for (int i = 0; i < COUNT; i++)
        if (strcmp(word, programs[i].name) == 0 || atoi(word) == i + 1)
            return run_program(i);
    menu_print();
}

int main(int argc, char **argv)
{
    char line[100];
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "tour") == 0) {
        tour(0);
        power_off();
    }
    menu_print();
    for (;;) {
        printf("> ");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
            power_off();
        line[strcspn(line, "\r\n")] = 0;
        obey(line);
    }
}
