// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// subject: processes
//
// The C library's threads: locks, conditions, joining, cancelling, thread-local storage. thread-glibc.c is the same with
// the host's C library.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "thread.h"

#define COUNT 8
#define ROUNDS 2000

static pthread_t threads[COUNT];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long total, turn;
static __thread long mine;

static void start_all(void *(*act)(void *))
{
    for (long i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], NULL, act, (void *)i))
            tap_bail("pthread_create");
}

static long join_all(void)
{
    long sum = 0;
    for (int i = 0; i < COUNT; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    return sum;
}

// ---- locks and conditions ----

static void *add(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        long now = total;
        if (i % 64 == 0)
            sched_yield();
        total = now + 1;
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void *take_turns(void *arg)
{
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % COUNT != (long)arg)
            pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void locks_check(void)
{
    start_all(add);
    is(join_all(), COUNT * (COUNT - 1) / 2, "threads are joined with their results");
    is(total, COUNT * ROUNDS, "a mutex keeps them apart");
    start_all(take_turns);
    join_all();
    is(turn, COUNT * 50, "a condition lets them take turns");

    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_sec++, soon.tv_nsec -= 1000000000;
    pthread_mutex_lock(&mutex);
    is(pthread_cond_timedwait(&changed, &mutex, &soon), ETIMEDOUT, "a wait with a time-out ends");
    pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *meet(void *arg)
{
    long first = 0;
    (void)arg;
    for (int i = 0; i < 20; i++)
        first += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    return (void *)first;
}

static void *read_and_write(void *arg)
{
    long wrong = 0;
    for (int i = 0; i < 200; i++) {
        if ((long)arg % 2) {
            pthread_rwlock_wrlock(&rwlock);
            total++;
            sched_yield();
            turn++;
            pthread_rwlock_unlock(&rwlock);
        } else {
            pthread_rwlock_rdlock(&rwlock);
            wrong += total != turn;
            pthread_rwlock_unlock(&rwlock);
        }
    }
    return (void *)wrong;
}

static void more_locks_check(void)
{
    pthread_barrier_init(&barrier, NULL, COUNT);
    start_all(meet);
    is(join_all(), 20, "a barrier names one of them each time");
    total = turn = 0;
    start_all(read_and_write);
    is(join_all(), 0, "readers see no writer at work");
    is(total, COUNT / 2 * 200, "and no writer is lost");
}

// ---- a robust mutex, and one with priority inheritance ----

static pthread_mutex_t left;

static void *leave_locked(void *arg)
{
    pthread_mutex_lock(&left);
    return arg;
}

static void robust_check(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&left, &attributes);
    pthread_create(&threads[0], NULL, leave_locked, NULL);
    pthread_join(threads[0], NULL);
    is(pthread_mutex_lock(&left), EOWNERDEAD, "a robust mutex tells of its owner's end");
    is(pthread_mutex_consistent(&left), 0, "and can be mended");
    is(pthread_mutex_unlock(&left), 0, "and used");
    is(pthread_mutex_lock(&left), 0, "again");
    pthread_mutex_unlock(&left);
}

// ---- thread-local storage, keys, once ----

static pthread_key_t key;
static int destroyed, once_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void destroy(void *value)
{
    (void)value;
    __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void just_once(void) { once_count++; }

static void *use_own(void *arg)
{
    pthread_once(&once, just_once);
    pthread_setspecific(key, &threads[(long)arg]);
    for (int i = 0; i < 100; i++) {
        mine += (long)arg;
        errno = (int)(long)arg;
        sched_yield();
        if (errno != (int)(long)arg)
            return (void *)1;
    }
    return (void *)(long)(mine != 100 * (long)arg || pthread_getspecific(key) != &threads[(long)arg]);
}

static void storage_check(void)
{
    pthread_key_create(&key, destroy);
    start_all(use_own);
    is(join_all(), 0, "thread-local storage is each one's own");
    is(mine, 0, "and the first one's");
    is(destroyed, COUNT, "keys are destroyed with their threads");
    is(once_count, 1, "pthread_once");
}

// ---- cancelling, detaching ----

static sem_t there;
static volatile int cleaned, detached_done;

static void clean(void *arg)
{
    (void)arg;
    cleaned++;
}

static void *be_cancelled(void *arg)
{
    pthread_cleanup_push(clean, NULL);
    sem_post(&there);
    if (arg) {
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        for (volatile long n = 0;; n++)
            ;
    }
    for (;;)
        sleep_milliseconds(1000);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel_check(void)
{
    for (long how = 0; how < 2; how++) {
        void *result = NULL;
        pthread_create(&threads[0], NULL, be_cancelled, (void *)how);
        sem_wait(&there);
        pthread_cancel(threads[0]);
        pthread_join(threads[0], &result);
        ok(result == PTHREAD_CANCELED, how ? "a thread that computes is cancelled" : "a thread that sleeps is cancelled");
    }
    is(cleaned, 2, "and cleans up");
}

static void *be_detached(void *arg)
{
    (void)arg;
    pthread_detach(pthread_self());
    __atomic_fetch_add(&detached_done, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void many_check(void)
{
    int failed = 0;
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        failed += pthread_create(&thread, NULL, be_detached, NULL) != 0;
        if (i % 16 == 0)
            sched_yield();
    }
    is(failed, 0, "five hundred threads, detached");
    while (detached_done < 500)
        sched_yield();
    while (status_number("self", "Threads:") != 1)
        sched_yield();
    ok(1, "are gone");
}

// ---- fork among threads ----

static void *spin(void *arg)
{
    while (!*(volatile int *)arg)
        sched_yield();
    return NULL;
}

static void fork_check(void)
{
    volatile int stop = 0;
    int status, wrong = 0;
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, spin, (void *)&stop);
    for (int round = 0; round < 20; round++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(status_number("self", "Threads:") == 1 ? 0 : 1);
        wrong += waitpid(pid, &status, 0) != pid || status != 0;
    }
    is(wrong, 0, "a child of fork has one thread");
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static void *exit_all(void *arg)
{
    (void)arg;
    sleep_milliseconds(5);
    exit(7);
}

static int exit_with_sleepers(void)
{
    start_all(be_cancelled);
    pthread_create(&threads[0], NULL, exit_all, NULL);
    for (;;)
        pause();
    return 0;
}

static int main_ends_first(void)
{
    pthread_create(&threads[0], NULL, exit_all, NULL);
    pthread_exit(NULL);
    return 0;
}

static void exit_check(void)
{
    is(status_after(exit_with_sleepers), 7 << 8, "exit(3) by a thread ends those that sleep and those that compute");
    is(status_after(main_ends_first), 7 << 8, "and the process whose main() has ended by pthread_exit(3)");
}

int main(void)
{
    tap_begin();
    sem_init(&there, 0, 0);
    locks_check();
    more_locks_check();
    robust_check();
    storage_check();
    cancel_check();
    many_check();
    fork_check();
    exit_check();
    return tap_end();
}
