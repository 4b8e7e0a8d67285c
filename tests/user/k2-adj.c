// SPDX-License-Identifier: MIT
// ram: 96M  time: 60
// not-with: zfod=off
//
// K2: oom_score_adj decides who dies; oom_score and oom_adj read and write as on Linux.
#include "oom.h"

static long machine; // pages that are free at the start

static int score(pid_t pid)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/oom_score", (int)pid);
    return file_get_number(path);
}

static void knobs_check(void)
{
    is(file_get_number("/proc/self/oom_score_adj"), -1000, "K2 oom_score_adj reads what was written");
    is(score(getpid()), 0, "K2 with -1000 oom_score is 0");
    fails(oom_adj_set(0, 1001), EINVAL, "K2 1001 is refused");
    fails(oom_adj_set(0, -1001), EINVAL, "K2 so is -1001");
    fails(file_put("/proc/self/oom_score_adj", "high\n"), EINVAL, "K2 and a word");
    is(file_get_number("/proc/self/oom_score_adj"), -1000, "K2 after that it is what it was");
    is(file_get_number("/proc/self/oom_adj"), -17, "K2 oom_adj shows -17 for -1000");
    is(file_put("/proc/self/oom_adj", "15\n"), 0, "K2 oom_adj can be written");
    is(file_get_number("/proc/self/oom_score_adj"), 1000, "K2 15 means +1000");
    is(file_get_number("/proc/self/oom_adj"), 15, "K2 and reads 15");
    is(file_put("/proc/self/oom_adj", "8\n"), 0, "K2 oom_adj 8");
    is(file_get_number("/proc/self/oom_score_adj"), 8 * 1000 / 17, "K2 is 8/17 of 1000");
    fails(file_put("/proc/self/oom_adj", "16\n"), EINVAL, "K2 oom_adj 16 is refused");
    fails(file_put("/proc/self/oom_adj", "-18\n"), EINVAL, "K2 so is -18");
    is(file_put("/proc/self/oom_adj", "-17\n"), 0, "K2 -17 is not");
    is(file_get_number("/proc/self/oom_score_adj"), -1000, "K2 and means -1000");
}

// The score as Linux works it out, from what /proc/PID/status says. -1 in place of what cannot be told.
static long predicted(pid_t pid, int adj)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    long tables = observe_number(observe_file(path), "\nVmPTE:") / 4;
    long points = rss_all(pid) + tables, total = meminfo("MemTotal:") / 4 + meminfo("SwapTotal:") / 4;
    points += adj * (total / 1000);
    return adj == -1000 ? 0 : (1000 + points * 1000 / total) * 2 / 3;
}

static void score_check(long pages)
{
    static const int adjs[] = {-1000, -999, -500, -100, 0, 100, 500, 999, 1000};
    struct link link = hog_idle(0, pages);
    for (size_t i = 0; i < sizeof(adjs) / sizeof(adjs[0]); i++) {
        oom_adj_set(link.pid, adjs[i]);
        // Linux reads RSS counters that lag by up to 63 pages of each of three kinds.
        long want = predicted(link.pid, adjs[i]), slack = on_lazybones() ? 0 : 7;
        between(want - slack, score(link.pid), want + slack, "K2 oom_score of %ld pages with %d", pages, adjs[i]);
    }
    hog_end(&link);
}

static void child_inherits(void *arg)
{
    (void)arg;
    if (file_get_number("/proc/self/oom_score_adj") != 321)
        _exit(1);
    char *argv[] = {"busybox", "grep", "-q", "^321$", "/proc/self/oom_score_adj", NULL};
    execv("/bin/busybox", argv);
    _exit(2);
}

static void inheritance_check(void)
{
    oom_adj_set(0, 321);
    is(child_run(child_inherits, NULL), 0, "K2 fork and exec keep oom_score_adj");
    oom_adj_set(0, -1000);
}

// A large process at -500, a small one at +1000, a growing one at 0.
static void order_check(void)
{
    struct link protected = hog_idle(-500, machine / 2);
    struct link expendable = hog_idle(1000, machine / 16);
    struct link immune = hog_idle(-1000, machine / 16);
    struct hog grows = {.adj = 0, .pages = 2 * machine};
    struct link grower = hog_start(&grows);
    int first = 0, second = 0;
    is(wait(&first), expendable.pid, "K2 the small one with +1000 goes first");
    ok(killed_by(first, SIGKILL), "K2 it is killed");
    is(wait(&second), grower.pid, "K2 then the one that grows");
    ok(killed_by(second, SIGKILL), "K2 it is killed");
    ok(child_lives(&protected), "K2 the largest, with -500, lives");
    ok(child_lives(&immune), "K2 so does one with -1000");
    is(hog_end(&protected), 0, "K2 both end as they want to");
    is(hog_end(&immune), 0, "K2 as they want to");
    close(expendable.in);
    close(expendable.out);
    close(grower.in);
    close(grower.out);
}

int main(void)
{
    oom_begin();
    knobs_check();
    score_check(HOG_STEP);
    machine = meminfo("MemFree:") / 4;
    score_check(machine / 2);
    inheritance_check();
    order_check();
    return tap_end();
}
