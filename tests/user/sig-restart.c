// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: signals
//
// What a signal does to a call that sleeps: SA_RESTART, EINTR, and going on after a stop.
#define _GNU_SOURCE
#include <signal.h>
#include <time.h>

#include "child.h"

#define MS 1000000l

static volatile sig_atomic_t arrived;

static void note(int signal)
{
    (void)signal;
    arrived++;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    arrived = 0;
}

static void nap(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * MS};
    while (nanosleep(&time, &time))
        ;
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

// A child that sends `first` to its parent after 30 ms and `second` 30 ms later.
static pid_t sender(int first, int second)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        nap(30);
        kill(parent, first);
        if (second) {
            nap(30);
            kill(parent, second);
        }
        nap(60);
        _exit(5);
    }
    return pid;
}

static void wait_check(void)
{
    int status;
    handle(SIGUSR1, SA_RESTART);
    pid_t pid = sender(SIGUSR1, 0);
    is(waitpid(pid, &status, 0), pid, "with SA_RESTART wait4 goes on");
    ok(arrived == 1 && WEXITSTATUS(status) == 5, "after the handler has run");
    handle(SIGUSR1, 0);
    pid = sender(SIGUSR1, 0);
    fails(waitpid(pid, &status, 0), EINTR, "without, it ends: EINTR");
    is(waitpid(pid, &status, 0), pid, "and can be called again");
}

static void read_check(void)
{
    int ends[2];
    char byte;
    pipe(ends);
    handle(SIGUSR1, 0);
    pid_t pid = sender(SIGUSR1, 0);
    fails(read(ends[0], &byte, 1), EINTR, "read of an empty pipe ends: EINTR");
    waitpid(pid, NULL, 0);
    handle(SIGUSR1, SA_RESTART);
    pid_t parent = getpid();
    pid = fork();
    if (pid == 0) {
        nap(30);
        kill(parent, SIGUSR1);
        nap(30);
        write(ends[1], "x", 1);
        _exit(0);
    }
    is(read(ends[0], &byte, 1), 1, "with SA_RESTART it goes on and reads");
    is(arrived, 1, "after the handler");
    waitpid(pid, NULL, 0);
    handle(SIGUSR1, SA_RESTART);
    pid = sender(SIGUSR1, 0);
    fails(pause(), EINTR, "pause is never restarted: EINTR");
    waitpid(pid, NULL, 0);
}

static void sleep_check(void)
{
    struct timespec time = {0, 100 * MS}, left = {9, 9};
    handle(SIGUSR1, SA_RESTART);
    pid_t pid = sender(SIGUSR1, 0);
    fails(nanosleep(&time, &left), EINTR, "nanosleep is not restarted after a handler: EINTR");
    ok(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 75 * MS,
       "what is left is told (%ld)", left.tv_nsec);
    waitpid(pid, NULL, 0);
    signal(SIGUSR1, SIG_IGN);
    pid = sender(SIGUSR1, 0);
    is(nanosleep(&time, NULL), 0, "an ignored signal does not wake it");
    waitpid(pid, NULL, 0);

    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 50 * MS;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    long before = now();
    is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &deadline, NULL), 0, "an absolute sleep");
    between(45 * MS, now() - before, 300 * MS, "ends at its time");
    is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 1}, NULL), 0,
       "one in the past at once");
    handle(SIGUSR1, SA_RESTART);
    pid = sender(SIGUSR1, 0);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += 1;
    is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL), EINTR, "a handler ends it, too");
    waitpid(pid, NULL, 0);
}

// The child sleeps for 150 ms; stopped for 60 of them, it still ends at its time, and with success.
static void sleeper(void *arg)
{
    struct timespec time = {0, 150 * MS};
    long before = now();
    (void)arg;
    if (nanosleep(&time, NULL))
        _exit(1);
    long took = now() - before;
    _exit(took >= 150 * MS && took < 1000 * MS ? 0 : 2);
}

static void waiter(void *arg)
{
    int ends[2];
    char byte;
    (void)arg;
    pipe(ends);
    if (fork() == 0) {
        nap(150);
        write(ends[1], "x", 1);
        _exit(0);
    }
    if (read(ends[0], &byte, 1) != 1 || wait(NULL) < 0)
        _exit(1);
    _exit(0);
}

static void stop_check(void (*body)(void *), const char *what)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        body(NULL);
    nap(40);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    nap(60);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    is(status, 0, "%s goes on after a stop and SIGCONT as if nothing had been", what);
}

static void kill_check(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) { // the parent of a vfork child is killed while it waits
        if (vfork() == 0) {
            struct timespec time = {0, 200 * MS};
            nanosleep(&time, NULL);
            _exit(0);
        }
        _exit(1);
    }
    nap(40);
    kill(pid, SIGKILL);
    long before = now();
    waitpid(pid, &status, 0);
    ok(killed_by(status, SIGKILL) && now() - before < 120 * MS,
       "SIGKILL ends a process that waits for its vfork child");
    nap(250);
}

int main(void)
{
    tap_begin();
    wait_check();
    read_check();
    sleep_check();
    stop_check(sleeper, "nanosleep");
    stop_check(waiter, "a read of a pipe");
    kill_check();
    return tap_end();
}
