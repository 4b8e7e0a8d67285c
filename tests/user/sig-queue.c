// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: signals
//
// Real-time signals queue, with their values and in their order; standard ones do not. Waiting for
// signals without a handler; who may pretend what in a siginfo; the limit on queued signals.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"

#define RT SIGRTMIN

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static int queue(int signal, int value)
{
    return sigqueue(getpid(), signal, (union sigval){.sival_int = value});
}

static volatile sig_atomic_t values[16], numbers[16], codes[16], arrived;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (arrived < 16) {
        numbers[arrived] = signal;
        values[arrived] = info->si_value.sival_int;
        codes[arrived] = info->si_code;
    }
    arrived++;
}

static void catch_signal(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static void order_check(void)
{
    sigset_t all, old;
    catch_signal(RT);
    catch_signal(RT + 1);
    catch_signal(SIGUSR1);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    is(queue(RT + 1, 10), 0, "sigqueue");
    for (int i = 1; i <= 3; i++)
        queue(RT, i);
    for (int i = 1; i <= 3; i++)
        queue(SIGUSR1, 20 + i);
    kill(getpid(), RT);
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(arrived, 6,
       "three of one real-time signal and one sent by kill, one of another; the standard one once");
    ok(numbers[0] == SIGUSR1 && values[0] == 21, "the standard signal came first, with its first value");
    ok(values[1] == 1 && values[2] == 2 && values[3] == 3, "the values came in the order sent");
    ok(numbers[4] == RT && codes[4] == SI_USER && codes[1] == SI_QUEUE, "si_code tells sigqueue from kill");
    ok(numbers[5] == RT + 1 && values[5] == 10, "the lower number goes first");
}

static void await_check(void)
{
    sigset_t two = set_of(RT, SIGUSR1), old, pending;
    siginfo_t info;
    struct timespec none = {0}, soon = {0, 30000000}, bad = {0, -1}, before, after;
    sigprocmask(SIG_BLOCK, &two, &old);
    fails(sigtimedwait(&two, &info, &none), EAGAIN, "sigtimedwait without a signal: EAGAIN");
    clock_gettime(CLOCK_MONOTONIC, &before);
    fails(sigtimedwait(&two, &info, &soon), EAGAIN, "after its limit: EAGAIN");
    clock_gettime(CLOCK_MONOTONIC, &after);
    ok((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 30000000,
       "not before it");
    fails(sigtimedwait(&two, &info, &bad), EINVAL, "an improper limit: EINVAL");
    queue(RT, 5);
    queue(RT, 6);
    queue(SIGUSR1, 7);
    is(sigwaitinfo(&two, &info), SIGUSR1, "sigwaitinfo takes the lowest number");
    ok(info.si_value.sival_int == 7 && info.si_code == SI_QUEUE && info.si_pid == getpid() &&
           info.si_uid == 0,
       "with value and sender");
    is(sigwaitinfo(&two, &info), RT, "then the real-time one");
    is(info.si_value.sival_int, 5, "the older of two");
    sigpending(&pending);
    ok(sigismember(&pending, RT) && !sigismember(&pending, SIGUSR1), "the other one is still pending");
    is(sigtimedwait(&two, NULL, &none), RT, "and taken without siginfo");
    sigpending(&pending);
    ok(!sigismember(&pending, RT), "now nothing is");

    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        nanosleep(&soon, NULL);
        sigqueue(parent, RT, (union sigval){.sival_int = 99});
        _exit(0);
    }
    is(sigwaitinfo(&two, &info), RT, "a sleeping sigwaitinfo is woken though the signal is blocked");
    ok(info.si_value.sival_int == 99 && info.si_pid == pid, "by the child");
    waitpid(pid, NULL, 0);

    arrived = 0;
    catch_signal(SIGUSR2);
    pid = fork();
    if (pid == 0) {
        nanosleep(&soon, NULL);
        kill(parent, SIGUSR2);
        _exit(0);
    }
    fails(syscall(SYS_rt_sigtimedwait, &two, &info, NULL, 8), EINTR,
          "another signal's handler ends it: EINTR");
    is(arrived, 1, "after it has run");
    waitpid(pid, NULL, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static long queue_raw(pid_t pid, int signal, int code, int value)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = code;
    info.si_pid = 12345;
    info.si_value.sival_int = value;
    return syscall(SYS_rt_sigqueueinfo, pid, signal, &info);
}

static void forge_check(void)
{
    sigset_t one = set_of(RT, 0), old;
    siginfo_t info;
    sigprocmask(SIG_BLOCK, &one, &old);
    fails(queue_raw(getppid(), 0, SI_USER, 0), EPERM, "nobody queues to another as if by kill: EPERM");
    fails(queue_raw(getppid(), 0, SI_TKILL, 0), EPERM, "nor as if by tkill: EPERM");
    is(queue_raw(getppid(), 0, SI_QUEUE, 0), 0, "signal 0 by sigqueue only looks");
    is(queue_raw(getpid(), RT, SI_USER, 4), 0, "to oneself anything goes");
    sigwaitinfo(&one, &info);
    ok(info.si_pid == 12345 && info.si_value.sival_int == 4, "and arrives as it was made");
    is(queue_raw(getpid(), RT, -60, 8), 0, "a code of one's own");
    sigwaitinfo(&one, &info);
    ok(info.si_code == -60 && info.si_value.sival_int == 8, "as well");
    fails(queue_raw(getpid(), 65, SI_QUEUE, 0), EINVAL, "there is no signal 65: EINVAL");
    fails(queue_raw(99999, RT, SI_QUEUE, 0), ESRCH, "nor a process 99999: ESRCH");
    fails(syscall(SYS_rt_sigqueueinfo, getpid(), RT, NULL), EFAULT, "no siginfo: EFAULT");
    memset(&info, 0, sizeof(info));
    info.si_code = SI_QUEUE;
    is(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), RT, &info), 0, "rt_tgsigqueueinfo");
    fails(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid() + 1000, RT, &info), ESRCH,
          "of no such thread: ESRCH");
    is(sigwaitinfo(&one, NULL), RT, "it came");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void limit_body(void *arg)
{
    struct rlimit limit = {5, 5};
    sigset_t one = set_of(RT, 0);
    struct timespec none = {0};
    int queued = 0, taken = 0;
    (void)arg;
    sigprocmask(SIG_BLOCK, &one, NULL);
    setrlimit(RLIMIT_SIGPENDING, &limit);
    while (queued < 100 && queue(RT, queued) == 0)
        queued++;
    if (errno != EAGAIN || queued > 5)
        _exit(100);
    if (kill(getpid(), RT)) // goes on without a record
        _exit(101);
    while (sigtimedwait(&one, NULL, &none) == RT)
        taken++;
    _exit(taken == queued ? 0 : 102);
}

static void exec_and_fork_check(void)
{
    sigset_t one = set_of(RT, 0), old, pending;
    sigprocmask(SIG_BLOCK, &one, &old);
    queue(RT, 1);
    pid_t pid = fork();
    if (pid == 0) {
        sigpending(&pending);
        _exit(sigismember(&pending, RT));
    }
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "a child has no queued signals of its parent's");
    signal(RT, SIG_IGN);
    sigpending(&pending);
    ok(!sigismember(&pending, RT), "ignoring a queued signal drops it");
    signal(RT, SIG_DFL);
    pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        raise(SIGRTMAX);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    ok(killed_by(status, SIGRTMAX) && !WCOREDUMP(status), "by default a real-time signal ends a process");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Waits for the real-time signal, tells who sent it. */
static void tell_sender(struct link *link, void *unused)
{
    sigset_t set = set_of(RT, 0);
    siginfo_t info = {0};
    (void)unused;
    say(link, 0);
    sigwaitinfo(&set, &info);
    say(link, info.si_pid);
    say(link, info.si_code);
}

static void group_check(void)
{
    sigset_t set = set_of(RT, 0), old;
    struct link links[3];
    int told = 0;

    setpgid(0, 0);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++) {
        links[i] = child_start(tell_sender, NULL);
        hear(&links[i]);
    }
    is(kill(0, RT), 0, "a real-time signal to the group");
    for (int i = 0; i < 3; i++) {
        bool known = hear(&links[i]) == getpid();
        told += known && hear(&links[i]) == SI_USER;
        child_end(&links[i]);
    }
    is(told, 3, "each of them is told who sent it");
    is(sigtimedwait(&set, NULL, &(struct timespec){0, 0}), RT, "the sender is one of them");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
    tap_begin();
    order_check();
    await_check();
    forge_check();
    is(child_run(limit_body, NULL), 0,
       "RLIMIT_SIGPENDING bounds the queue: EAGAIN; kill goes on without an entry");
    exec_and_fork_check();
    group_check();
    return tap_end();
}
