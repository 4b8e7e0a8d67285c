// SPDX-License-Identifier: MIT
//
// The program that the tests of scripts/run start in the guest: its first argument says what to do.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int copy_input(void)
{
    char buffer[4096];
    ssize_t count;

    while ((count = read(0, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0, n; done < count; done += n)
            if ((n = write(1, buffer + done, (size_t)(count - done))) < 0)
                return 1;
    }
    return count < 0;
}

static int print_arguments(char **argv)
{
    for (; *argv; argv++)
        printf("[%s]", *argv);
    for (char **variable = environ; *variable; variable++)
        printf("{%s}", *variable);
    return 0;
}

// Every byte value, in a size that fits no buffer exactly.
static int print_bytes(void)
{
    for (int i = 0; i < 70001; i++)
        putchar(i % 251 + (i / 251) % 5);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "copy"))
        return copy_input();
    if (!strcmp(what, "arguments"))
        return print_arguments(argv + 2);
    if (!strcmp(what, "bytes"))
        return print_bytes();
    if (!strcmp(what, "exit"))
        return atoi(argv[2]);
    if (!strcmp(what, "signal"))
        return raise(atoi(argv[2]));
    if (!strcmp(what, "both"))
        return fputs("to output\n", stdout) < 0 || fputs("to errors\n", stderr) < 0;
    if (!strcmp(what, "spin"))
        for (;;)
            __asm__ volatile("");
    if (!strcmp(what, "sleep"))
        return sleep(1000) != 0;
    return 99;
}
