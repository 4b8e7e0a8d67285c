// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// Odd arguments to the calls on processes and signals, and which error comes first.
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"

#define NOBODY 99999

// linux/membarrier.h, which musl does not bring.
enum {
    MEMBARRIER_CMD_GLOBAL = 1,
    MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16,
};

static void sending(void)
{
    siginfo_t info = {.si_code = SI_TKILL};

    fails(kill(NOBODY, 65), ESRCH, "a wrong signal to nobody");
    fails(kill(getpid(), 65), EINVAL, "a wrong signal to somebody");
    fails(syscall(SYS_tgkill, getpid(), NOBODY, 65), ESRCH, "tgkill as well");
    fails(syscall(SYS_rt_sigqueueinfo, -1, SIGUSR1, &info), EPERM, "a forged siginfo to nobody at all");
    info.si_code = SI_QUEUE;
    fails(syscall(SYS_rt_sigqueueinfo, -1, SIGUSR1, &info), ESRCH, "an honest one");
}

static void nobody_to_kill(void *unused)
{
    (void)unused;
    _exit(setuid(1000) || kill(-1, 0) ? 1 : 0);
}

/* As the kernel passes it. */
struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

static void flags(void)
{
    struct action action = {SIG_DFL, 0xffffffff, NULL, 0};

    syscall(SYS_rt_sigaction, SIGUSR2, &action, NULL, 8);
    syscall(SYS_rt_sigaction, SIGUSR2, NULL, &action, 8);
    is(action.flags, 0xdc000807, "unknown flags of an action are taken off");
}

static char stacks[2][16384];
static stack_t shown;
static int set_within = -1;

static void on_stack(int signal)
{
    (void)signal;
    sigaltstack(NULL, &shown);
    set_within = sigaltstack(&(stack_t){.ss_sp = stacks[1], .ss_size = sizeof stacks[1]}, NULL);
}

static void auto_disarm(void)
{
    const unsigned disarm = 1u << 31; // SS_AUTODISARM
    struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = stacks[0], .ss_size = sizeof stacks[0], .ss_flags = (int)disarm};

    is(sigaltstack(&stack, NULL), 0, "an alternate stack that disarms itself");
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    is(shown.ss_flags, SS_DISABLE, "is gone while its handler runs");
    is(set_within, 0, "so that another can be set");
    sigaltstack(NULL, &shown);
    is((unsigned)shown.ss_flags, disarm, "and is back afterwards");
    ok(shown.ss_sp == stacks[0], "the same");
    stack.ss_flags = (int)(disarm | SS_ONSTACK);
    is(syscall(SYS_sigaltstack, &stack, NULL), 0, "the flag goes with the others");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static void settings(void)
{
    fails(setpgid(-1, 0), EINVAL, "setpgid of a process -1");
    fails(setpgid(-1, 5), ESRCH, "into a group");
    fails(syscall(SYS_getrandom, stacks, 16, 6), EINVAL, "getrandom: both kinds at once");
    is(prctl(PR_SET_TIMERSLACK, 100000), 0, "the slack of timers");
    is(prctl(PR_GET_TIMERSLACK), 100000, "is kept");
    is(prctl(PR_SET_TIMERSLACK, 0), 0, "0");
    is(prctl(PR_GET_TIMERSLACK), 50000, "is the default one");
    fails(prctl(PR_SET_TIMING, 1), EINVAL, "times to the nanosecond");
    is(prctl(PR_GET_TIMING), 0, "there are none");
    fails(prctl(PR_SET_THP_DISABLE, 0, 1, 0, 0), EINVAL, "huge pages: superfluous arguments");
    is(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0, "off");
    is(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1, "is kept");
    fails(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, stacks), EOPNOTSUPP, "a timer on a raw clock");
    fails(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){0, 1}, NULL), EOPNOTSUPP,
          "a sleep by a thread's CPU time");
}

static long barrier(int command, int flags) { return syscall(SYS_membarrier, command, flags, 0); }

static void barriers(void)
{
    fails(barrier(MEMBARRIER_CMD_GLOBAL, 5), EINVAL, "membarrier: flags");
    fails(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EPERM, "a barrier that is not registered");
    is(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0), 0, "register");
    is(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), 0, "and have it");
    is(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0), 0, "one for all");
    fails(barrier(3, 0), EINVAL, "two commands at once");
}

static volatile sig_atomic_t code, sender;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    code = info->si_code;
    sender = info->si_pid;
}

static void own_signals(void)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    int ends[2];

    sigaction(SIGPIPE, &action, NULL);
    pipe(ends);
    close(ends[0]);
    code = 99;
    fails(write(ends[1], "x", 1), EPIPE, "a pipe without a reader");
    ok(code == SI_USER && sender == getpid(), "SIGPIPE looks as if the writer had sent it");
    close(ends[1]);
}

static void await_death(struct link *link, void *parent)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t set, old;

    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t dying = getpid();
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            while (getppid() == dying)
                sigsuspend(&old);
            say(link, code == SI_USER && sender == dying);
            _exit(0);
        }
        usleep(50000);
        _exit(0);
    }
    (void)parent;
    waitpid(middle, NULL, 0);
    hear(link);
}

/* Each wait of 200 ms is stopped and continued on its way. */
static void wait_thrice(struct link *link, void *unused)
{
    struct timeval time = {0, 200000};
    struct timespec same = {0, 200000000};
    (void)unused;
    say(link, 0);
    say(link, poll(NULL, 0, 200));
    say(link, select(0, NULL, NULL, NULL, &time));
    say(link, ppoll(NULL, 0, &same, NULL));
}

static void over_stop(void)
{
    static const char *const names[] = {"poll", "select", "ppoll"};
    struct link link = child_start(wait_thrice, NULL);
    int status;

    hear(&link);
    for (int i = 0; i < 3; i++) {
        usleep(50000);
        kill(link.pid, SIGSTOP);
        waitpid(link.pid, &status, WUNTRACED);
        kill(link.pid, SIGCONT);
        is(hear(&link), 0, "%s goes on after a stop", names[i]);
    }
    child_end(&link);
}

int main(void)
{
    tap_begin();
    sending();
    is(child_run(nobody_to_kill, NULL), 0, "kill(-1) succeeds though it may reach nobody");
    flags();
    auto_disarm();
    settings();
    barriers();
    own_signals();
    struct link link = child_start(await_death, NULL);
    is(hear(&link), 1, "a parent's death is told as if he had sent the signal");
    say(&link, 0);
    child_end(&link);
    over_stop();
    return tap_end();
}
