// SPDX-License-Identifier: MIT
// ram: 128M  time: 60
// subject: signals
//
// Signals and threads: who takes what was sent to the process, what was sent to one, stopping and going on, timers, and
// whose time is counted.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "thread.h"

static pthread_t threads[4];
static volatile int tids[4], took[4], stop;
static sem_t ready;

static int my_tid(void) { return (int)syscall(SYS_gettid); }

static void note(int number)
{
    (void)number;
    for (int i = 0; i < 4; i++)
        if (tids[i] == my_tid())
            took[i]++;
}

static void mask_all(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

// A thread that blocks the signals in `arg`, says that it is there, and waits for the end.
static void *sleeper(void *arg)
{
    long which = (long)arg;
    tids[which] = my_tid();
    sem_post(&ready);
    while (!stop)
        sleep_milliseconds(5);
    return NULL;
}

static void begin(int count)
{
    stop = 0;
    took[0] = took[1] = took[2] = took[3] = 0;
    sem_init(&ready, 0, 0);
    for (long i = 1; i <= count; i++) {
        if (pthread_create(&threads[i], NULL, sleeper, (void *)i))
            tap_bail("pthread_create");
        sem_wait(&ready);
    }
}

static void end(int count)
{
    stop = 1;
    for (int i = 1; i <= count; i++)
        pthread_join(threads[i], NULL);
}

static void await_count(volatile int *word, int value)
{
    for (int i = 0; i < 2000 && *word < value; i++)
        sleep_milliseconds(1);
}

static int took_all(void) { return took[0] + took[1] + took[2] + took[3]; }

static void directed_check(void)
{
    tids[0] = my_tid();
    signal(SIGUSR1, note);
    begin(2);
    is(pthread_kill(threads[2], SIGUSR1), 0, "a signal for one thread");
    await_count(&took[2], 1);
    is(took[2], 1, "is taken by that one");
    mask_all(SIG_BLOCK, SIGUSR1); // of this thread alone: the others had it open when they began
    kill(getpid(), SIGUSR1);
    await_count(&took[1], 1);
    for (int i = 0; i < 2000 && took_all() < 2; i++)
        sleep_milliseconds(1);
    is(took_all(), 2, "a signal for the process is taken once");
    is(took[0], 0, "by a thread that does not block it");
    end(2);
    mask_all(SIG_UNBLOCK, SIGUSR1);
}

static void pending_check(void)
{
    sigset_t waiting;
    mask_all(SIG_BLOCK, SIGUSR1);
    begin(1); // blocks it, too, as its maker does
    kill(getpid(), SIGUSR1);
    pthread_kill(threads[1], SIGUSR1);
    sigpending(&waiting);
    is(sigismember(&waiting, SIGUSR1), 1, "all block it: it is pending for the process");
    char path[48];
    snprintf(path, sizeof(path), "self/task/%d", tids[1]);
    char task[64], line[128];
    snprintf(task, sizeof(task), "/proc/%s/status", path);
    unsigned long own = 0, shared = 0;
    FILE *file = fopen(task, "r");
    while (file && fgets(line, sizeof(line), file)) {
        sscanf(line, "SigPnd: %lx", &own);
        sscanf(line, "ShdPnd: %lx", &shared);
    }
    if (file)
        fclose(file);
    is((long)own, 1l << (SIGUSR1 - 1), "SigPnd: the thread's own");
    is((long)shared, 1l << (SIGUSR1 - 1), "ShdPnd: the process's");
    end(1);
    is(took_all(), 0, "nobody took it");
    mask_all(SIG_UNBLOCK, SIGUSR1);
    is(took[0], 1, "whoever unblocks it does; what was for the thread went with it");
}

// ---- waiting for signals ----

static void *wait_for_it(void *arg)
{
    int number = 0;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sem_post(&ready);
    sigwait(&set, &number);
    *(volatile int *)arg = number;
    return NULL;
}

static void sigwait_check(void)
{
    volatile int got = 0;
    sem_init(&ready, 0, 0);
    mask_all(SIG_BLOCK, SIGUSR2);
    pthread_create(&threads[1], NULL, wait_for_it, (void *)&got);
    sem_wait(&ready);
    kill(getpid(), SIGUSR2);
    pthread_join(threads[1], NULL);
    is(got, SIGUSR2, "sigwait of a thread takes what was sent to the process");
    mask_all(SIG_UNBLOCK, SIGUSR2);
}

// ---- real-time signals keep their order and their data ----

static volatile int values[8], value_count;

static void note_value(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    values[value_count++ & 7] = info->si_value.sival_int;
}

static void queue_check(void)
{
    struct sigaction action = {.sa_sigaction = note_value, .sa_flags = SA_SIGINFO};
    int number = SIGRTMIN + 1;
    sigaction(number, &action, NULL);
    mask_all(SIG_BLOCK, number);
    for (int i = 1; i <= 3; i++)
        sigqueue(getpid(), number, (union sigval){.sival_int = i});
    pthread_kill(pthread_self(), number);
    mask_all(SIG_UNBLOCK, number);
    is(value_count, 4, "queued signals all come");
    is(values[1] * 100 + values[2] * 10 + values[3], 123, "the thread's own first, then the process's in their order");
}

// ---- stopping ----

static volatile long counter;

static void *count_up(void *arg)
{
    (void)arg;
    for (;;) {
        counter++;
        sleep_milliseconds(1);
    }
    return NULL;
}

static void stop_check(void)
{
    int status = 0, ends[2];
    char path[64], byte;
    if (pipe(ends))
        tap_bail("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int tid;
        stop = 0;
        pthread_create(&threads[1], NULL, count_up, NULL);
        pthread_create(&threads[2], NULL, count_up, NULL);
        while (!counter)
            sched_yield();
        sem_init(&ready, 0, 0);
        pthread_create(&threads[3], NULL, sleeper, (void *)3l);
        sem_wait(&ready);
        tid = tids[3];
        (void)!write(ends[1], &tid, sizeof(tid));
        for (;;)
            pause();
    }
    int tid = 0;
    (void)!read(ends[0], &tid, sizeof(tid));
    kill(pid, SIGSTOP);
    is(waitpid(pid, &status, WUNTRACED), pid, "a process of several threads stops");
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "by SIGSTOP");
    snprintf(path, sizeof(path), "%d/task/%d", pid, tid);
    is(state_of(path), 'T', "each of its threads");
    is(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "which is told once");
    kill(pid, SIGCONT);
    is(waitpid(pid, &status, WCONTINUED), pid, "it goes on");
    ok(WIFCONTINUED(status), "by SIGCONT");
    for (int i = 0; i < 1000 && state_of(path) == 'T'; i++)
        sleep_milliseconds(1);
    ok(state_of(path) != 'T', "each of its threads");
    syscall(SYS_tgkill, pid, tid, SIGSTOP);
    is(waitpid(pid, &status, WUNTRACED), pid, "a stop signal for one thread stops all");
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "by that signal");
    kill(pid, SIGTERM);
    is(waitpid(pid, &status, WNOHANG), 0, "what is sent meanwhile waits");
    kill(pid, SIGKILL);
    is(waitpid(pid, &status, 0), pid, "SIGKILL does not");
    is(status, SIGKILL, "and ends all threads");
    close(ends[0]);
    close(ends[1]);
    (void)byte;
}

// ---- a fatal signal, an ignored one ----

static int killed_by_signal_for_thread(void)
{
    tids[0] = my_tid();
    begin(2);
    pthread_kill(threads[1], SIGTERM);
    for (;;)
        pause();
    return 0;
}

static void fatal_check(void)
{
    is(status_after(killed_by_signal_for_thread), SIGTERM, "a signal that ends one thread ends its process");
}

// ---- interrupted calls ----

static volatile int results[2];

static void *read_nothing(void *arg)
{
    char byte;
    tids[1] = my_tid();
    sem_post(&ready);
    results[0] = (int)read(*(int *)arg, &byte, 1);
    results[1] = errno;
    return NULL;
}

static void interrupt_check(void)
{
    int ends[2];
    char path[48];
    if (pipe(ends))
        tap_bail("pipe");
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGUSR1, &action, NULL);
    sem_init(&ready, 0, 0);
    took[1] = 0;
    pthread_create(&threads[1], NULL, read_nothing, &ends[0]);
    sem_wait(&ready);
    snprintf(path, sizeof(path), "self/task/%d", tids[1]);
    while (state_of(path) != 'S')
        sched_yield();
    pthread_kill(threads[1], SIGUSR1);
    pthread_join(threads[1], NULL);
    is(results[0], -1, "a signal for a thread interrupts its call");
    is(results[1], EINTR, "with EINTR");
    is(took[1], 1, "after its handler");
    close(ends[0]);
    close(ends[1]);
}

// ---- timers ----

static void timer_check(void)
{
    struct sigevent event = {.sigev_notify = 4 /* SIGEV_THREAD_ID */, .sigev_signo = SIGUSR1};
    struct itimerspec soon = {.it_value = {.tv_nsec = 1000000}};
    int timer;
    begin(2);
    for (int which = 1; which <= 2; which++) {
        memcpy((char *)&event + 16, (const void *)&tids[which], sizeof(int)); // sigev_notify_thread_id
        if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
            tap_bail("timer_create");
        syscall(SYS_timer_settime, timer, 0, &soon, NULL);
        await_count(&took[which], 1);
        is(took[which], 1, "a timer signals the thread that it names (%d)", which);
        is(took[0], 0, "alone");
        syscall(SYS_timer_delete, timer);
    }
    int nobody = getppid();
    memcpy((char *)&event + 16, &nobody, sizeof(int));
    fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer), EINVAL, "which has to be of the process");
    end(2);
}

// ---- time ----

static double seconds(clockid_t clock)
{
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *burn(void *arg)
{
    volatile long n = 0;
    while (seconds(CLOCK_THREAD_CPUTIME_ID) < 0.3)
        n++;
    struct rusage usage;
    getrusage(1 /* RUSAGE_THREAD */, &usage);
    *(double *)arg = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return NULL;
}

static void time_check(void)
{
    double its_usage = 0, before = seconds(CLOCK_PROCESS_CPUTIME_ID), mine = seconds(CLOCK_THREAD_CPUTIME_ID);
    clockid_t its_clock;
    struct rusage usage;
    struct tms times_used;
    pthread_create(&threads[1], NULL, burn, &its_usage);
    is(pthread_getcpuclockid(threads[1], &its_clock), 0, "a thread's CPU clock");
    ok(seconds(its_clock) >= 0, "can be read by the others");
    pthread_join(threads[1], NULL);
    ok(seconds(CLOCK_PROCESS_CPUTIME_ID) - before >= 0.3, "the process's clock counts what a thread used, also after its end");
    ok(seconds(CLOCK_THREAD_CPUTIME_ID) - mine < 0.2, "the clock of another one does not");
    ok(its_usage > 0.15, "RUSAGE_THREAD");
    getrusage(RUSAGE_SELF, &usage);
    double all = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    ok(all >= its_usage, "RUSAGE_SELF is of all threads");
    times(&times_used);
    ok((double)(times_used.tms_utime + times_used.tms_stime) / 100 >= its_usage - 0.05, "times(2), too");
}

int main(void)
{
    tap_begin();
    directed_check();
    pending_check();
    sigwait_check();
    queue_check();
    stop_check();
    fatal_check();
    interrupt_check();
    timer_check();
    time_check();
    return tap_end();
}
