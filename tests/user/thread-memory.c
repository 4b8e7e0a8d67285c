// SPDX-License-Identifier: MIT
// ram: 96M  time: 120
// not-with: zfod=off cow=off
//
// Memory and threads: faults on the same pages and tables, copy-on-write while others write, mappings that come and go
// under their users, and the OOM killer, which takes all threads or none.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>

#include "oom.h"

#define THREADS 4
#define PAGES 512L

static char *region;
static pthread_barrier_t barrier;
static volatile int stop;

static void run(void *(*act)(void *), int count)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, act, (void *)i))
            tap_bail("pthread_create");
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

// ---- all fault on all pages ----

// Each adds 1 to a counter of its own in every page, beginning elsewhere.
static void *count_in_pages(void *arg)
{
    long which = (long)arg;
    pthread_barrier_wait(&barrier);
    for (long i = 0; i < PAGES; i++) {
        long page = (i + which * PAGES / THREADS) % PAGES;
        ((volatile long *)(region + page * PAGE))[which]++;
        if (i % 32 == 0)
            sched_yield();
    }
    return NULL;
}

static long wrong_counts(long want)
{
    long wrong = 0;
    for (long page = 0; page < PAGES; page++)
        for (int which = 0; which < THREADS; which++)
            wrong += ((long *)(region + page * PAGE))[which] != want;
    return wrong;
}

static void faults_check(void)
{
    region = region_map(PAGES);
    run(count_in_pages, THREADS);
    is(wrong_counts(1), 0, "zero-fill: no thread loses what it writes");
    is(rss_at(region), PAGES, "and each page is filled once");
    pid_t pid = fork();
    if (pid == 0)
        pause();
    run(count_in_pages, THREADS);
    is(wrong_counts(2), 0, "copy-on-write: nor there");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    run(count_in_pages, THREADS);
    is(wrong_counts(3), 0, "nor when the pages are theirs alone again");
    region_unmap(region, PAGES);
}

// ---- forks while others write ----

static void *write_on(void *arg)
{
    volatile long *mine = (volatile long *)region + (long)arg;
    pthread_barrier_wait(&barrier);
    for (long n = 1; !stop; n++)
        for (long page = 0; page < 64; page++)
            mine[page * PAGE / (long)sizeof(long)] = n;
    return NULL;
}

// What the child sees of a writer: n in the pages up to somewhere, n - 1 in those behind.
static int look(void)
{
    for (int which = 1; which < THREADS; which++) {
        const long *at = (const long *)region + which;
        long first = at[0], steps = 0, stride = PAGE / (long)sizeof(long);
        for (long page = 1; page < 64; page++)
            if (at[page * stride] != at[(page - 1) * stride])
                steps += at[page * stride] == first - 1 ? 1 : 2;
        if (steps > 1)
            return 1;
    }
    return 0;
}

static void *fork_on(void *arg)
{
    long wrong = 0;
    if (arg)
        return write_on(arg);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 20; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0)
            _exit(look());
        wrong += pid < 0 || waitpid(pid, &status, 0) != pid || status;
    }
    stop = 1;
    *(volatile long *)region = wrong;
    return NULL;
}

static void fork_check(void)
{
    region = region_map(64);
    stop = 0;
    run(fork_on, THREADS);
    is(*(long *)region, 0, "fork is one moment in the memory of threads that write on");
    region_unmap(region, 64);
}

// ---- mappings come and go ----

static __thread sigjmp_buf back;
static volatile long caught, surprises;

static void note_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if ((char *)info->si_addr < region || (char *)info->si_addr >= region + 64 * PAGE)
        _exit(97);
    __atomic_fetch_add(&caught, 1, __ATOMIC_RELAXED);
    siglongjmp(back, 1);
}

// What is read is 0 or what a thread has written; where nothing is mapped, or it may not be written, there is a signal.
static void *touch_on(void *arg)
{
    volatile unsigned long state = (unsigned long)arg * 2654435761u + 1;
    while (!stop) {
        state = state * 6364136223846793005ul + 1442695040888963407ul;
        volatile char *at = region + (state >> 33) % (64 * (unsigned long)PAGE);
        if (sigsetjmp(back, 1))
            continue;
        if (state & 1)
            *at = 'x';
        else if (*at != 0 && *at != 'x')
            surprises++;
    }
    return NULL;
}

static void *map_on(void *arg)
{
    if (arg)
        return touch_on(arg);
    for (long i = 0; i < 1500; i++) {
        char *at = region + i * 7 % 48 * PAGE;
        size_t size = (size_t)((1 + i % 16) * PAGE);
        switch (i % 4) {
        case 0:
            munmap(at, size);
            break;
        case 1:
            mprotect(at, size, PROT_READ);
            break;
        case 2:
            madvise(at, size, MADV_DONTNEED);
            break;
        default:
            mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
        if (i % 8 == 0)
            sched_yield();
    }
    mmap(region, 64 * (size_t)PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    stop = 1;
    return NULL;
}

static void races_check(void)
{
    struct sigaction action = {.sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    region = region_map(64);
    stop = 0;
    sigaction(SIGSEGV, &action, NULL);
    run(map_on, THREADS);
    signal(SIGSEGV, SIG_DFL);
    ok(caught > 0, "touching what another thread takes away is a SIGSEGV of the one who touches");
    is(surprises, 0, "and what is there is zeroes, or what was written");
    region_unmap(region, 64);
}

// ---- out of memory ----

static void *hog_on(void *arg)
{
    (void)arg;
    for (;;) {
        char *at = mmap(NULL, 64 * (size_t)PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at != MAP_FAILED)
            for (long page = 0; page < 64; page++)
                at[page * PAGE] = 'h';
    }
    return NULL;
}

static void *sleep_on(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

// Three threads take all there is, one sleeps; `by_leader` says whether the first one lives to see it.
static int hog_with_threads(bool leader_ends)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        oom_adj_set(0, 0);
        pthread_create(&thread, NULL, sleep_on, NULL);
        for (int i = 0; i < 2; i++)
            pthread_create(&thread, NULL, hog_on, NULL);
        if (leader_ends)
            pthread_exit(NULL);
        hog_on(NULL);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static void oom_check(void)
{
    for (int leader_ends = 0; leader_ends < 2; leader_ends++) {
        is(hog_with_threads(leader_ends), SIGKILL, "a hog with threads%s is killed whole",
           leader_ends ? " whose leader has ended" : "");
        region = region_map(PAGES);
        region_write(region, PAGES, 'k');
        is(region_read(region, PAGES), PAGES * 'k', "and its memory is back");
        region_unmap(region, PAGES);
    }
}

int main(void)
{
    oom_begin();
    faults_check();
    fork_check();
    races_check();
    oom_check();
    return tap_end();
}
