// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: signals
//
// Stopping and continuing: what wait4() and waitid() tell, what the parent's SIGCHLD says, which
// signals wake a stopped process, and what becomes of an orphaned group.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"

static volatile sig_atomic_t chld_code, chld_count, chld_status, chld_pid;

static void note_chld(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    chld_code = info->si_code;
    chld_status = info->si_status;
    chld_pid = info->si_pid;
    chld_count++;
}

static void watch_chld(int flags)
{
    struct sigaction action = {.sa_sigaction = note_chld, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    chld_count = 0;
}

static void nap(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time))
        ;
}

static pid_t spinner(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static char state_of(pid_t pid)
{
    char path[64], text[256] = "", *at;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof(text), file))
        return '?';
    fclose(file);
    at = strrchr(text, ')');
    return at ? at[2] : '?';
}

static void wait4_check(void)
{
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    int status;
    watch_chld(0);
    pid_t pid = spinner();
    for (int i = 0; i < 4; i++) {
        kill(pid, stops[i]);
        is(waitpid(pid, &status, WUNTRACED), pid, "WUNTRACED tells of a stop by signal %d", stops[i]);
        ok(WIFSTOPPED(status) && WSTOPSIG(status) == stops[i], "the status names the signal");
        ok(chld_code == CLD_STOPPED && chld_status == stops[i] && chld_pid == pid,
           "so does SIGCHLD: CLD_STOPPED");
        is(state_of(pid), 'T', "its state is T");
        is(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "a stop is told once");
        kill(pid, SIGCONT);
        is(waitpid(pid, &status, WCONTINUED), pid, "WCONTINUED tells that it goes on");
        ok(WIFCONTINUED(status) && chld_code == CLD_CONTINUED, "by status and by SIGCHLD");
        is(waitpid(pid, &status, WCONTINUED | WNOHANG), 0, "once");
    }
    kill(pid, SIGCONT);
    is(waitpid(pid, &status, WCONTINUED | WNOHANG), 0, "SIGCONT to one that runs is no news");
    watch_chld(SA_NOCLDSTOP);
    kill(pid, SIGSTOP);
    is(waitpid(pid, &status, WUNTRACED), pid, "SA_NOCLDSTOP: wait4 tells all the same");
    is(chld_count, 0, "but no SIGCHLD comes");
    kill(pid, SIGTERM);
    nap(50);
    is(state_of(pid), 'T', "SIGTERM waits for a stopped process");
    kill(pid, SIGCONT);
    is(waitpid(pid, &status, 0), pid, "after SIGCONT it ends it");
    ok(killed_by(status, SIGTERM), "by SIGTERM");
    pid = spinner();
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    ok(killed_by(status, SIGKILL), "SIGKILL ends a stopped process");
}

static void waitid_check(void)
{
    siginfo_t info;
    struct rusage usage;
    int status;
    watch_chld(0);
    pid_t pid = spinner();
    memset(&info, 0xff, sizeof(info));
    is(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), 0, "waitid(WNOHANG) without news");
    ok(info.si_pid == 0 && info.si_signo == 0, "says so by si_pid 0");
    kill(pid, SIGSTOP);
    is(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0, "waitid(WSTOPPED | WNOWAIT)");
    ok(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP && info.si_pid == pid &&
           info.si_signo == SIGCHLD,
       "tells of the stop");
    is(waitid(P_ALL, 0, &info, WSTOPPED), 0, "and, left there, again");
    is(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) | info.si_pid, 0, "but then no more");
    kill(pid, SIGCONT);
    is(waitid(P_PGID, getpgrp(), &info, WCONTINUED), 0, "waitid(P_PGID, WCONTINUED)");
    ok(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT, "CLD_CONTINUED");
    fails(waitid(P_PID, pid, &info, 0), EINVAL, "waitid without an event: EINVAL");
    fails(waitid(P_PID, 0, &info, WEXITED), EINVAL, "waitid(P_PID, 0): EINVAL");
    fails(waitid(17, 1, &info, WEXITED), EINVAL, "an unknown kind of id: EINVAL");
    fails(waitid(P_PID, 1, &info, WEXITED), ECHILD, "not a child: ECHILD");
    kill(pid, SIGTERM);
    is(syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, &usage), 0, "waitid(WEXITED | WNOWAIT)");
    ok(info.si_code == CLD_KILLED && info.si_status == SIGTERM && info.si_uid == 0, "CLD_KILLED");
    fails(waitpid(pid, &status, WUNTRACED | WNOHANG) == pid ? waitid(P_PID, pid, &info, WEXITED) : 0, ECHILD,
          "the zombie goes with the wait that takes it");
    pid = fork();
    if (pid == 0)
        _exit(7);
    is(waitid(P_PID, pid, &info, WEXITED), 0, "an exit");
    ok(info.si_code == CLD_EXITED && info.si_status == 7, "CLD_EXITED with the code");
}

static volatile sig_atomic_t conts;

static void note_cont(int signal)
{
    (void)signal;
    conts++;
}

static void discard_body(void *arg)
{
    sigset_t both, pending;
    (void)arg;
    sigemptyset(&both);
    sigaddset(&both, SIGTSTP);
    sigaddset(&both, SIGCONT);
    sigprocmask(SIG_BLOCK, &both, NULL);
    raise(SIGTSTP);
    raise(SIGCONT);
    sigpending(&pending);
    if (sigismember(&pending, SIGTSTP))
        _exit(1);
    raise(SIGTSTP);
    sigpending(&pending);
    _exit(sigismember(&pending, SIGCONT) ? 2 : 0);
}

static void caught_body(void *arg)
{
    (void)arg;
    signal(SIGCONT, note_cont);
    signal(SIGTSTP, note_cont);
    raise(SIGTSTP);
    raise(SIGCONT);
    signal(SIGTSTP, SIG_IGN);
    raise(SIGTSTP);
    _exit(conts);
}

static struct link *orphan_link;

static void tell(int signal)
{
    say(orphan_link, signal);
}

// A grandchild stops in a group of its own; when its parent ends, the group is orphaned.
static void orphan_middle(struct link *link, void *arg)
{
    int status;
    (void)arg;
    orphan_link = link;
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = {.sa_handler = tell};
        sigfillset(&action.sa_mask);
        sigaction(SIGHUP, &action, NULL);
        sigaction(SIGCONT, &action, NULL);
        say(link, getpid());
        for (;;)
            pause();
    }
    setpgid(pid, pid);
    hear(link);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    say(link, 0);
    hear(link);
}

static void orphan_check(void)
{
    int status;
    struct link link = child_start(orphan_middle, NULL);
    pid_t pid = hear(&link);
    say(&link, 0);
    hear(&link);
    is(state_of(pid), 'T', "a grandchild is stopped in its own group");
    say(&link, 0);
    is(hear(&link), SIGHUP, "its parent ends: SIGHUP to the orphaned group");
    is(hear(&link), SIGCONT, "and SIGCONT");
    kill(pid, SIGKILL);
    child_end(&link);

    // In an orphaned group, SIGTSTP does not stop; SIGSTOP does.
    pid = fork();
    if (pid == 0) {
        setsid();
        raise(SIGTSTP);
        raise(SIGTTIN);
        _exit(3);
    }
    is(waitpid(pid, &status, WUNTRACED), pid, "SIGTSTP in an orphaned group");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 3, "does nothing");
}

int main(void)
{
    int outcome;
    pid_t pid = fork(); // a group with a parent outside, other than init, is not orphaned
    if (pid) {
        waitpid(pid, &outcome, 0);
        return WIFEXITED(outcome) ? WEXITSTATUS(outcome) : 1;
    }
    setpgid(0, 0);
    tap_begin();
    signal(SIGHUP, SIG_IGN);
    wait4_check();
    waitid_check();
    signal(SIGCHLD, SIG_DFL);
    is(child_run(discard_body, NULL), 0, "stop signals and SIGCONT drive each other out");
    is(child_run(caught_body, NULL), 2 << 8, "caught, SIGTSTP does not stop and SIGCONT calls its handler");
    orphan_check();
    return tap_end();
}
