// SPDX-License-Identifier: MIT
//
// Small files that are read and written whole: the knobs of /proc/sys/vm and /proc/PID/oom_*.
//
// A test that turns a knob opens with knobs_guard(): the test then runs in a child, and its parent,
// which no OOM killer may touch, puts the knobs back however the test ends.
#ifndef TESTS_USER_SYSCTL_H
#define TESTS_USER_SYSCTL_H

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

// Writes a text to a file in one write(2). 0, or -1 with errno.
static inline int file_put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

static inline int file_put_number(const char *path, long value)
{
    char text[32];
    snprintf(text, sizeof(text), "%ld\n", value);
    return file_put(path, text);
}

// The number at the beginning of a file; -1 with errno set if it cannot be read.
static inline long file_get_number(const char *path)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    errno = 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? strtol(text, NULL, 10) : -1;
}

static inline const char *knob_path(const char *name)
{
    static char path[96];
    snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
    return path;
}

static inline long knob(const char *name)
{
    return file_get_number(knob_path(name));
}

// Turns a knob: 0, or -1 with errno.
static inline int knob_set(const char *name, long value)
{
    return file_put_number(knob_path(name), value);
}

// Turns a knob that the test stands on.
static inline void knob_need(const char *name, long value)
{
    if (knob_set(name, value))
        tap_bail(knob_path(name));
}

// How much the OOM killer likes process `pid` (0: this one).
static inline int oom_adj_set(pid_t pid, int value)
{
    char path[48] = "/proc/self/oom_score_adj";
    if (pid)
        snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    return file_put_number(path, value);
}

// In the order in which they can be put back: ratio and kbytes switch each other off.
static const char *const knobs_kept[] = {
    "overcommit_kbytes", "overcommit_ratio", "overcommit_memory", "panic_on_oom",
    "oom_kill_allocating_task", "oom_dump_tasks", "user_reserve_kbytes",
};
#define KNOBS_KEPT ((int)(sizeof(knobs_kept) / sizeof(knobs_kept[0])))

// Splits off the test proper, which returns from here; see the head.
static inline void knobs_guard(void)
{
    long kept[KNOBS_KEPT];
    for (int i = 0; i < KNOBS_KEPT; i++)
        kept[i] = knob(knobs_kept[i]);
    pid_t pid = fork();
    if (pid < 0)
        tap_bail("fork of the test proper");
    if (pid == 0)
        return;
    int status = 0;
    oom_adj_set(0, -1000);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    for (int i = 0; i < KNOBS_KEPT; i++)
        if (kept[i] >= 0 && knob(knobs_kept[i]) != kept[i] && !(i == 0 && kept[i] == 0))
            knob_set(knobs_kept[i], kept[i]);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

#endif
