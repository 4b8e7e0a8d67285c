// SPDX-License-Identifier: MIT
/*
 * watch.c: for trace.t: runs a program, and says meanwhile, again and again, what /proc says of all processes.
 *
 *     watch PROGRAM [ARG...]
 *
 * A sample lies between two marks in the trace, N and -N. It counts if nothing happened between them. All is written
 * to standard error, for the program's output is its own.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAP_NS 10000 /* under --icount: instructions */
#define NAP_MOST_NS 500000000

static const char *const names[] = { "/proc/lazy/faults", "/proc/lazy/tables", "/proc/lazy/frames", "/proc/meminfo" };
static char text[1 << 17], entries[1 << 16];
static size_t length;
static int trace;

static void mark(int number)
{
    char words[32];
    size_t count = (size_t)snprintf(words, sizeof(words), "mark %d", number);

    if (write(trace, words, count) != (ssize_t)count)
        _exit(9);
}

/* What `name` holds now, appended to the sample. Nothing, if it is gone. */
static void add_file(const char *name)
{
    int fd = open(name, O_RDONLY);
    ssize_t count = fd >= 0 ? read(fd, text + length, sizeof(text) - length) : 0;

    if (fd >= 0)
        close(fd);
    length += count > 0 ? (size_t)count : 0;
}

/* A line "PID statm...", for each process. */
static void add_processes(void)
{
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    long count;
    char name[300];

    while ((count = syscall(SYS_getdents64, proc, entries, sizeof(entries))) > 0) {
        for (char *at = entries; at < entries + count;) {
            struct dirent64 *entry = (struct dirent64 *)at;
            at += entry->d_reclen;
            if (atoi(entry->d_name) == 0)
                continue;
            length += (size_t)sprintf(text + length, "statm %s ", entry->d_name);
            snprintf(name, sizeof(name), "/proc/%s/statm", entry->d_name);
            add_file(name);
        }
    }
    close(proc);
}

static void sample(int number)
{
    mark(number);
    length = (size_t)sprintf(text, "@sample %d\n", number);
    add_processes();
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        add_file(names[i]);
    length += (size_t)sprintf(text + length, "@end\n");
    mark(-number);
    for (size_t at = 0; at < length;) {
        ssize_t count = write(2, text + at, length - at);
        if (count <= 0)
            _exit(7);
        at += (size_t)count;
    }
}

int main(int argc, char **argv)
{
    extern char **environ;
    struct timespec nap = { .tv_nsec = NAP_NS };
    int status = 0, number = 1;
    pid_t pid;

    trace = open("/proc/lazy/trace", O_WRONLY);
    int immune = open("/proc/self/oom_score_adj", O_WRONLY);
    if (argc < 2 || write(immune, "-1000", 5) != 5)
        return 2;
    memset(text, 1, sizeof(text));
    memset(entries, 1, sizeof(entries));
    sample(number++);

    int output = open("/dev/null", O_WRONLY);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (posix_spawn(&pid, argv[1], &actions, NULL, argv + 1, environ))
        return 3;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        sample(number++);
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < NAP_MOST_NS) /* the longer it runs, the fewer */
            nap.tv_nsec += nap.tv_nsec / 16;
    }
    sample(number++);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
