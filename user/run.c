// SPDX-License-Identifier: MIT
//
// run: pid 1 of a `scripts/run` guest. It starts one program and ends with that program's status.
//
// The host leaves two files: /run/argv (arguments, each ended by a NUL; the first is the program's path) and
// /run/env (the environment, in the same form). Files, not the kernel's command line, because a command line
// has a length limit and no room for spaces, quotes and newlines.
//
// Before the program starts, DLE STX goes to standard output. The host throws away all that the console said
// before that mark and keeps the program's input back until it has seen it: bytes that reach a serial port
// before its driver would be lost.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_CANNOT_EXEC = 126, EXIT_NOT_FOUND = 127 };

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "run: %s: %s\n", what, strerror(errno));
    exit(EXIT_CANNOT_EXEC);
}

// The whole file at `path`, with a NUL after it; its length without that NUL goes to *length.
static char *file_read(const char *path, size_t *length)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        give_up(path);

    size_t size = (size_t)st.st_size, got = 0;
    char *data = malloc(size + 1);
    if (!data)
        give_up(path);
    while (got < size) {
        ssize_t n = read(fd, data + got, size - got);
        if (n <= 0)
            give_up(path);
        got += (size_t)n;
    }
    close(fd);
    data[size] = '\0';
    *length = size;
    return data;
}

// The strings of a NUL-separated file as the array execve() wants.
static char **strings_read(const char *path)
{
    size_t length, count = 0;
    char *data = file_read(path, &length);

    for (size_t i = 0; i < length; i++)
        count += data[i] == '\0';
    char **strings = malloc((count + 1) * sizeof *strings);
    if (!strings)
        give_up(path);
    char *next = data;
    for (size_t i = 0; i < count; i++) {
        strings[i] = next;
        next += strlen(next) + 1;
    }
    strings[count] = NULL;
    return strings;
}

// In the child: lead a session, so that the terminal's Ctrl-C reaches the program and not pid 1, then become
// it.
static _Noreturn void program_start(char **argv, char **env)
{
    setsid();
    if (isatty(STDIN_FILENO))
        ioctl(STDIN_FILENO, TIOCSCTTY, 1);
    execve(argv[0], argv, env);
    int error = errno;
    fprintf(stderr, "run: cannot start %s: %s%s\n", argv[0], strerror(error),
            error == ENOMEM ? " (more with --mem)" : "");
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC);
}

// Waits for `program`; orphans that come to pid 1 meanwhile are reaped too. Returns the status as a shell
// gives it.
static int program_wait(pid_t program)
{
    for (;;) {
        int status;
        pid_t pid = wait(&status);
        if (pid < 0 && errno != EINTR)
            give_up("wait");
        if (pid == program)
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

int main(void)
{
    static const char mark[] = {0x10, 0x02};
    char **argv = strings_read("/run/argv");
    char **env = strings_read("/run/env");

    if (!argv[0]) {
        errno = EINVAL;
        give_up("/run/argv");
    }
    if (write(STDOUT_FILENO, mark, sizeof mark) != sizeof mark)
        give_up("standard output");
    pid_t program = fork();
    if (program < 0)
        give_up("fork");
    if (program == 0)
        program_start(argv, env);
    return program_wait(program);
}
