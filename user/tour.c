// SPDX-License-Identifier: MIT
//
// tour: all demos, one after the other, with a pause between them if somebody sits at a terminal.
// `tour -l` says what there is.
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/demos.h"

static void list(void)
{
    for (int i = 0; i < CHAPTERS; i++)
        for (const struct demo *demo = chapters[i].demos; demo->name; demo++)
            printf("%-10s %s\n", demo->name, demo->what);
}

// True to go on with this demo.
static int pause_before(const struct demo *demo)
{
    char line[100];
    if (!isatty(STDIN_FILENO))
        return 1;
    printf("\n[Enter: on to %s, %s; q: leave] ", demo->name, demo->what);
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) && line[0] != 'q';
}

// Runs a demo; 0 if it went well.
static int run(const char *name)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execlp(name, name, (char *)NULL);
        perror(name);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror(name);
        return 1;
    }
    if (WIFSIGNALED(status))
        printf("%s was killed by signal %d\n", name, WTERMSIG(status));
    else if (WEXITSTATUS(status))
        printf("%s ended with status %d\n", name, WEXITSTATUS(status));
    return status != 0;
}

int main(int argc, char **argv)
{
    int failed = 0, first = 1;
    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        list();
        return 0;
    }
    for (int i = 0; i < CHAPTERS; i++)
        for (const struct demo *demo = chapters[i].demos; demo->name; demo++) {
            if (!first && !pause_before(demo))
                return failed;
            failed |= run(demo->name);
            first = 0;
        }
    return failed;
}
