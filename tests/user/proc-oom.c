// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: proc
//
// K2 /proc/PID/oom_score_adj, oom_adj and oom_score: what may be written, what is read back, what fork and
// exec do to it, and that the score follows size and adjustment.
#define _GNU_SOURCE // setresuid
#include "child.h"
#include "observe.h"

static char path[64];

// Writes `text` to a file of process `pid` with one write(2); the result, or -errno.
static long put(pid_t pid, const char *name, const char *text)
{
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return -errno;
    long n = write(fd, text, strlen(text));
    n = n < 0 ? -errno : n;
    close(fd);
    return n;
}

static long get(pid_t pid, const char *name)
{
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return strtol(observe_file(path), NULL, 10);
}

static const struct {
    const char *file, *text;
    int result, after; // what write(2) returns or -errno; what the file says then
} writes[] = {
    {"oom_score_adj", "500", 3, 500},          {"oom_score_adj", "500\n", 4, 500},
    {"oom_score_adj", "0", 1, 0},              {"oom_score_adj", "1000", 4, 1000},
    {"oom_score_adj", "1001", -EINVAL, 1000},  {"oom_score_adj", "-1000", 5, -1000},
    {"oom_score_adj", "-1001", -EINVAL, -1000}, {"oom_score_adj", "", -EINVAL, -1000},
    {"oom_score_adj", "\n", -EINVAL, -1000},   {"oom_score_adj", "abc", -EINVAL, -1000},
    {"oom_score_adj", "12abc", -EINVAL, -1000}, {"oom_score_adj", " 7", 2, 7},
    {"oom_score_adj", "7 ", 2, 7},             {"oom_score_adj", "0x10", 4, 16},
    {"oom_score_adj", "010", 3, 8},            {"oom_score_adj", "+5", 2, 5},
    {"oom_score_adj", "-0", 2, 0},             {"oom_score_adj", "1 2", -EINVAL, 0},
    {"oom_score_adj", "99999999999", -ERANGE, 0}, {"oom_score_adj", "-17", 3, -17},
    {"oom_adj", "15", 2, 15},                  {"oom_adj", "-17", 3, -17},
    {"oom_adj", "16", -EINVAL, -17},           {"oom_adj", "-18", -EINVAL, -17},
    {"oom_adj", "0", 1, 0},                    {"oom_adj", "-16", 3, -15},
    {"oom_adj", "8", 1, 7},                    {"oom_adj", "1", 1, 0},
    {"oom_adj", "abc", -EINVAL, 0},            {"oom_adj", "-1", 2, 0},
};

static void writes_check(void)
{
    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        char shown[16];
        snprintf(shown, sizeof(shown), "%s", writes[i].text);
        shown[strcspn(shown, "\n")] = '$';
        long result = put(getpid(), writes[i].file, writes[i].text);
        long after = get(getpid(), writes[i].file);
        if (!ok(result == writes[i].result && after == writes[i].after,
                "K2 \"%s\" written to %s: %d, then %d", shown, writes[i].file, writes[i].result,
                writes[i].after))
            tap_note("got %ld, then %ld", result, after);
    }
    put(getpid(), "oom_adj", "15");
    is(get(getpid(), "oom_score_adj"), 1000, "K2 the highest oom_adj is the highest oom_score_adj");
    put(getpid(), "oom_adj", "-17");
    is(get(getpid(), "oom_score_adj"), -1000, "K2 and the lowest the lowest");
    is(put(getpid(), "oom_score", "5"), -EINVAL, "K2 oom_score takes nothing");
    put(getpid(), "oom_score_adj", "0");
}

static void tell_adjustment(struct link *link, void *arg)
{
    (void)arg;
    say(link, get(getpid(), "oom_score_adj"));
    hear(link);
    if (getpid() > 1)
        execl("/bin/busybox", "sleep", "30", NULL);
}

static void family_check(void)
{
    put(getpid(), "oom_score_adj", "300");
    struct link link = child_start(tell_adjustment, NULL);
    is(hear(&link), 300, "K2 fork hands it on");
    say(&link, 1);
    for (int tries = 0; tries < 200; tries++) {
        snprintf(path, sizeof(path), "/proc/%d/comm", (int)link.pid);
        if (strncmp(observe_file(path), "sleep", 5) == 0 || strncmp(observe_text, "busybox", 7) == 0)
            break;
        usleep(10000);
    }
    is(get(link.pid, "oom_score_adj"), 300, "K2 exec keeps it");
    is(put(link.pid, "oom_score_adj", "400"), 3, "K2 another process may set it");
    is(get(link.pid, "oom_score_adj"), 400, "K2 and it is set there");
    is(get(getpid(), "oom_score_adj"), 300, "K2 and not here");
    kill(link.pid, SIGKILL);
    waitpid(link.pid, NULL, 0);
    close(link.in);
    close(link.out);
    put(getpid(), "oom_score_adj", "0");
}

// Without privilege: up and back down to what a privileged process set, and no further.
static const struct {
    const char *file, *text;
    int result, after;
} unprivileged_writes[] = {
    {"oom_score_adj", "100", 3, 100},      {"oom_score_adj", "50", 2, 50},
    {"oom_score_adj", "0", 1, 0},          {"oom_score_adj", "-1", -EACCES, 0},
    {"oom_score_adj", "-500", -EACCES, 0}, {"oom_score_adj", "100", 3, 100},
    {"oom_score_adj", "0", 1, 0},          {"oom_adj", "5", 1, 4},
    {"oom_adj", "0", -EACCES, 4},          {"oom_adj", "-1", -EACCES, 4},
    {"oom_score_adj", "0", 1, 0},
};

static void write_unprivileged(struct link *link, void *arg)
{
    (void)arg;
    if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
        _exit(99);
    for (unsigned i = 0; i < sizeof(unprivileged_writes) / sizeof(unprivileged_writes[0]); i++) {
        say(link, put(getpid(), unprivileged_writes[i].file, unprivileged_writes[i].text));
        say(link, get(getpid(), unprivileged_writes[i].file));
    }
    say(link, put(1, "oom_score_adj", "5"));
}

static void unprivileged_check(void)
{
    put(getpid(), "oom_score_adj", "0");
    struct link link = child_start(write_unprivileged, NULL);
    for (unsigned i = 0; i < sizeof(unprivileged_writes) / sizeof(unprivileged_writes[0]); i++) {
        long result = hear(&link), after = hear(&link);
        if (!ok(result == unprivileged_writes[i].result && after == unprivileged_writes[i].after,
                "K2 user 1000 writes \"%s\" to %s: %d, then %d", unprivileged_writes[i].text,
                unprivileged_writes[i].file, unprivileged_writes[i].result, unprivileged_writes[i].after))
            tap_note("got %ld, then %ld", result, after);
    }
    is(hear(&link), -EACCES, "K2 and nothing to another's");
    child_end(&link);
}

// As Linux computes it (the points divided by all memory, in thousandths, moved by 1000, times two thirds).
static long score_expected(long pages, long adjustment)
{
    long total = meminfo("MemTotal:") / 4;
    return (1000 + (pages + adjustment * (total / 1000)) * 1000 / total) * 2 / 3;
}

static void score_check(void)
{
    static const int adjustments[] = {0, 1000, 500, -500, -999};
    char *region = region_map(4096);
    region_write(region, 4096, 1);
    for (int i = 0; i < 5; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", adjustments[i]);
        put(getpid(), "oom_score_adj", text);
        long pages = rss_all(0) + observe_number(observe_file("/proc/self/status"), "\nVmPTE:") / 4;
        long want = score_expected(pages, adjustments[i]);
        between(want - 2, get(getpid(), "oom_score"), want + 2, "K2 oom_score of 16 MiB at %d",
                adjustments[i]);
    }
    put(getpid(), "oom_score_adj", "-1000");
    is(get(getpid(), "oom_score"), 0, "K2 it is 0 at -1000");
    put(getpid(), "oom_score_adj", "0");
    is(get(1, "oom_score"), 0, "K2 and that of init is 0");
    region_unmap(region, 4096);
}

int main(void)
{
    tap_begin();
    observe_settle();
    writes_check();
    family_check();
    unprivileged_check();
    score_check();
    return tap_end();
}
