// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: time
//
// alarm, setitimer and timer_create: when they run out, what they send, what is left of them, and
// what becomes of them over fork. And the clocks.
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "child.h"

#define MS 1000000l

static volatile sig_atomic_t arrived, code, value, overruns;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    arrived++;
    code = info->si_code;
    value = info->si_value.sival_int;
    overruns += info->si_code == SI_TIMER ? info->si_overrun : 0;
}

static void handle(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    arrived = overruns = 0;
}

static long now(clockid_t clock)
{
    struct timespec time;
    return clock_gettime(clock, &time) ? -1 : time.tv_sec * 1000000000 + time.tv_nsec;
}

static void nap(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * MS};
    while (nanosleep(&time, &time))
        ;
}

// How often a timer of 30 ms, then each 50, can have run out since: on a busy host a nap is longer than it says.
static long expirations(long start)
{
    return (now(CLOCK_MONOTONIC) - start - 30 * MS) / (50 * MS) + 1;
}

static void burn_until(volatile sig_atomic_t *count, int wanted)
{
    long end = now(CLOCK_MONOTONIC) + 5000 * MS;
    while (*count < wanted && now(CLOCK_MONOTONIC) < end)
        ;
}

static void itimer_check(void)
{
    struct itimerval set = {{0, 50000}, {0, 30000}}, left;
    handle(SIGALRM);
    long start = now(CLOCK_MONOTONIC);
    is(setitimer(ITIMER_REAL, &set, NULL), 0, "setitimer(ITIMER_REAL)");
    getitimer(ITIMER_REAL, &left);
    ok(left.it_interval.tv_usec == 50000 && left.it_value.tv_usec <= 30000 && left.it_value.tv_usec > 0,
       "getitimer tells interval and rest");
    nap(200);
    between(2, arrived, expirations(start), "it runs out after 30 ms and then each 50");
    ok(code == SI_KERNEL, "SIGALRM comes from the kernel");
    memset(&set, 0, sizeof(set));
    setitimer(ITIMER_REAL, &set, &left);
    ok(left.it_interval.tv_usec == 50000, "setitimer tells the old one");
    arrived = 0;
    nap(80);
    is(arrived, 0, "set to 0 it stops");
    is(alarm(10), 0, "alarm");
    is(alarm(0), 10, "alarm tells what was left of the last one");
    is(alarm(0), 0, "0 takes it back");
    set.it_value.tv_usec = 1000000;
    fails(setitimer(ITIMER_REAL, &set, NULL), EINVAL, "a million microseconds: EINVAL");
    set.it_value.tv_usec = 0;
    fails(setitimer(3, &set, NULL), EINVAL, "a fourth timer: EINVAL");
    fails(getitimer(-1, &set), EINVAL, "a timer before the first: EINVAL");
    alarm(5);
    pid_t pid = fork();
    if (pid == 0)
        _exit(alarm(0));
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "a child does not inherit an alarm");
    between(4, alarm(0), 5, "the parent keeps it");
}

static void cpu_itimer_check(void)
{
    struct itimerval set = {{0, 20000}, {0, 20000}}, none = {0};
    handle(SIGVTALRM);
    setitimer(ITIMER_VIRTUAL, &set, NULL);
    nap(100);
    is(arrived, 0, "ITIMER_VIRTUAL does not run while its process sleeps");
    burn_until(&arrived, 3);
    ok(arrived >= 3, "but while it computes");
    setitimer(ITIMER_VIRTUAL, &none, NULL);
    handle(SIGPROF);
    setitimer(ITIMER_PROF, &set, NULL);
    burn_until(&arrived, 3);
    ok(arrived >= 3, "ITIMER_PROF, too");
    setitimer(ITIMER_PROF, &none, NULL);
}

static timer_t make(clockid_t clock, int notify, int signal, int with)
{
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_int = with};
    timer_t timer;
    return timer_create(clock, &event, &timer) ? (timer_t)-1 : timer;
}

static void set(timer_t timer, long first_ms, long interval_ms)
{
    struct itimerspec times = {{interval_ms / 1000, interval_ms % 1000 * MS},
                               {first_ms / 1000, first_ms % 1000 * MS}};
    timer_settime(timer, 0, &times, NULL);
}

static void posix_check(int signal, clockid_t clock, const char *what)
{
    struct itimerspec left;
    sigset_t one, old;
    handle(signal);
    timer_t timer = make(clock, SIGEV_SIGNAL, signal, 42);
    ok(timer != (timer_t)-1, "timer_create on %s", what);
    long start = now(CLOCK_MONOTONIC);
    set(timer, 30, 50);
    timer_gettime(timer, &left);
    ok(left.it_interval.tv_nsec == 50 * MS && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30 * MS,
       "timer_gettime tells interval and rest");
    if (clock == CLOCK_PROCESS_CPUTIME_ID)
        burn_until(&arrived, 3);
    else
        nap(200);
    ok(arrived >= 2 && arrived <= expirations(start), "it sends its signal each time (%d)", (int)arrived);
    ok(code == SI_TIMER && value == 42, "with SI_TIMER and its value");

    sigemptyset(&one);
    sigaddset(&one, signal);
    sigprocmask(SIG_BLOCK, &one, &old);
    arrived = overruns = 0;
    set(timer, 20, 20);
    start = now(clock);
    while (now(clock) - start < 130 * MS)
        ;
    struct itimerspec none = {0};
    timer_settime(timer, 0, &none, &left);
    ok(left.it_interval.tv_nsec == 20 * MS, "timer_settime tells the old one");
    if (clock != CLOCK_PROCESS_CPUTIME_ID) {
        set(timer, 20, 20);
        nap(130);
        sigprocmask(SIG_SETMASK, &old, NULL);
        ok(arrived >= 1 && arrived + overruns >= 5,
           "blocked, its expiries add up: %d and %d overruns", (int)arrived,
           (int)overruns);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(timer_delete(timer), 0, "timer_delete");
    fails(syscall(SYS_timer_delete, (int)(long)timer), EINVAL, "once: EINVAL");
}

// The numbers that clock_getcpuclockid(3) makes of "this process", which C libraries use as well; three ways to count.
static void own_clocks_check(void)
{
    static const struct {
        int what;
        const char *name;
    } kinds[] = { { 2, "run time" }, { 1, "ticks in user mode" }, { 0, "ticks in all" } };
    handle(SIGUSR1);
    for (int i = 0; i < 6; i++) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        int clock = (i < 3 ? ~0 : ~getpid()) * 8 | kinds[i % 3].what;
        int timer = -1, before = arrived;
        struct itimerspec when = {{0, 0}, {0, 30 * MS}}, left;
        if (!is(syscall(SYS_timer_create, clock, &event, &timer), 0, "a timer on this process's clock of %s", kinds[i % 3].name))
            continue;
        syscall(SYS_timer_settime, timer, 0, &when, NULL);
        syscall(SYS_timer_gettime, timer, &left);
        ok(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 50 * MS, "has some of it left");
        long start = now(clock);
        burn_until(&arrived, before + 1);
        between(10 * MS, now(clock) - start, 25 * 30 * MS, "and runs out when it has passed");
        syscall(SYS_timer_delete, timer);
    }
}

static void posix_corners(void)
{
    struct itimerspec times = {{0}, {0, 30 * MS}}, left;
    timer_t timer;
    is(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0, "a timer without an event");
    handle(SIGALRM);
    timer_settime(timer, 0, &times, NULL);
    nap(80);
    is(arrived, 1, "sends SIGALRM");
    timer_gettime(timer, &left);
    ok(!left.it_value.tv_nsec && !left.it_value.tv_sec, "run out, it is not set");
    arrived = 0;
    clock_gettime(CLOCK_MONOTONIC, &times.it_value);
    times.it_value.tv_sec--;
    timer_settime(timer, TIMER_ABSTIME, &times, NULL);
    nap(50);
    is(arrived, 1, "an absolute time that is past runs out at once");
    times.it_value.tv_nsec = -1;
    fails(timer_settime(timer, 0, &times, NULL), EINVAL, "an improper time: EINVAL");
    pid_t pid = fork();
    if (pid == 0)
        _exit(timer_gettime(timer, &left) == -1 && errno == EINVAL ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "a child does not inherit timers");
    timer_delete(timer);
    timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    set(timer, 5000, 0);
    timer_gettime(timer, &left);
    between(4, left.it_value.tv_sec, 5, "SIGEV_NONE counts down in silence");
    timer_delete(timer);
    struct sigevent bad = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 70};
    fails(timer_create(CLOCK_MONOTONIC, &bad, &timer), EINVAL, "signal 70: EINVAL");
    fails(timer_create(77, NULL, &timer), EINVAL, "clock 77: EINVAL");
}

static void clock_check(void)
{
    static const clockid_t clocks[] = {
        CLOCK_REALTIME, CLOCK_MONOTONIC,        CLOCK_MONOTONIC_RAW,   CLOCK_BOOTTIME,
        CLOCK_TAI,      CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE,
    };
    struct timespec resolution;
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        long before = now(clocks[i]);
        nap(30);
        between(15 * MS, now(clocks[i]) - before, 2000 * MS, "clock %d goes on", clocks[i]);
        is(clock_getres(clocks[i], &resolution), 0, "it has a resolution");
    }
    fails(now(99), EINVAL, "clock 99: EINVAL");
    long before = now(CLOCK_PROCESS_CPUTIME_ID);
    nap(100);
    between(0, now(CLOCK_PROCESS_CPUTIME_ID) - before, 50 * MS, "CPU time stands still in a sleep");
    before = now(CLOCK_PROCESS_CPUTIME_ID);
    while (now(CLOCK_PROCESS_CPUTIME_ID) - before < 50 * MS)
        ;
    clockid_t own;
    is(clock_getcpuclockid(0, &own), 0, "clock_getcpuclockid");
    before = now(CLOCK_PROCESS_CPUTIME_ID);
    between(0, now(own) - before, 50 * MS, "names the same clock");
    struct tms times_used;
    ok(times(&times_used) > 0 && times_used.tms_utime + times_used.tms_stime >= 5, "times tells ticks");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    ok(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 50000,
       "getrusage as well");
}

// Intervals so short that nothing else would run if each expiry were an interrupt.
static void storm_check(int signal)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
    struct itimerspec set = {{0, 1}, {1, 0}}, left, unset = {{0, 0}, {0, 0}};
    struct timespec none = {0, 0};
    sigset_t mask;
    siginfo_t info = {0};
    timer_t timer;

    sigemptyset(&mask);
    sigaddset(&mask, signal);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    timer_create(CLOCK_REALTIME, &event, &timer);
    timer_settime(timer, TIMER_ABSTIME, &set, NULL);
    nap(20);
    is(sigwaitinfo(&mask, &info), signal, "a timer that runs out each nanosecond since 1970");
    is(info.si_overrun, INT32_MAX, "has overrun as often as can be told");
    is(timer_getoverrun(timer), INT32_MAX, "timer_getoverrun says so, too");
    timer_delete(timer);
    while (sigtimedwait(&mask, &info, &none) > 0)
        ;
    sigprocmask(SIG_UNBLOCK, &mask, NULL);

    handle(signal);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    set.it_value = set.it_interval = (struct timespec){0, 1000};
    timer_settime(timer, 0, &set, NULL);
    nap(20);
    ok(arrived > 1, "with a handler it comes again and again");
    timer_settime(timer, 0, &unset, NULL);
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    timer_settime(timer, 0, &set, NULL);
    nap(20);
    timer_gettime(timer, &left);
    ok(left.it_interval.tv_nsec == 1000, "ignored, it leaves time for others");
    timer_delete(timer);

    event.sigev_notify = SIGEV_NONE;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &set, NULL);
    nap(20);
    timer_gettime(timer, &left);
    between(1, left.it_value.tv_nsec, 1000, "one without a signal tells what is left of its interval");
    timer_delete(timer);
}

static void itimer_storm_check(void)
{
    struct itimerval set = {{0, 1}, {0, 1}}, unset = {{0, 0}, {0, 0}};
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGALRM);
    handle(SIGALRM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    setitimer(ITIMER_REAL, &set, NULL);
    for (long end = now(CLOCK_MONOTONIC) + 20 * MS; now(CLOCK_MONOTONIC) < end;)
        ;
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    ok(arrived >= 1, "an itimer whose signal is blocked waits");
    burn_until(&arrived, 5);
    ok(arrived >= 5, "and goes on when it is let through");
    setitimer(ITIMER_REAL, &unset, NULL);
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &set, NULL);
    nap(20);
    ok(setitimer(ITIMER_REAL, &unset, NULL) == 0, "ignored, it leaves time for others");
    signal(SIGALRM, SIG_DFL);
}

/* The best of several: the machine may be held up at any time, but not each time. */
static void fineness_check(void)
{
    long best_sleep = 1000 * MS, best_poll = 1000 * MS, early = 0;
    struct timespec wanted = {0, MS};

    for (int i = 0; i < 20; i++) {
        long start = now(CLOCK_MONOTONIC), took;
        nanosleep(&wanted, NULL);
        took = now(CLOCK_MONOTONIC) - start;
        early += took < MS;
        best_sleep = took < best_sleep ? took : best_sleep;
        start = now(CLOCK_MONOTONIC);
        poll(NULL, 0, 1);
        took = now(CLOCK_MONOTONIC) - start;
        early += took < MS;
        best_poll = took < best_poll ? took : best_poll;
    }
    ok(best_sleep < 3 * MS, "a sleep of 1 ms takes about that, not a clock tick (%ld us)", best_sleep / 1000);
    ok(best_poll < 3 * MS, "and so does a poll (%ld us)", best_poll / 1000);
    is(early, 0, "none ends too early");
}

static void limit_body(void *arg)
{
    struct rlimit limit = {1, 2};
    (void)arg;
    signal(SIGXCPU, SIG_DFL);
    setrlimit(RLIMIT_CPU, &limit);
    for (;;)
        ;
}

int main(void)
{
    tap_begin();
    itimer_check();
    cpu_itimer_check();
    posix_check(SIGUSR1, CLOCK_MONOTONIC, "CLOCK_MONOTONIC");
    posix_check(SIGRTMIN + 1, CLOCK_REALTIME, "CLOCK_REALTIME, with a real-time signal");
    posix_check(SIGUSR2, CLOCK_PROCESS_CPUTIME_ID, "the process's CPU time");
    own_clocks_check();
    posix_corners();
    clock_check();
    fineness_check();
    storm_check(SIGUSR1);
    storm_check(SIGRTMIN + 2);
    itimer_storm_check();
    ok(killed_by(child_run(limit_body, NULL), SIGXCPU), "RLIMIT_CPU ends in SIGXCPU");
    return tap_end();
}
