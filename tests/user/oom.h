// SPDX-License-Identifier: MIT
//
// Processes for the OOM killer: hogs of a known size and dislike, and the kernel's log of what became
// of them. Whoever includes this opens with oom_begin(): the test itself is then out of the killer's
// reach, and its children are as attractive as they say.
#ifndef TESTS_USER_OOM_H
#define TESTS_USER_OOM_H

#include <poll.h>
#include <sys/klog.h>
#include <time.h>

#include "child.h"
#include "observe.h"
#include "sysctl.h"

enum hog_way { BY_WRITE, BY_READ_CALL, BY_POPULATE, BY_LOCK, BY_SHARED, BY_HEAP };

struct hog {
    int adj;            // its oom_score_adj
    long pages;         // how much it takes; more than there is: until it is killed
    enum hog_way way;
    int wait;           // 1: says how many pages it got and waits to be told to end
};

#define HOG_STEP 64L // pages that a hog takes at once

static inline void oom_begin(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    if (oom_adj_set(0, -1000))
        tap_bail("/proc/self/oom_score_adj");
}

// Takes `pages` more pages in the hog's way, each byte-marked where that can be. True if it got them.
static inline bool hog_take(enum hog_way way, long pages)
{
    int share = way == BY_SHARED ? MAP_SHARED : MAP_PRIVATE, more = way == BY_POPULATE ? MAP_POPULATE : 0;
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                    share | more | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    if (way == BY_LOCK)
        return mlock(at, pages * PAGE) == 0;
    if (way == BY_READ_CALL) {
        int zero = open("/dev/zero", O_RDONLY);
        bool good = read(zero, at, pages * PAGE) == pages * PAGE;
        close(zero);
        return good;
    }
    if (way != BY_POPULATE)
        region_write(at, pages, 'h');
    return true;
}

// The body of a hog, for child_start(); arg: its struct hog.
static inline void hog_body(struct link *link, void *arg)
{
    struct hog *hog = arg;
    long got = 0;
    if (oom_adj_set(0, hog->adj))
        _exit(98);
    for (; got < hog->pages; got += HOG_STEP)
        if (!hog_take(hog->way, HOG_STEP))
            break;
    if (!hog->wait)
        _exit(got >= hog->pages ? 0 : 1);
    say(link, got);
    hear(link);
}

static inline struct link hog_start(struct hog *hog)
{
    return child_start(hog_body, hog);
}

// Starts an idle hog of `pages` pages, which has them all when this returns.
static inline struct link hog_idle(int adj, long pages)
{
    struct hog hog = {.adj = adj, .pages = pages, .wait = 1};
    struct link link = hog_start(&hog);
    if (hear(&link) < pages)
        tap_bail("an idle hog");
    return link;
}

// Tells an idle hog to end and waits for it; its wait status. (Closing the pipe would not do: hogs that
// were started later hold it open.)
static inline int hog_end(struct link *link)
{
    say(link, 0);
    return child_end(link);
}

// Waits for a victim, and closes what led to it; its wait status.
static inline int hog_wait(struct link *link)
{
    int status = -1;
    waitpid(link->pid, &status, 0);
    close(link->in);
    close(link->out);
    return status;
}

// Runs a hog to its end; its wait status.
static inline int hog_run(int adj, long pages, enum hog_way way)
{
    struct hog hog = {.adj = adj, .pages = pages, .way = way};
    struct link link = hog_start(&hog);
    return hog_wait(&link);
}

// True if the child is still there.
static inline bool child_lives(struct link *link)
{
    return waitpid(link->pid, NULL, WNOHANG) == 0;
}

static inline void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

// Waits for up to `ms` milliseconds until at least `frames` frames are free; how many there are then.
static inline long frames_await(long frames, long ms)
{
    long free;
    while ((free = frames_free()) < frames && ms > 0) {
        sleep_ms(20);
        ms -= 20;
    }
    return free;
}

// ---- the kernel's log

static char oom_log[256 * 1024];

// From here on log_read() shows what comes.
static inline void log_clear(void)
{
    if (klogctl(5, NULL, 0) < 0)
        tap_bail("syslog(2), clear");
}

// The log since log_clear(), each line without level and time, as dmesg -t prints it.
static inline char *log_read(void)
{
    int size = klogctl(3, oom_log, sizeof(oom_log) - 1);
    if (size < 0)
        tap_bail("syslog(2), read all");
    oom_log[size] = 0;
    char *to = oom_log;
    for (char *from = oom_log, *next; *from; from = next) {
        next = strchr(from, '\n');
        next = next ? next + 1 : from + strlen(from);
        char *text = from;
        if (*text == '<')
            text = strchr(text, '>') + 1;
        if (*text == '[' && memchr(text, ']', next - text))
            text = (char *)memchr(text, ']', next - text) + 2;
        memmove(to, text, next - text);
        to += next - text;
    }
    *to = 0;
    return oom_log;
}

#endif
