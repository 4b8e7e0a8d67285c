// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
//
// Debian's busybox, unmodified, as a user would meet it: applets and a shell with pipes.
#include "child.h"
#include "observe.h"

struct command {
    char **argv;
    int fd;
};

static void becomes_command(void *arg)
{
    struct command *command = arg;
    dup2(command->fd, 1);
    close(command->fd);
    execv("/bin/busybox", command->argv);
    _exit(127);
}

// Runs busybox with these arguments; its output goes to `got`; returns its exit status.
static int run(char **argv, char *got, size_t size)
{
    int ends[2];
    if (pipe(ends))
        tap_bail("pipe");
    struct command command = {argv, ends[1]};
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        becomes_command(&command);
    }
    close(ends[1]);
    size_t have = 0;
    ssize_t n;
    while (have < size - 1 && (n = read(ends[0], got + have, size - 1 - have)) > 0)
        have += n;
    got[have] = 0;
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void prints(const char *want, int status, const char *what, char **argv)
{
    char got[512];
    int ended = run(argv, got, sizeof(got));
    bool good = ok(ended == status && strcmp(got, want) == 0, "%s", what);
    if (!good)
        tap_note("status %d, printed [%s]", ended, got);
}

#define SHELL(line) ((char *[]){"busybox", "sh", "-c", line, NULL})

int main(void)
{
    static char text[16384];
    tap_begin();
    prints("hello, lazy world\n", 0, "echo", (char *[]){"busybox", "echo", "hello, lazy world", NULL});
    prints("", 1, "false", (char *[]){"busybox", "false", NULL});
    is(run((char *[]){"busybox", "cat", "/tests/script.sh", NULL}, text, sizeof(text)), 0, "cat of a file");
    ok(strncmp(text, "#!/bin/busybox sh\n", 18) == 0, "it prints the file");
    is(run((char *[]){"busybox", "ls", "/", NULL}, text, sizeof(text)), 0, "ls /");
    ok(strstr(text, "bin\n") && strstr(text, "proc\n") && strstr(text, "tests\n"), "it lists what is there");
    is(run((char *[]){"busybox", "ls", "-l", "/tests/script.sh", NULL}, text, sizeof(text)), 0, "ls -l");
    ok(strncmp(text, "-rwx", 4) == 0, "it shows the rights"); // the rest is the umask's

    prints("one\ntwo\n", 0, "sh -c with two commands", SHELL("echo one; echo two"));
    prints("", 3, "sh -c exit", SHELL("exit 3"));
    prints("42\n", 0, "arithmetic", SHELL("a=6; echo $((a * 7))"));
    prints("10\n", 0, "a loop", SHELL("i=0; while [ $i -lt 10 ]; do i=$((i+1)); done; echo $i"));
    prints("a-b\n", 0, "a function and a substitution", SHELL("f() { echo $1-$2; }; x=$(f a b); echo $x"));
    prints("sub 1\nback 0\n", 0, "a subshell's variable stays in it",
           SHELL("v=0; (v=1; echo sub $v); echo back $v"));
    prints("3\n", 0, "a pipe of two programs", SHELL("printf 'a\\nb\\nc\\n' | /bin/busybox wc -l"));
    prints("b\na\n", 0, "a pipe of three",
           SHELL("printf 'a\\nb\\na\\n' | /bin/busybox sort -u | /bin/busybox sort -r"));
    prints("bg\ndone\n", 0, "a background job and wait", SHELL("/bin/busybox echo bg & wait; echo done"));
    prints("terminated\n", 0, "kill and trap",
           SHELL("trap 'echo terminated; exit 0' TERM; kill $$; sleep 1"));
    return tap_end();
}
