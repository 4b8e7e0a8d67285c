// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Setting the wall clock: who may, to what; and that sleeps and timers set to a time of it follow,
// while others do not notice.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "child.h"

#define HOUR 3600

static long seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec;
}

static int set(clockid_t clock, long sec, long nsec)
{
    return syscall(SYS_clock_settime, clock, &(struct timespec){sec, nsec});
}

static int set_day(long sec, long usec)
{
    return syscall(SYS_settimeofday, &(struct timeval){sec, usec}, NULL);
}

static void refusals(void)
{
    struct timezone far = {.tz_minuteswest = 15 * 60 + 1};

    fails(set(CLOCK_REALTIME, -1, 0), EINVAL, "before 1970");
    fails(set(CLOCK_REALTIME, 1, 1000000000), EINVAL, "a second of nanoseconds");
    fails(set(CLOCK_REALTIME, 0, 0), EINVAL, "before the machine was switched on");
    fails(set(CLOCK_MONOTONIC, 1, 0), EINVAL, "a clock that cannot be set");
    fails(set(CLOCK_PROCESS_CPUTIME_ID, 1, 0), EINVAL, "nor this one");
    fails(set(99, 1, 0), EINVAL, "no such clock");
    fails(syscall(SYS_clock_settime, CLOCK_REALTIME, 8), EFAULT, "a time that is nowhere");
    fails(set_day(-1, 0), EINVAL, "settimeofday: before 1970");
    fails(set_day(1, 1000001), EINVAL, "more than a second of microseconds");
    fails(set_day(1, -1), EINVAL, "less than none");
    fails(syscall(SYS_settimeofday, 8, NULL), EFAULT, "nowhere");
    fails(syscall(SYS_settimeofday, NULL, &far), EINVAL, "a time zone beyond the Earth");
    is(syscall(SYS_settimeofday, NULL, NULL), 0, "nothing to set");
}

static void unprivileged(struct link *link, void *unused)
{
    long now = seconds(CLOCK_REALTIME);
    (void)unused;
    if (setuid(1000))
        _exit(1);
    say(link, set(CLOCK_REALTIME, now, 0) ? errno : 0);
    say(link, set_day(now, 0) ? errno : 0);
    say(link, set_day(-1, 0) ? errno : 0);
}

static volatile sig_atomic_t arrived;

static void note(int signal)
{
    (void)signal;
    arrived++;
}

static timer_t timer(clockid_t clock, int flags, long sec)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec when = {.it_value = {sec, 0}};
    timer_t id;
    timer_create(clock, &event, &id);
    timer_settime(id, flags, &when, NULL);
    return id;
}

static void set_later(struct link *link, void *unused)
{
    (void)unused;
    hear(link);
    usleep(50000);
    say(link, set(CLOCK_REALTIME, seconds(CLOCK_REALTIME) + HOUR, 0));
}

/* The clock jumps an hour ahead while the parent sleeps until a time in between. */
static void sleeper(clockid_t clock, const char *name)
{
    struct link link = child_start(set_later, NULL);
    struct timespec until = {seconds(CLOCK_REALTIME) + HOUR / 2, 0};
    long start = seconds(CLOCK_MONOTONIC);

    say(&link, 0);
    is(clock_nanosleep(clock, TIMER_ABSTIME, &until, NULL), 0, "%s: a sleep until half an hour later", name);
    ok(seconds(CLOCK_MONOTONIC) - start < 10, "ends when the clock is set ahead");
    is(hear(&link), 0, "as it was");
    child_end(&link);
}

static void timers(void)
{
    long now = seconds(CLOCK_REALTIME);
    timer_t by_wall = timer(CLOCK_REALTIME, TIMER_ABSTIME, now + HOUR / 2);
    timer_t by_length = timer(CLOCK_REALTIME, 0, HOUR / 2);
    timer_t by_boot = timer(CLOCK_MONOTONIC, 0, HOUR / 2);
    struct itimerspec left;

    is(set(CLOCK_REALTIME, now - HOUR / 4, 0), 0, "set the clock back");
    timer_gettime(by_wall, &left);
    between(HOUR * 3 / 4 - 10, left.it_value.tv_sec, HOUR * 3 / 4, "what was set to a time of it is farther away");
    is(set(CLOCK_REALTIME, now + HOUR, 0), 0, "and ahead");
    for (int i = 0; i < 100 && !arrived; i++)
        usleep(10000);
    is(arrived, 1, "it runs out");
    timer_gettime(by_length, &left);
    between(HOUR / 2 - 10, left.it_value.tv_sec, HOUR / 2, "what was set for a time is not");
    timer_gettime(by_boot, &left);
    between(HOUR / 2 - 10, left.it_value.tv_sec, HOUR / 2, "nor what goes by another clock");
    timer_delete(by_wall);
    timer_delete(by_length);
    timer_delete(by_boot);
}

int main(void)
{
    long before, boot;

    tap_begin();
    signal(SIGUSR1, note);
    refusals();
    struct link link = child_start(unprivileged, NULL);
    is(hear(&link), EPERM, "clock_settime without privilege");
    is(hear(&link), EPERM, "settimeofday without privilege");
    is(hear(&link), EINVAL, "but what makes no sense is told first");
    child_end(&link);

    before = seconds(CLOCK_REALTIME);
    boot = seconds(CLOCK_MONOTONIC);
    is(set(CLOCK_REALTIME, before + 2 * HOUR, 0), 0, "set the clock");
    between(before + 2 * HOUR, seconds(CLOCK_REALTIME), before + 2 * HOUR + 5, "it says so");
    between(before + 2 * HOUR, time(NULL), before + 2 * HOUR + 5, "time says so, too");
    between(boot, seconds(CLOCK_MONOTONIC), boot + 5, "the time since boot goes on");
    is(set_day(before, 0), 0, "and back by settimeofday");
    between(before, seconds(CLOCK_REALTIME), before + 5, "it says so");
    sleeper(CLOCK_REALTIME, "CLOCK_REALTIME");
    timers();
    set(CLOCK_REALTIME, before, 0);
    return tap_end();
}
