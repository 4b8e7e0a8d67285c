// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: signals
//
// Signals: delivery, masks, nesting, the alternate stack, SIGCHLD, what a handler gets and leaves.
#define _GNU_SOURCE
#include <signal.h>
#include <time.h>
#include <ucontext.h>

#include "child.h"
#include "observe.h"

static volatile sig_atomic_t order[8], arrived;
static volatile int got_code, got_pid, got_status;
static char *volatile handler_frame, *volatile interrupted_frame;

static void note_arrival(int signal)
{
    if (arrived < 8)
        order[arrived] = signal;
    arrived++;
}

static void handle(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static void delivery_check(void)
{
    arrived = 0;
    handle(SIGUSR1, note_arrival, 0);
    raise(SIGUSR1);
    is(arrived, 1, "a signal to oneself arrives before the call returns");
    kill(getpid(), SIGUSR1);
    is(arrived, 2, "kill() as well");
    handle(SIGUSR1, SIG_IGN, 0);
    raise(SIGUSR1);
    is(arrived, 2, "an ignored signal does not");
    handle(SIGUSR1, note_arrival, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    ok(arrived == 3 && now.sa_handler == SIG_DFL, "SA_RESETHAND puts the default back");
    is(kill(getpid(), 0), 0, "signal 0 only asks whether one may");
    fails(kill(getpid(), 65), EINVAL, "there is no signal 65: EINVAL");
    fails(kill(99999, SIGUSR1), ESRCH, "nor a process 99999: ESRCH");
    struct sigaction action = {.sa_handler = note_arrival};
    fails(sigaction(SIGKILL, &action, NULL), EINVAL, "SIGKILL cannot be caught: EINVAL");
}

static void mask_check(void)
{
    sigset_t both = set_of(SIGUSR1, SIGUSR2), old, pending;
    arrived = 0;
    handle(SIGUSR1, note_arrival, 0);
    handle(SIGUSR2, note_arrival, 0);
    sigprocmask(SIG_BLOCK, &both, &old);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    is(arrived, 0, "blocked signals wait");
    sigpending(&pending);
    ok(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2), "sigpending() tells them");
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(arrived, 2, "unblocked, each arrives once");
    ok(order[0] + order[1] == SIGUSR1 + SIGUSR2, "both of them");

    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    sigprocmask(SIG_SETMASK, NULL, &all);
    ok(!sigismember(&all, SIGKILL) && !sigismember(&all, SIGSTOP), "SIGKILL and SIGSTOP are never blocked");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void nested_handler(int signal)
{
    note_arrival(signal);
    if (signal == SIGUSR1 && arrived == 1) {
        raise(SIGUSR1); // blocked while its own handler runs
        raise(SIGUSR2); // not blocked: runs now, inside this one
        note_arrival(0);
    }
}

static void nesting_check(void)
{
    arrived = 0;
    handle(SIGUSR1, nested_handler, 0);
    handle(SIGUSR2, nested_handler, 0);
    raise(SIGUSR1);
    ok(order[0] == SIGUSR1 && order[1] == SIGUSR2, "another signal's handler runs inside a handler");
    ok(order[2] == 0 && order[3] == SIGUSR1, "the same signal's runs after it");
    is(arrived, 4, "each once");

    arrived = 0;
    sigset_t usr1 = set_of(SIGUSR1, 0), old;
    sigprocmask(SIG_BLOCK, &usr1, &old);
    raise(SIGUSR1);
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        _exit(arrived);
    }
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "a child does not inherit pending signals");
    handle(SIGUSR1, SIG_IGN, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(arrived, 0, "ignoring a pending signal drops it");
}

static void mask_in_handler(int signal)
{
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    order[0] = sigismember(&now, signal);
    order[1] = sigismember(&now, SIGUSR2);
    arrived++;
}

static void handler_mask_check(void)
{
    struct sigaction action = {.sa_handler = mask_in_handler};
    action.sa_mask = set_of(SIGUSR2, 0);
    sigaction(SIGUSR1, &action, NULL);
    arrived = 0;
    raise(SIGUSR1);
    ok(arrived == 1 && order[0] && order[1], "in a handler its own signal and sa_mask are blocked");
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    ok(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2), "after it the mask is as before");
}

static void remember_frame(int signal, siginfo_t *info, void *context)
{
    char here;
    ucontext_t *user = context;
    handler_frame = &here;
    got_code = info->si_code;
    got_pid = info->si_pid;
    interrupted_frame = (char *)user->uc_mcontext.gregs[REG_RSP];
    got_status = info->si_signo == signal;
}

static void altstack_check(void)
{
    static char room[32 * 1024];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)}, now;
    is(sigaltstack(&stack, NULL), 0, "an alternate stack is set");
    struct sigaction action = {.sa_sigaction = remember_frame, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    char here;
    raise(SIGUSR1);
    between(-4096, interrupted_frame - &here, 4096, "the context tells where the stack was");
    ok(handler_frame > room && handler_frame < room + sizeof(room), "with SA_ONSTACK the handler runs on it");
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    ok(handler_frame < room || handler_frame >= room + sizeof(room), "without, on the common one");
    ok(got_code == SI_USER && got_pid == getpid() && got_status, "siginfo tells who sent it");
    sigaltstack(NULL, &now);
    ok(now.ss_sp == room && now.ss_size == sizeof(room) && now.ss_flags == 0,
       "sigaltstack() tells what is set");
    stack.ss_size = 100;
    fails(sigaltstack(&stack, NULL), ENOMEM, "a stack that is too small: ENOMEM");
}

static char *volatile way_out;

static void skip_the_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    (void)signal;
    (void)info;
    user->uc_mcontext.gregs[REG_RIP] = (long)way_out;
    user->uc_mcontext.gregs[REG_R12] = 4711;
}

static void context_check(void)
{
    long r12 = 1;
    struct sigaction action = {.sa_sigaction = skip_the_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %1\n\tmov %0, %%r12\n\txor %%eax, %%eax\n\t"
                     "movb $1, (%%rax)\n1:\tmov %%r12, %0"
                     : "+r"(r12), "=m"(way_out)
                     :
                     : "rax", "r12", "memory");
    is(r12, 4711, "what a handler writes into the context holds when it returns");
    handle(SIGSEGV, SIG_DFL, 0);
}

static void remember_child(int signal, siginfo_t *info, void *context)
{
    (void)context;
    got_code = info->si_code;
    got_pid = info->si_pid;
    got_status = info->si_status;
    note_arrival(signal);
}

static void sigchld_check(void)
{
    struct sigaction action = {.sa_sigaction = remember_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    arrived = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(6);
    int status;
    is(waitpid(pid, &status, 0), pid, "wait goes on through SIGCHLD with SA_RESTART");
    ok(arrived == 1 && got_code == CLD_EXITED && got_pid == pid && got_status == 6,
       "SIGCHLD tells of an exit");
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    ok(arrived == 2 && got_code == CLD_KILLED && got_pid == pid && got_status == SIGKILL, "and of a kill");
    handle(SIGCHLD, SIG_DFL, 0);
}

static void interrupted_check(void)
{
    int ends[2], status;
    if (pipe(ends))
        tap_bail("pipe");
    handle(SIGUSR1, note_arrival, 0);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        struct timespec nap = {0, 50 * 1000 * 1000};
        nanosleep(&nap, NULL);
        kill(parent, SIGUSR1);
        nanosleep(&nap, NULL);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    char byte;
    fails(read(ends[0], &byte, 1), EINTR, "a signal interrupts read(): EINTR");
    struct timespec long_nap = {5, 0}, rest = {0, 0};
    fails(nanosleep(&long_nap, &rest), EINTR, "and nanosleep(): EINTR");
    ok(rest.tv_sec == 4, "which tells the rest");
    waitpid(pid, &status, 0);
}

static void suspend_check(void)
{
    sigset_t usr1 = set_of(SIGUSR1, 0), old;
    handle(SIGUSR1, note_arrival, 0);
    sigprocmask(SIG_BLOCK, &usr1, &old);
    arrived = 0;
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    fails(sigsuspend(&none), EINTR, "sigsuspend() returns after a handler: EINTR");
    is(arrived, 1, "the pending signal was delivered in it");
    sigset_t now;
    sigprocmask(SIG_SETMASK, &old, &now);
    ok(sigismember(&now, SIGUSR1), "after it the mask is as before");
}

int main(void)
{
    tap_begin();
    delivery_check();
    mask_check();
    nesting_check();
    handler_mask_check();
    altstack_check();
    context_check();
    sigchld_check();
    interrupted_check();
    suspend_check();
    return tap_end();
}
