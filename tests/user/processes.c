// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: processes
//
// Processes: fork, exit, wait and their statuses, orphans, groups, sessions, descriptors across fork.
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"
#include "observe.h"

static void exits_with(void *status)
{
    _exit((long)status);
}

static void kills_itself(void *signal)
{
    kill(getpid(), (long)signal);
    for (;;)
        pause();
}

static void statuses_check(void)
{
    is(WEXITSTATUS(child_run(exits_with, (void *)0)), 0, "exit status 0");
    is(WEXITSTATUS(child_run(exits_with, (void *)200)), 200, "exit status 200");
    is(WEXITSTATUS(child_run(exits_with, (void *)0x1ff)), 255, "only its low byte counts");
    ok(killed_by(child_run(kills_itself, (void *)SIGTERM), SIGTERM), "death by SIGTERM");
    ok(killed_by(child_run(kills_itself, (void *)SIGKILL), SIGKILL), "death by SIGKILL");
}

static void waiting_check(void)
{
    int status = -1;
    fails(waitpid(-1, &status, 0), ECHILD, "no child to wait for: ECHILD");
    fails(waitpid(1, &status, 0), ECHILD, "nor can one wait for a stranger: ECHILD");
    pid_t first = fork();
    if (first == 0)
        _exit(1);
    pid_t second = fork();
    if (second == 0) {
        pause();
        _exit(2);
    }
    is(waitpid(second, &status, WNOHANG), 0, "WNOHANG returns 0 while the child runs");
    is(waitpid(first, &status, 0), first, "wait for a certain child");
    kill(second, SIGKILL);
    is(waitpid(-1, &status, 0), second, "wait for any child");
    ok(killed_by(status, SIGKILL), "with its status");
    fails(waitpid(second, &status, 0), ECHILD, "a child is waited for once: ECHILD");
}

static void grandchild_reports(struct link *link, void *arg)
{
    struct timespec nap = {0, 5 * 1000 * 1000};
    pid_t mother = getpid();
    (void)arg;
    if (fork() == 0) {
        for (int i = 0; i < 400 && getppid() == mother; i++)
            nanosleep(&nap, NULL);
        say(link, getppid());
    }
}

static void family_check(void)
{
    struct link link = child_start(grandchild_reports, NULL);
    int status;
    waitpid(link.pid, &status, 0);
    is(hear(&link), 1, "an orphan becomes a child of init");
    close(link.in);
    close(link.out);
    pid_t me = getpid(), pid = fork();
    if (pid == 0)
        _exit(getppid() == me && getpid() != me && syscall(SYS_gettid) == getpid() ? 0 : 1);
    waitpid(pid, &status, 0);
    is(status, 0, "pids of parent and child are right in the child");
}

static void groups(void *arg)
{
    (void)arg;
    if (setpgid(0, 0) || getpgid(0) != getpid())
        _exit(1);
    _exit(0);
}

static void session(void *arg)
{
    (void)arg;
    _exit(setsid() == getpid() && getpgid(0) == getpid() && setsid() == -1 && errno == EPERM ? 0 : 1);
}

static void group_kill_check(void)
{
    pid_t each[3], group = 0;
    for (int i = 0; i < 3; i++) {
        each[i] = fork();
        if (each[i] == 0)
            for (;;)
                pause();
        group = group ? group : each[i];
        setpgid(each[i], group);
    }
    is(kill(-group, SIGTERM), 0, "a signal to a process group");
    int dead = 0, status;
    for (int i = 0; i < 3; i++)
        dead += waitpid(-group, &status, 0) > 0 && killed_by(status, SIGTERM);
    is(dead, 3, "reaches all three of it");
}

static void deep_family(void *depth)
{
    if ((long)depth == 0)
        _exit(3);
    int status = child_run(deep_family, (void *)((long)depth - 1));
    _exit(WEXITSTATUS(status) + 1);
}

static void descriptors(void *arg)
{
    int *fds = arg;
    char got[2] = "";
    _exit(read(fds[0], got, 2) == 2 && got[0] == 'a' && close(fds[1]) == 0 ? 0 : 1);
}

#define HOLES_FROM 10
#define HOLES_TO 40

// How many of the descriptors between are open.
static int open_between(void)
{
    int open = 0;
    for (int fd = HOLES_FROM; fd <= HOLES_TO; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

static void holes(void *arg)
{
    int *fds = arg;
    _exit(open_between() != 1 || dup(fds[0]) >= HOLES_FROM || close(HOLES_TO) || open_between() ||
          dup2(fds[0], HOLES_TO - 1) < 0 || open_between() != 1);
}

// What was open and is closed stays so when a table grows again, or is copied.
static void holes_check(int *fds)
{
    for (int fd = HOLES_FROM; fd <= HOLES_TO; fd++)
        dup2(fds[0], fd);
    is(open_between(), HOLES_TO - HOLES_FROM + 1, "descriptors up to a high one");
    for (int fd = HOLES_FROM; fd <= HOLES_TO; fd++)
        close(fd);
    is(open_between(), 0, "closed again");
    dup2(fds[0], HOLES_TO);
    is(open_between(), 1, "the high one alone is opened again");
    is(child_run(holes, fds), 0, "a child has that one alone, and may open and close its own");
    is(open_between(), 1, "which changes nothing for the parent");
    close(HOLES_TO);
}

int main(void)
{
    tap_begin();
    statuses_check();
    waiting_check();
    family_check();
    is(child_run(groups, NULL), 0, "setpgid makes a group of one's own");
    is(child_run(session, NULL), 0, "setsid makes a session, once");
    group_kill_check();
    is(WEXITSTATUS(child_run(deep_family, (void *)20)), 23, "twenty generations, each waits for the next");

    int ends[2];
    char rest[4] = "";
    if (pipe(ends) || write(ends[1], "abcd", 4) != 4)
        tap_bail("pipe");
    is(child_run(descriptors, ends), 0, "a child reads from an inherited pipe");
    ok(read(ends[0], rest, 4) == 2 && rest[0] == 'c', "the parent reads what is left");
    is(write(ends[1], "e", 1), 1, "the child's close did not close the parent's end");
    holes_check(ends);
    return tap_end();
}
