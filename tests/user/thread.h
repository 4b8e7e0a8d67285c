// SPDX-License-Identifier: MIT
//
// Threads by clone(2) itself, for what the C library's do not show. Such a thread shares the maker's thread-local
// storage, so it makes system calls and touches memory, and leaves checks and errno to the others.
#ifndef TESTS_USER_THREAD_H
#define TESTS_USER_THREAD_H

#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"

#define THREAD_FLAGS                                                                                      \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | \
     CLONE_CHILD_CLEARTID)

// linux/futex.h, which musl does not bring.
enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_WAKE_OP = 5,
    FUTEX_LOCK_PI = 6,
    FUTEX_UNLOCK_PI = 7,
    FUTEX_TRYLOCK_PI = 8,
};
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u

struct robust_list {
    struct robust_list *next;
};

struct robust_list_head {
    struct robust_list list;
    long futex_offset;
    struct robust_list *list_op_pending;
};

struct thread {
    volatile int tid;   // as the parent was told
    volatile int alive; // its number until it has ended
    int (*act)(void *);
    void *arg;
    _Alignas(16) char stack[32768];
};

static inline long futex(volatile int *word, int operation, int value)
{
    return syscall(SYS_futex, word, operation, value, 0, 0, 0);
}

// Waits until the word is not `value` any more; somebody wakes it, or it is looked at again in a moment.
static inline void await_change(volatile int *word, int value)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    while (*word == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, &moment, 0, 0);
}

static inline void set_and_wake(volatile int *word, int value)
{
    *word = value;
    futex(word, FUTEX_WAKE, INT_MAX);
}

static inline int thread_first(void *arg)
{
    struct thread *thread = arg;
    syscall(SYS_exit, thread->act(thread->arg));
    __builtin_unreachable();
}

// Starts act(arg) as a thread, which ends with what it returns. Its number, or -1.
static inline int thread_start(struct thread *thread, int (*act)(void *), void *arg)
{
    thread->act = act;
    thread->arg = arg;
    thread->alive = 1;
    return clone(thread_first, thread->stack + sizeof(thread->stack), THREAD_FLAGS, thread, &thread->tid, NULL, &thread->alive);
}

// Waits for its end as pthread_join(3) does: the kernel clears the word and wakes it.
static inline void thread_await(struct thread *thread)
{
    for (int alive; (alive = thread->alive);)
        futex(&thread->alive, FUTEX_WAIT, alive);
}

static inline void sleep_milliseconds(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

// The number behind `label` in /proc/DIR/status; -1: there is none.
static inline long status_number(const char *directory, const char *label)
{
    char path[96], line[256];
    long number = -1;
    snprintf(path, sizeof(path), "/proc/%s/status", directory);
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof(line), file))
        if (!strncmp(line, label, strlen(label)))
            number = strtol(line + strlen(label), NULL, 10);
    fclose(file);
    return number;
}

// The state letter of a process or thread.
static inline char state_of(const char *directory)
{
    char path[96], text[512] = "";
    snprintf(path, sizeof(path), "/proc/%s/stat", directory);
    FILE *file = fopen(path, "r");
    if (!file)
        return '?';
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    const char *name_end = n ? strrchr(text, ')') : NULL;
    return name_end ? name_end[2] : '?';
}

// A process of its own that runs body(), and its wait status.
static inline int status_after(int (*body)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

#endif
