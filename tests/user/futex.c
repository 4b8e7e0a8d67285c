// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// futex between processes: what it refuses, whom it wakes, what a time-out and a signal do to a
// wait; and a lock whose owner has died.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "child.h"

// linux/futex.h, which musl does not bring.
enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_PRIVATE_FLAG = 128,
    FUTEX_CLOCK_REALTIME = 256,
};

static int *words; // a page of shared memory

static long futex(void *address, int operation, int value, void *time, void *other, int third)
{
    return syscall(SYS_futex, address, operation, value, time, other, third);
}

static void refusals(void)
{
    struct timespec soon = {0, 10000000}, past = {0, 0}, bad = {0, 1000000000};

    fails(futex(words, FUTEX_WAIT, 1, &soon, NULL, 0), EAGAIN, "the word has another value");
    fails(futex(words, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT, "nobody wakes");
    fails(futex(words, FUTEX_WAIT_BITSET, 0, &past, NULL, 1), ETIMEDOUT, "a time that is past");
    fails(futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1), ETIMEDOUT, "by the wall clock");
    fails(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL, "a second of nanoseconds");
    fails(futex(words, FUTEX_WAIT, 0, (void *)8, NULL, 0), EFAULT, "a time-out that is nowhere");
    fails(futex((char *)words + 1, FUTEX_WAIT, 0, &soon, NULL, 0), EINVAL, "a word across a boundary");
    fails(futex(NULL, FUTEX_WAIT, 0, &soon, NULL, 0), EFAULT, "no word to wait on");
    fails(futex(NULL, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT, "no word to wake on");
    is(futex(NULL, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0, "a private one is not looked at");
    fails(futex(words, FUTEX_WAIT_BITSET, 0, &soon, NULL, 0), EINVAL, "no bits to wait for");
    fails(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL, "no bits to wake");
    fails(futex(words, FUTEX_REQUEUE, -1, NULL, words + 1, 0), EINVAL, "wake less than nobody");
    fails(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)-1l, words + 1, 0), EINVAL, "move less than nobody");
    fails(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 5), EAGAIN, "move, but the word has another value");
    fails(futex(words, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, 0), ENOSYS, "no clock for FUTEX_WAIT");
    fails(futex(words, 99, 0, NULL, NULL, 0), ENOSYS, "no such operation");
}

static void wait_for_bit(struct link *link, void *bit)
{
    say(link, 0);
    say(link, futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, (int)(long)bit));
}

/* Until it sleeps: /proc tells. */
static void see_asleep(pid_t pid)
{
    char path[40], text[200] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int tries = 0; tries < 5000; tries++) {
        FILE *file = fopen(path, "r");
        if (file && fgets(text, sizeof text, file) && strstr(text, ") S"))
            tries = 5000;
        if (file)
            fclose(file);
        usleep(1000);
    }
}

enum { WAITERS = 8 };

static void wakes(void)
{
    struct link links[WAITERS];
    int woken = 0, good = 0;

    for (long i = 0; i < WAITERS; i++) {
        links[i] = child_start(wait_for_bit, (void *)(1l << i % 2));
        hear(&links[i]);
        see_asleep(links[i].pid);
    }
    is(futex(words, FUTEX_WAKE_BITSET, 100, NULL, NULL, 4), 0, "nobody waits for that bit");
    is(futex(words + 2, FUTEX_WAKE, 100, NULL, NULL, 0), 0, "nobody waits on that word");
    is(futex(words, FUTEX_WAKE_BITSET, 3, NULL, NULL, 2), 3, "three of those with bit 1");
    woken = futex(words, FUTEX_CMP_REQUEUE, 2, (void *)2, words + 1, 0);
    is(woken, 4, "two woken and two moved");
    is(futex(words, FUTEX_WAKE, 100, NULL, NULL, 0), 1, "one is left");
    is(futex(words + 1, FUTEX_WAKE, 0, NULL, NULL, 0), 1, "asked for none, it wakes one of those moved");
    is(futex(words + 1, FUTEX_WAKE, 100, NULL, NULL, 0), 1, "and then the other");
    for (int i = 0; i < WAITERS; i++) {
        good += hear(&links[i]) == 0;
        child_end(&links[i]);
    }
    is(good, WAITERS, "each of them was told that it had been woken");
}

static void post(struct link *link, void *semaphore)
{
    hear(link);
    sem_post(semaphore);
}

static void lock_and_die(struct link *link, void *mutex)
{
    pthread_mutex_lock(mutex);
    say(link, 0);
    hear(link);
}

static void libc_objects(void)
{
    sem_t *semaphore = (void *)(words + 16);
    pthread_mutex_t *mutex = (void *)(words + 64);
    pthread_mutexattr_t attributes;
    struct link link;

    sem_init(semaphore, 1, 0);
    link = child_start(post, semaphore);
    say(&link, 0);
    is(sem_wait(semaphore), 0, "a semaphore between processes");
    child_end(&link);

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &attributes);
    link = child_start(lock_and_die, mutex);
    hear(&link);
    is(pthread_mutex_trylock(mutex), EBUSY, "a lock that the child holds");
    say(&link, 0);
    is(pthread_mutex_lock(mutex), EOWNERDEAD, "whoever waits for it is told that its owner died");
    pthread_mutex_consistent(mutex);
    is(pthread_mutex_unlock(mutex), 0, "and has it");
    child_end(&link);
}

static volatile sig_atomic_t arrived;

static void note(int signal)
{
    (void)signal;
    arrived++;
    if (arrived == 2)
        words[0] = 1; // the restarted wait sees another value
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = note};
    struct itimerval soon = {{0, 0}, {0, 20000}};
    struct timespec long_time = {60, 0};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    fails(futex(words, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR, "a handler ends the wait");
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    fails(futex(words, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN, "with SA_RESTART it goes on, and looks again");
    words[0] = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    fails(futex(words, FUTEX_WAIT, 0, &long_time, NULL, 0), EINTR, "but not with a time-out");
}

int main(void)
{
    tap_begin();
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    refusals();
    wakes();
    libc_objects();
    signals();
    return tap_end();
}
