// SPDX-License-Identifier: MIT
//
// A child process that works step by step with its parent: two pipes carry long numbers. A number
// sent is also the signal to go on, so neither side ever waits by time.
#ifndef TESTS_USER_CHILD_H
#define TESTS_USER_CHILD_H

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

struct link {
    pid_t pid;      // the child; 0 in the child itself
    int in, out;
};

// Sends a number to the other side. A side that has gone is found out by hear().
static inline void say(struct link *link, long value)
{
    if (write(link->out, &value, sizeof(value)) != sizeof(value))
        _exit(99);
}

// Waits for a number from the other side; -99 if that side has gone.
static inline long hear(struct link *link)
{
    long value;
    return read(link->in, &value, sizeof(value)) == sizeof(value) ? value : -99;
}

// Forks a child that runs body(link, arg) and exits 0. Returns the parent's end.
static inline struct link child_start(void (*body)(struct link *, void *), void *arg)
{
    int down[2], up[2];
    if (pipe(down) || pipe(up))
        tap_bail("pipe");
    pid_t pid = fork();
    if (pid < 0)
        tap_bail("fork");
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        struct link link = {0, down[0], up[1]};
        body(&link, arg);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    return (struct link){pid, up[0], down[1]};
}

// Closes the pipes, waits for the child, returns its wait status (0: went well).
static inline int child_end(struct link *link)
{
    int status = -1;
    close(link->out);
    close(link->in);
    waitpid(link->pid, &status, 0);
    return status;
}

// Runs body(arg) in a child; returns the wait status. For what is expected to end in a signal.
static inline int child_run(void (*body)(void *), void *arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid < 0)
        tap_bail("fork");
    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

// True if the wait status says: killed by this signal.
static inline bool killed_by(int status, int signal)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

#endif
