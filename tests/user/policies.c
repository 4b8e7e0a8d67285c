// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Scheduling policies: what is refused, what fork passes on, and that priority counts.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"

static long set(int pid, int policy, int priority)
{
    return syscall(SYS_sched_setscheduler, pid, policy, &priority);
}

static long set_priority(int priority) { return syscall(SYS_sched_setparam, 0, &priority); }

static long policy_of(int pid) { return syscall(SYS_sched_getscheduler, pid); }

static long priority(void)
{
    int priority = -1;
    syscall(SYS_sched_getparam, 0, &priority);
    return priority;
}

static long interval(void)
{
    struct timespec time = {-1, -1};
    syscall(SYS_sched_rr_get_interval, 0, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void refusals(void)
{
    fails(set(0, 99, 0), EINVAL, "no such policy");
    fails(set(0, -1, 0), EINVAL, "nor this one");
    fails(set(0, SCHED_OTHER, 1), EINVAL, "SCHED_OTHER has no priority");
    fails(set(0, SCHED_FIFO, 0), EINVAL, "SCHED_FIFO has one");
    fails(set(0, SCHED_RR, 100), EINVAL, "of at most 99");
    fails(set(99999, SCHED_OTHER, 0), ESRCH, "no such process");
    fails(set(-1, SCHED_OTHER, 0), EINVAL, "no process at all");
    fails(syscall(SYS_sched_setscheduler, 0, 0, NULL), EINVAL, "no parameters");
    fails(syscall(SYS_sched_setscheduler, 0, 0, 8), EFAULT, "parameters that are nowhere");
    fails(set_priority(5), EINVAL, "a priority for SCHED_OTHER");
}

static void kept(void)
{
    is(set(0, SCHED_BATCH, 0), 0, "SCHED_BATCH");
    is(policy_of(0), SCHED_BATCH, "is kept");
    is(set(0, SCHED_RR, 7), 0, "SCHED_RR");
    is(priority(), 7, "and its priority");
    is(interval(), 100, "its slice is 100 ms");
    is(set_priority(9), 0, "another priority");
    is(policy_of(0), SCHED_RR, "leaves the policy");
    is(set(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 9), 0, "SCHED_FIFO, not for children");
    is(policy_of(0), SCHED_FIFO | SCHED_RESET_ON_FORK, "is told with the flag");
    is(interval(), 0, "no slice");
}

static void tell_policy(struct link *link, void *unused)
{
    (void)unused;
    say(link, policy_of(0));
    say(link, priority());
}

static void over_fork(void)
{
    struct link link = child_start(tell_policy, NULL);
    is(hear(&link), SCHED_OTHER, "the child starts anew");
    is(hear(&link), 0, "without priority");
    child_end(&link);
    set(0, SCHED_RR, 3);
    link = child_start(tell_policy, NULL);
    is(hear(&link), SCHED_RR, "without the flag it has the policy");
    is(hear(&link), 3, "and the priority");
    child_end(&link);
    is(set(0, SCHED_OTHER, 0), 0, "back to SCHED_OTHER");
}

static void unprivileged(struct link *link, void *unused)
{
    struct rlimit limit = {10, 10};
    (void)unused;
    setrlimit(RLIMIT_RTPRIO, &limit);
    if (setuid(1000))
        _exit(1);
    say(link, set(0, SCHED_RR, 11) ? errno : 0);
    say(link, set(0, SCHED_RR, 10) ? errno : 0);
    say(link, set(0, SCHED_OTHER, 0) ? errno : 0);
    say(link, set(getppid(), SCHED_OTHER, 0) ? errno : 0);
}

/* A loop that ends when somebody else has run. */
struct race {
    volatile int stage;
};

/* On one CPU, who has more priority runs as soon as it wakes, though the other never sleeps. */
static void priority_counts(void)
{
    struct race *race = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cpu_set_t first;
    int status;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    set(0, SCHED_FIFO, 20);
    pid_t low = fork();
    if (low == 0) {
        set(0, SCHED_FIFO, 10);
        race->stage = 1;
        while (race->stage == 1)
            ;
        _exit(race->stage);
    }
    is(race->stage, 0, "a child with the same priority waits for its turn");
    usleep(50000);
    is(race->stage, 1, "while this one sleeps, the child runs; and this one runs again though it does not sleep");
    pid_t ordinary = fork();
    if (ordinary == 0) {
        set(0, SCHED_OTHER, 0);
        race->stage = 3;
        _exit(0);
    }
    usleep(20000);
    is(race->stage, 1, "an ordinary process has to wait as long as it runs");
    race->stage = 2;
    waitpid(low, &status, 0);
    is(status, 2 << 8, "the child ends");
    waitpid(ordinary, &status, 0);
    is(race->stage, 3, "then the ordinary one runs");
    set(0, SCHED_OTHER, 0);
}

int main(void)
{
    struct link link;

    tap_begin();
    refusals();
    kept();
    over_fork();
    link = child_start(unprivileged, NULL);
    is(hear(&link), EPERM, "without privilege: no more than RLIMIT_RTPRIO");
    is(hear(&link), 0, "as much as that");
    is(hear(&link), 0, "and back");
    is(hear(&link), EPERM, "not for others");
    child_end(&link);
    priority_counts();
    return tap_end();
}
