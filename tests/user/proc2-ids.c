// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: processes
//
// User and group ids: who may set what, and what an ordinary user may not do to others.
#define _GNU_SOURCE
#include <grp.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"

// libc's own wrappers go by threads; the calls themselves are what is tested.
#define RAW(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

static void reads(uid_t real, uid_t effective, uid_t saved, const char *what)
{
    uid_t got[3] = {77, 77, 77};
    getresuid(&got[0], &got[1], &got[2]);
    ok(got[0] == real && got[1] == effective && got[2] == saved,
       "%s (%d %d %d)", what, got[0], got[1], got[2]);
}

static void as_user_body(struct link *link, void *arg)
{
    pid_t other = *(pid_t *)arg;
    struct rlimit limit;
    RAW(setgroups, 0, NULL);
    RAW(setresgid, 100, 100, 100);
    RAW(setresuid, 1000, 1000, 1000);
    say(link, kill(other, SIGTERM) == -1 && errno == EPERM);
    say(link, kill(other, 0) == -1 && errno == EPERM);
    say(link, kill(getpid(), 0) == 0);
    say(link, kill(other, SIGCONT) == 0);
    say(link, RAW(setuid, 0) == -1 && errno == EPERM);
    say(link, RAW(setgroups, 0, NULL) == -1 && errno == EPERM);
    say(link, RAW(sethostname, "x", 1) == -1 && errno == EPERM);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_max++;
    say(link, setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EPERM);
    say(link, setpriority(PRIO_PROCESS, other, 5) == -1 && errno == EPERM);
    setpriority(PRIO_PROCESS, 0, 5);
    say(link, setpriority(PRIO_PROCESS, 0, 0) == -1 && errno == EACCES);
    limit = (struct rlimit){2, 2};
    setrlimit(RLIMIT_NPROC, &limit);
    int forks = 0;
    pid_t pid;
    while (forks < 5 && (pid = fork()) > 0)
        forks++;
    if (pid == 0)
        for (;;)
            pause();
    say(link, forks == 1 && errno == EAGAIN);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
}

static void as_user_check(void)
{
    static const char *const what[] = {
        "an ordinary user may not signal root: EPERM",
        "nor ask whether he could: EPERM",
        "but himself he may",
        "and SIGCONT goes to anyone in the session",
        "setuid(0): EPERM",
        "setgroups: EPERM",
        "sethostname: EPERM",
        "a hard limit does not go up: EPERM",
        "setpriority of root's process: EPERM",
        "his own nice value only goes up: EACCES",
        "RLIMIT_NPROC bounds his processes: EAGAIN",
    };
    pid_t self = getpid();
    signal(SIGTERM, SIG_IGN);
    struct link link = child_start(as_user_body, &self);
    for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++)
        is(hear(&link), 1, "%s", what[i]);
    child_end(&link);
    signal(SIGTERM, SIG_DFL);
}

static void set_body(void *arg)
{
    (void)arg;
    is(RAW(setresuid, 10, 20, 30), 0, "root sets all three");
    reads(10, 20, 30, "and reads them back");
    is(RAW(setresuid, 30, 10, -1), 0, "an ordinary user exchanges what he has");
    reads(30, 10, 30, "-1 leaves one as it is");
    fails(RAW(setresuid, 40, -1, -1), EPERM, "another id: EPERM");
    is(RAW(setuid, 30), 0, "setuid to the saved id");
    reads(30, 30, 30, "sets the effective one only, which is all there is to set");
    fails(RAW(setreuid, 10, -1), EPERM, "an id that is gone: EPERM");
}

static void groups_check(void)
{
    enum { MOST = 65536 };
    static unsigned many[MOST + 1], got[MOST];
    unsigned few[5] = {9, 3, 7, 3, 1};
    is(RAW(setgroups, 5, few), 0, "setgroups");
    ok(RAW(getgroups, 5, got) == 5 && got[0] == 1 && got[1] == 3 && got[2] == 3 && got[3] == 7 && got[4] == 9,
       "getgroups gives them in order");
    fails(RAW(getgroups, 4, got), EINVAL, "not some of them");
    for (unsigned i = 0; i <= MOST; i++)
        many[i] = (i * 7919u + 13) % 1000003;
    fails(RAW(setgroups, MOST + 1, many), EINVAL, "65537 groups are too many");
    is(RAW(setgroups, MOST, many), 0, "65536 are not");
    bool sorted = RAW(getgroups, MOST, got) == MOST;
    for (unsigned i = 1; i < MOST; i++)
        sorted &= got[i - 1] <= got[i];
    ok(sorted, "all of them come back, in order");
    mkdir("/tmp/groups", 0070);
    chmod("/tmp/groups", 0070);
    chown("/tmp/groups", 5, many[777]);
    pid_t pid = fork();
    if (!pid) {
        RAW(setresuid, 1000, 1000, 1000);
        _exit(access("/tmp/groups", R_OK | W_OK | X_OK) ? 1 : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    is(status, 0, "each of them opens doors, in a child too");
    rmdir("/tmp/groups");
    few[2] = ~0u;
    fails(RAW(setgroups, 5, few), EINVAL, "-1 is no group");
    fails(RAW(setgroups, 5, 8), EFAULT, "groups from nowhere");
    is(RAW(getgroups, 0, NULL), MOST, "after which all is as it was");
    is(RAW(setgroups, 0, NULL), 0, "no groups");
    is(RAW(getgroups, 5, got), 0, "there are none");
}

int main(void)
{
    tap_begin();
    reads(0, 0, 0, "everything begins as root");
    is(getgid() | getegid(), 0, "in group 0");
    int lines = tap_checks, status;
    pid_t pid = fork();
    if (pid == 0) {
        tap_failures = 0;
        set_body(NULL);
        _exit(tap_failures ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    tap_checks = lines + 8;
    is(status, 0, "all that went well in the child");
    gid_t groups[3] = {5, 6, 7}, got[3] = {0};
    is(RAW(setgroups, 3, groups), 0, "setgroups");
    is(getgroups(0, NULL), 3, "getgroups counts them");
    ok(getgroups(3, got) == 3 && got[0] == 5 && got[2] == 7, "and tells them");
    fails(getgroups(2, got), EINVAL, "too little room: EINVAL");
    is(RAW(setgroups, 0, NULL), 0, "none again");
    is(RAW(setfsuid, 9), 0, "setfsuid tells the old id");
    is(RAW(setfsuid, 0), 9, "whatever happens");
    as_user_check();
    groups_check();
    return tap_end();
}
