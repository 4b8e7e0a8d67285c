// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: processes
//
// Calls on processes and the machine that have no other test: clone3, prctl, arch_prctl, scheduling,
// nice values, groups and sessions, limits, names, sysinfo.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include "child.h"

// From <asm/prctl.h> and <linux/sched.h>, which the C library does not bring along.
#define ARCH_SET_GS 0x1001
#define ARCH_GET_GS 0x1004
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif
struct clone_args {
    unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    unsigned long set_tid, set_tid_size, cgroup;
};

#define RAW(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

static void clone3_check(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    struct {
        struct clone_args args;
        long more;
    } longer = {.args = args};
    int parent_tid = 0, status;
    args.flags = CLONE_PARENT_SETTID;
    args.parent_tid = (unsigned long)&parent_tid;
    long pid = RAW(clone3, &args, sizeof(args));
    if (pid == 0)
        _exit(4);
    is(waitpid(pid, &status, 0), pid, "clone3 makes a child");
    ok(WEXITSTATUS(status) == 4 && parent_tid == pid, "with its pid where the parent wants it");
    pid = RAW(clone3, &longer, sizeof(longer));
    if (pid == 0)
        _exit(5);
    is(waitpid(pid, &status, 0), pid, "a longer structure with zeroes is understood");
    longer.more = 1;
    fails(RAW(clone3, &longer, sizeof(longer)), E2BIG, "one with more to say is not: E2BIG");
    fails(RAW(clone3, &args, 8), EINVAL, "one that is too short: EINVAL");
    args.exit_signal = 65;
    fails(RAW(clone3, &args, sizeof(args)), EINVAL, "exit signal 65: EINVAL");
    signal(SIGUSR1, SIG_IGN);
    args = (struct clone_args){.exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND};
    signal(SIGUSR2, (void (*)(int))clone3_check); // any handler
    pid = RAW(clone3, &args, sizeof(args));
    if (pid == 0)
        _exit(signal(SIGUSR2, SIG_DFL) == SIG_DFL && signal(SIGUSR1, SIG_DFL) == SIG_IGN ? 0 : 1);
    waitpid(pid, &status, 0);
    is(status, 0, "CLONE_CLEAR_SIGHAND: handlers go, what is ignored stays");
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void middle_body(struct link *link, void *arg)
{
    (void)arg;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say(link, getpid());
        for (;;)
            pause();
    }
    hear(link);
}

static void prctl_check(void)
{
    int number = -1, status;
    is(prctl(PR_GET_DUMPABLE), 1, "a process is dumpable");
    is(prctl(PR_SET_DUMPABLE, 0), 0, "but need not be");
    is(prctl(PR_GET_DUMPABLE), 0, "as it says");
    fails(prctl(PR_SET_DUMPABLE, 5), EINVAL, "5 is no answer: EINVAL");
    prctl(PR_SET_DUMPABLE, 1);
    is(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0, "a signal for the parent's death");
    prctl(PR_GET_PDEATHSIG, &number);
    is(number, SIGUSR1, "is kept");
    fails(prctl(PR_SET_PDEATHSIG, 100), EINVAL, "signal 100: EINVAL");
    prctl(PR_SET_PDEATHSIG, 0);
    is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0, "no_new_privs is off");
    fails(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL, "and cannot be set to off: EINVAL");

    is(prctl(PR_SET_CHILD_SUBREAPER, 1), 0, "a subreaper");
    struct link link = child_start(middle_body, NULL);
    pid_t pid = hear(&link);
    say(&link, 0);
    child_end(&link);
    is(waitpid(pid, &status, 0), pid, "gets the orphans below it");
    ok(killed_by(status, SIGKILL), "PR_SET_PDEATHSIG ended this one");
    prctl(PR_SET_CHILD_SUBREAPER, 0);

    unsigned long base = 0, old = 0;
    RAW(arch_prctl, ARCH_GET_GS, &old);
    is(RAW(arch_prctl, ARCH_SET_GS, &base), 0, "arch_prctl(ARCH_SET_GS)");
    base = 4711;
    unsigned long through_gs;
    struct timespec tick = {0, 20000000};
    nanosleep(&tick, NULL);
    __asm__("movq %%gs:0, %0" : "=r"(through_gs));
    is(through_gs, 4711, "reaches memory through gs, also after a sleep");
    RAW(arch_prctl, ARCH_GET_GS, &through_gs);
    is(through_gs, (long)&base, "ARCH_GET_GS tells it");
    RAW(arch_prctl, ARCH_SET_GS, old);
    fails(RAW(arch_prctl, 0x9999, 0), EINVAL, "an unknown code: EINVAL");
}

static void sched_check(void)
{
    unsigned long mask[16] = {0};
    struct sched_param param = {.sched_priority = 9};
    struct timespec slice;
    unsigned cpu = 9, node = 9;
    ok(RAW(sched_getaffinity, 0, sizeof(mask), mask) > 0 && (mask[0] & 1), "sched_getaffinity: CPU 0");
    is(RAW(sched_setaffinity, 0, sizeof(long), mask), 0, "sched_setaffinity to what it was");
    mask[0] = 0;
    fails(RAW(sched_setaffinity, 0, sizeof(long), mask), EINVAL, "to no CPU: EINVAL");
    fails(RAW(sched_getaffinity, 0, 3, mask), EINVAL, "a mask of three bytes: EINVAL");
    fails(RAW(sched_getaffinity, 99999, sizeof(mask), mask), ESRCH, "of no process: ESRCH");
    is(RAW(sched_getscheduler, 0), SCHED_OTHER, "SCHED_OTHER");
    is(RAW(sched_getparam, 0, &param) | param.sched_priority, 0, "at priority 0");
    fails(RAW(sched_setscheduler, 0, 77, &param), EINVAL, "policy 77: EINVAL");
    is(sched_get_priority_max(SCHED_FIFO), 99, "real-time priorities go to 99");
    is(sched_get_priority_min(SCHED_OTHER), 0, "others have none");
    fails(sched_get_priority_max(77), EINVAL, "policy 77 still: EINVAL");
    is(RAW(sched_rr_get_interval, 0, &slice), 0, "sched_rr_get_interval");
    is(RAW(getcpu, &cpu, &node, NULL) | cpu | node, 0, "getcpu: CPU 0 of node 0");

    is(getpriority(PRIO_PROCESS, 0), 0, "nice value 0");
    is(setpriority(PRIO_PROCESS, 0, 30), 0, "setpriority");
    is(getpriority(PRIO_PROCESS, 0), 19, "19 is the highest");
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpriority(PRIO_PROCESS, 0));
    int status;
    waitpid(pid, &status, 0);
    is(status, 19 << 8, "a child inherits it");
    is(setpriority(PRIO_PGRP, 0, 0), 0, "root takes it back, for the group");
    fails(setpriority(9, 0, 0), EINVAL, "a ninth kind: EINVAL");
    fails(setpriority(PRIO_PROCESS, 99999, 0), ESRCH, "no such process: ESRCH");
}

static void group_body(struct link *link, void *arg)
{
    (void)arg;
    say(link, getsid(0) == getsid(getppid()) && getpgid(0) == getpgid(getppid()));
    say(link, setpgid(0, 0) == 0 && getpgrp() == getpid());
    say(link, setsid() == -1 && errno == EPERM);
    hear(link);
    say(link, setpgid(0, getppid() + 1000) == -1 && errno == EPERM);
    pid_t pid = fork();
    if (pid == 0)
        _exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() &&
                      setpgid(0, 0) == -1 && errno == EPERM ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    say(link, status == 0);
}

static void group_check(void)
{
    struct link link = child_start(group_body, NULL);
    is(hear(&link), 1, "a child is in its parent's group and session");
    is(hear(&link), 1, "setpgid(0, 0) makes a group of its own");
    is(hear(&link), 1, "whose leader cannot start a session: EPERM");
    is(getpgid(link.pid), link.pid, "the parent sees the group");
    fails(setpgid(99999, 0), ESRCH, "setpgid of no process: ESRCH");
    fails(setpgid(getppid(), 0), ESRCH, "of what is not a child: ESRCH");
    fails(setpgid(0, -1), EINVAL, "to a negative group: EINVAL");
    fails(getsid(99999), ESRCH, "getsid of no process: ESRCH");
    say(&link, 0);
    is(hear(&link), 1, "a group that does not exist: EPERM");
    is(hear(&link), 1, "setsid makes session and group; its leader stays: EPERM");
    child_end(&link);
}

// Ends by a signal where it may not read the time-stamp counter; 0 where it may, and `want` is how that reads.
static int tsc_read(int want)
{
    int mode = 0, status;
    pid_t pid = fork();
    if (pid == 0) {
        unsigned low, high;
        prctl(PR_GET_TSC, &mode);
        sched_yield();
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        _exit(mode != want);
    }
    waitpid(pid, &status, 0);
    return status;
}

static void tsc_check(void)
{
    fails(prctl(PR_SET_TSC, 3), EINVAL, "PR_SET_TSC: what is neither: EINVAL");
    is(tsc_read(PR_TSC_ENABLE), 0, "the time-stamp counter can be read");
    is(prctl(PR_SET_TSC, PR_TSC_SIGSEGV), 0, "it is taken away");
    int status = tsc_read(PR_TSC_SIGSEGV);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "from then on reading it is a SIGSEGV, for a child as well");
    is(prctl(PR_SET_TSC, PR_TSC_ENABLE), 0, "it is given back");
    is(tsc_read(PR_TSC_ENABLE), 0, "and can be read");
}


static void system_check(void)
{
    struct utsname before, after;
    struct sysinfo info;
    uname(&before);
    is(sethostname("other", 5), 0, "sethostname");
    uname(&after);
    ok(strcmp(after.nodename, "other") == 0, "uname tells it");
    fails(sethostname("x", 65), EINVAL, "65 characters: EINVAL");
    sethostname(before.nodename, strlen(before.nodename));
    is(sysinfo(&info), 0, "sysinfo");
    unsigned long ram = info.totalram * info.mem_unit;
    ok(ram > 128ul << 20 && ram <= 256ul << 20 && info.freeram < info.totalram && info.procs > 1,
       "tells RAM and processes");
    ok(RAW(personality, 0xffffffff) == 0, "personality: Linux");
    tsc_check();
    void *head = NULL;
    size_t length = 0;
    long ours[3] = {0};
    is(RAW(set_robust_list, ours, 24), 0, "set_robust_list");
    is(RAW(get_robust_list, 0, &head, &length), 0, "get_robust_list");
    ok(head == ours && length == 24, "tells it");
    fails(RAW(set_robust_list, ours, 23), EINVAL, "another length: EINVAL");

    struct rlimit limit, old;
    getrlimit(RLIMIT_CORE, &old);
    limit = (struct rlimit){5, 4};
    fails(setrlimit(RLIMIT_CORE, &limit), EINVAL, "a soft limit above the hard one: EINVAL");
    fails(getrlimit(99, &limit), EINVAL, "limit 99: EINVAL");
    fails(RAW(prlimit64, 99999, RLIMIT_CORE, NULL, &limit), ESRCH, "of no process: ESRCH");
}

int main(void)
{
    tap_begin();
    clone3_check();
    prctl_check();
    sched_check();
    group_check();
    system_check();
    return tap_end();
}
