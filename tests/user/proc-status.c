// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// /proc/PID/statm, stat and status, of oneself, of a child and of a zombie; /proc itself.
#include <dirent.h>
#include <time.h>

#include "child.h"
#include "observe.h"

static char path[64];

static char *proc(pid_t pid, const char *file)
{
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    return observe_file(path);
}

// Field `number` (from 1) of a stat line.
static unsigned long stat_field(const char *text, int number)
{
    const char *at = strrchr(text, ')') + 2;
    for (int field = 3; field < number; field++)
        at = strchr(at, ' ') + 1;
    return strtoul(at, NULL, 10);
}

static char stat_state(const char *text)
{
    return strrchr(text, ')')[2];
}

static int words(const char *text)
{
    int count = 0;
    for (const char *at = text; *at; at++)
        count += *at != ' ' && *at != '\n' && (at == text || at[-1] == ' ');
    return count;
}

static void statm_check(void)
{
    char *text = proc(getpid(), "statm");
    is(words(text), 7, "statm has seven numbers");
    ok(strchr(text, '\n') == text + strlen(text) - 1, "and one line");
    long size = strtol(text, &text, 10), resident = strtol(text, &text, 10), shared = strtol(text, &text, 10);
    ok(size >= resident && resident >= shared && shared >= 0, "size >= resident >= shared");
    is(observe_number(proc(getpid(), "status"), "VmSize:"), size * 4, "status tells the same VmSize in kB");
    is(stat_field(proc(getpid(), "stat"), 23), size * PAGE, "stat field 23 the same in bytes");
}

static void stat_check(void)
{
    char start[64];
    char *text = proc(getpid(), "stat");
    snprintf(start, sizeof(start), "%d (proc-status) R %d ", (int)getpid(), (int)getppid());
    ok(strncmp(text, start, strlen(start)) == 0, "stat begins with pid, name in parentheses, state, parent");
    is(words(text), 52, "it has 52 fields");
    is(stat_field(text, 5), getpgrp(), "field 5 is the process group");
    is(stat_field(text, 20), 1, "field 20: one thread");
    is(stat_field(text, 25), RLIM_INFINITY, "field 25: no limit on RSS");
    unsigned long code = (unsigned long)stat_check;
    ok(stat_field(text, 26) <= code && code < stat_field(text, 27), "fields 26 and 27 hold the text");
}

static void status_check(void)
{
    static const char *const keys[] = {
        "Name:\tproc-status\n", "\nState:\tR (running)\n", "\nTgid:\t", "\nPid:\t", "\nPPid:\t",
        "\nUid:\t0\t0\t0\t0\n", "\nVmPeak:\t", "\nVmSize:\t", "\nVmHWM:\t", "\nVmRSS:\t",
        "\nRssAnon:\t", "\nVmData:\t", "\nVmStk:\t", "\nVmExe:\t", "\nVmPTE:\t", "\nThreads:\t1\n",
        "\nSigPnd:\t", "\nSigBlk:\t", "\nSigIgn:\t", "\nSigCgt:\t",
    };
    const int count = sizeof(keys) / sizeof(keys[0]);
    char *at = proc(getpid(), "status");
    int found = 0;
    for (int i = 0; i < count; i++) {
        char *next = strstr(at, keys[i]);
        if (next)
            at = next, found++;
        else
            tap_note("status lacks %s, or has it too early", keys[i] + (keys[i][0] == '\n'));
    }
    is(found, count, "status has its lines in Linux's order");
    is(observe_number(proc(getpid(), "status"), "\nPid:"), getpid(), "Pid is the pid");
    is(observe_number(proc(getpid(), "status"), "\nPPid:"), getppid(), "PPid is the parent's");
}

static void child_sleeps(struct link *link, void *arg)
{
    (void)arg;
    say(link, 1);
    hear(link);
}

static void child_check(void)
{
    struct link link = child_start(child_sleeps, NULL);
    struct timespec nap = {0, 20 * 1000 * 1000};
    hear(&link);
    nanosleep(&nap, NULL);
    is(stat_state(proc(link.pid, "stat")), 'S', "a child that waits is sleeping");
    is(stat_field(proc(link.pid, "stat"), 4), getpid(), "its parent is this process");
    ok(rss_all(link.pid) > 0, "it has pages of its own account");
    say(&link, 1);
    nanosleep(&nap, NULL);
    is(stat_state(proc(link.pid, "stat")), 'Z', "ended but not waited for it is a zombie");
    ok(strcmp(proc(link.pid, "statm"), "0 0 0 0 0 0 0\n") == 0, "that holds no memory");
    ok(strstr(proc(link.pid, "status"), "State:\tZ (zombie)\n") &&
           !strstr(proc(link.pid, "status"), "VmSize:"),
       "status says so too");
    ok(proc(link.pid, "maps")[0] == 0, "its maps is empty");
    child_end(&link);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)link.pid);
    fails(open(path, O_RDONLY), ENOENT, "waited for, it is gone: ENOENT");
}

static void directory_check(void)
{
    char target[32] = "", number[32];
    snprintf(number, sizeof(number), "%d", (int)getpid());
    is(readlink("/proc/self", target, sizeof(target) - 1), strlen(number), "/proc/self is a link");
    is(strcmp(target, number), 0, "to one's own pid");
    DIR *directory = opendir("/proc");
    int me = 0, init = 0, meminfo = 0;
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        me += strcmp(entry->d_name, number) == 0;
        init += strcmp(entry->d_name, "1") == 0;
        meminfo += strcmp(entry->d_name, "meminfo") == 0;
    }
    ok(me == 1 && init == 1 && meminfo == 1, "/proc lists this process, init and meminfo, each once");
    closedir(directory);
}

int main(void)
{
    tap_begin();
    observe_settle();
    statm_check();
    stat_check();
    status_check();
    child_check();
    directory_check();
    return tap_end();
}
