// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: proc
//
// /proc/PID/fd, limits, auxv, comm and status; loadavg, stat, swaps, cpuinfo, vmstat: that each says what is
// true.
#define _GNU_SOURCE // setresuid
#include <elf.h>
#include <grp.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <time.h>

#include "child.h"
#include "observe.h"

static char target[256];

static char *link_of(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n < 0 ? 0 : n] = 0;
    return target;
}

static void descriptors_check(void)
{
    char path[32], byte;
    struct stat stat, there;
    int fd = open("/proc/cpuinfo", O_RDONLY), ends[2];
    is(strcmp(link_of(fd), "/proc/cpuinfo"), 0, "a descriptor's link tells its path");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    lstat(path, &stat);
    is(stat.st_mode, S_IFLNK | 0500, "a link of one that reads is r-x");
    read(fd, &byte, 1);
    int again = open(path, O_RDONLY);
    ok(again >= 0 && read(again, &byte, 1) == 1 && byte == 'p', "it can be opened, and begins at the start");
    close(again);
    close(fd);
    fails(open(path, O_RDONLY), ENOENT, "closed, it is gone");

    if (pipe(ends))
        tap_bail("pipe");
    fstat(ends[1], &stat);
    char want[32];
    snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)stat.st_ino);
    is(strcmp(link_of(ends[1]), want), 0, "a pipe's says its number");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    lstat(path, &there);
    is(there.st_mode, S_IFLNK | 0300, "a link of one that writes is -wx");
    ok(!fstatat(AT_FDCWD, path, &there, 0) && there.st_ino == stat.st_ino,
       "stat follows it to the pipe itself");
    close(ends[0]);
    close(ends[1]);
}

static void limits_check(void)
{
    struct rlimit limit = {12345 * 4096, 1 << 30};
    setrlimit(RLIMIT_FSIZE, &limit);
    static const char heading[] =
        "Limit                     Soft Limit           Hard Limit           Units     \n";
    char *text = observe_file("/proc/self/limits");
    ok(strncmp(text, heading, strlen(heading)) == 0, "limits has its heading");
    ok(strstr(text, "\nMax stack size            8388608              unlimited            bytes     \n"),
       "the stack's");
    ok(strstr(text, "\nMax file size             50565120             1073741824           bytes     \n"),
       "one that was set");
    ok(strstr(text, "\nMax nice priority         0                    0                    \n"),
       "one without a unit");
}

static void auxv_check(void)
{
    Elf64_auxv_t vector[64];
    int fd = open("/proc/self/auxv", O_RDONLY), wrong = 0;
    ssize_t n = read(fd, vector, sizeof(vector));
    int count = (int)(n / (ssize_t)sizeof(vector[0]));
    close(fd);
    ok(count > 5 && vector[count - 1].a_type == AT_NULL, "auxv ends with AT_NULL");
    for (int i = 0; i < count; i++)
        if (vector[i].a_type != AT_NULL && vector[i].a_un.a_val != getauxval(vector[i].a_type))
            wrong++;
    is(wrong, 0, "all that is in it is what the program got");
}

static void comm_check(void)
{
    int fd = open("/proc/self/comm", O_RDWR);
    is(write(fd, "a name that is too long", 23), 23, "comm takes a name");
    ok(strcmp(observe_file("/proc/self/comm"), "a name that is \n") == 0, "cut to 15 bytes");
    ok(strstr(observe_file("/proc/self/stat"), "(a name that is )"), "which stat tells");
    is(write(fd, "two\nlines", 9), 9, "any byte may be in it");
    ok(strncmp(observe_file("/proc/self/status"), "Name:\ttwo\\nlines\n", 17) == 0,
       "status escapes a newline");
    close(fd);
    fd = open("/proc/1/comm", O_WRONLY);
    fails(write(fd, "x", 1), EINVAL, "another process's name cannot be set");
    close(fd);
}

static void status_check(void)
{
    static const char *const keys[] = {
        "Name:", "\nUmask:", "\nState:", "\nTgid:", "\nPid:", "\nPPid:", "\nTracerPid:", "\nUid:", "\nGid:",
        "\nFDSize:", "\nGroups:", "\nVmPeak:", "\nVmSize:", "\nVmLck:", "\nVmPin:", "\nVmHWM:", "\nVmRSS:",
        "\nRssAnon:", "\nRssFile:", "\nRssShmem:", "\nVmData:", "\nVmStk:", "\nVmExe:", "\nVmLib:", "\nVmPTE:", "\nVmSwap:",
        "\nThreads:", "\nSigQ:", "\nSigPnd:", "\nShdPnd:", "\nSigBlk:", "\nSigIgn:", "\nSigCgt:",
        "\nNoNewPrivs:",
        "\nCpus_allowed:", "\nCpus_allowed_list:", "\nvoluntary_ctxt_switches:",
        "\nnonvoluntary_ctxt_switches:",
    };
    char *at = observe_file("/proc/self/status");
    int found = 0, count = sizeof(keys) / sizeof(keys[0]);
    for (int i = 0; i < count; i++) {
        char *next = strstr(at, keys[i]);
        if (next)
            at = next, found++;
        else
            tap_note("status lacks %s, or has it too early", keys[i] + (keys[i][0] == '\n'));
    }
    is(found, count, "P1 status has its lines in Linux's order");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR2);
    signal(SIGHUP, SIG_IGN);
    char *text = observe_file("/proc/self/status");
    ok(strstr(text, "\nSigBlk:\t0000000000000a00\n"), "SigBlk: what is blocked");
    ok(strstr(text, "\nShdPnd:\t0000000000000800\n"), "ShdPnd: what waits for the process");
    ok(strstr(text, "\nSigIgn:\t0000000000000001\n"), "SigIgn: what is ignored");
}

static void child_changes_ids(struct link *link, void *arg)
{
    (void)arg;
    const gid_t groups[] = {7, 9};
    if (setgroups(2, groups) || setresgid(100, 200, 300) || setresuid(1, 2, 3))
        _exit(99);
    say(link, 1);
    hear(link);
}

static void ids_check(void)
{
    char path[32];
    struct stat stat;
    struct link link = child_start(child_changes_ids, NULL);
    hear(&link);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)link.pid);
    char *text = observe_file(path);
    ok(strstr(text, "\nUid:\t1\t2\t3\t2\n"), "Uid: real, effective, saved, for files");
    ok(strstr(text, "\nGid:\t100\t200\t300\t200\n"), "Gid: the same");
    ok(strstr(text, "\nGroups:\t7 9 \n"), "Groups");
    ok(!lstat("/proc/1", &stat) && stat.st_uid == 0, "init's directory is root's");
    say(&link, 1);
    child_end(&link);
}

static void loadavg_check(void)
{
    int runnable = 0, all = 0, last = 0, length = 0;
    char *text = observe_file("/proc/loadavg");
    int found = sscanf(text, "%*d.%*2d %*d.%*2d %*d.%*2d %d/%d %d\n%n", &runnable, &all, &last, &length);
    ok(found == 3 && length == (int)strlen(text), "loadavg has its form");
    ok(runnable >= 1 && all >= runnable, "this process is runnable");
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    sscanf(observe_file("/proc/loadavg"), "%*s %*s %*s %*s %d", &last);
    ok(last >= pid, "the last number is the last pid given out");
}

static long stat_figure(const char *key)
{
    return observe_number(observe_file("/proc/stat"), key);
}

static void machine_check(void)
{
    struct timespec now;
    long switches = stat_figure("\nctxt "), forks = stat_figure("\nprocesses "),
         interrupts = stat_figure("\nintr ");
    struct link link = child_start(child_changes_ids, NULL);
    hear(&link);
    say(&link, 1);
    child_end(&link);
    usleep(50000);
    ok(stat_figure("\nctxt ") >= switches + 2, "stat: ctxt counts switches");
    ok(stat_figure("\nprocesses ") >= forks + 1, "processes counts forks");
    ok(stat_figure("\nintr ") > interrupts, "intr counts interrupts");
    clock_gettime(CLOCK_REALTIME, &now);
    double uptime = strtod(observe_file("/proc/uptime"), NULL);
    between(now.tv_sec - (long)uptime - 2, stat_figure("\nbtime "), now.tv_sec - (long)uptime + 2,
            "btime is when the clock of uptime was 0");
    ok(stat_figure("\nprocs_running ") >= 1 && stat_figure("\nprocs_blocked ") >= 0,
       "procs_running, procs_blocked");
    ok(strcmp(observe_file("/proc/swaps"), "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n") == 0,
       "swaps has its heading and no swap");
    ok(strncmp(observe_file("/proc/cpuinfo"), "processor\t: 0\nvendor_id\t: ", 26) == 0,
       "cpuinfo begins with processor 0");
}

static long vmstat(const char *key)
{
    return observe_number(observe_file("/proc/vmstat"), key);
}

// Linux's figures are batched for each CPU; meminfo() brings them up to date.
static void vmstat_check(void)
{
    long slack = on_lazybones() ? 8 : FRAMES_SLACK_LINUX * 4;
    long pages = 1024, faults = vmstat("pgfault ");
    char *region = region_map(pages);
    meminfo("MemFree:");
    long anonymous = vmstat("nr_anon_pages "), tables = vmstat("nr_page_table_pages ");
    region_write(region, pages, 1);
    meminfo("MemFree:");
    between(pages - slack, vmstat("nr_anon_pages ") - anonymous, pages + slack, "P2 nr_anon_pages");
    between(1, vmstat("nr_page_table_pages ") - tables, 6 + slack, "P2 nr_page_table_pages");
    ok(vmstat("pgfault ") - faults >= pages, "P2 pgfault counts each fault");
    between(meminfo("MemFree:") / 4 - slack, vmstat("nr_free_pages "), meminfo("MemFree:") / 4 + slack,
            "P2 nr_free_pages is MemFree");
    region_unmap(region, pages);
}

static bool begins(const char *path, const char *text)
{
    return !strncmp(observe_file(path), text, strlen(text));
}

static void machine_files_check(void)
{
    ok(begins("/proc/interrupts", "           CPU0       \n  0: "), "interrupts: a column a CPU, a line a line");
    ok(strstr(observe_file("/proc/interrupts"), " ttyS0\n"), "the console's is among them");
    ok(begins("/proc/devices", "Character devices:\n  1 mem\n"), "devices: major numbers");
    ok(strstr(observe_file("/proc/devices"), "\n  4 ttyS\n") && strstr(observe_file("/proc/devices"), "\n\nBlock devices:\n"),
       "of characters, then of blocks");
    ok(begins("/proc/partitions", "") && begins("/proc/diskstats", ""), "partitions and diskstats are there");
    long pages = 0;
    for (const char *line = observe_file("/proc/buddyinfo"); line && *line; line = strchr(line, '\n') + 1) {
        int skip = 0;
        sscanf(line, "Node %*d, zone %*s %n", &skip);
        for (int order = 0; order < 11; order++, line = strchr(line + skip + strspn(line + skip, " "), ' '), skip = 0)
            pages += strtol(line + skip, NULL, 10) << order;
    }
    long slack = 2048 + slack_objects();
    between(meminfo("MemFree:") / 4 - slack, pages, meminfo("MemFree:") / 4 + slack, "buddyinfo adds up to MemFree");
}

static long put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    long n = fd < 0 ? -errno : write(fd, text, strlen(text));
    n = n < 0 && fd >= 0 ? -errno : n;
    close(fd);
    return n;
}

static void settings_check(void)
{
    ok(begins("/proc/self/personality", "00000000\n"), "personality");
    personality(ADDR_NO_RANDOMIZE);
    ok(begins("/proc/self/personality", "00040000\n"), "as it was set");
    personality(0);
    ok(begins("/proc/self/timerslack_ns", "50000\n"), "timerslack_ns");
    prctl(PR_SET_TIMERSLACK, 1234, 0, 0, 0);
    ok(begins("/proc/self/timerslack_ns", "1234\n"), "as it was set");
    is(put("/proc/self/timerslack_ns", "5678\n"), 5, "it can be set there, too");
    is(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 5678, "and prctl says so");
    is(put("/proc/self/timerslack_ns", "abc"), -EINVAL, "but to a number");
    is(put("/proc/self/timerslack_ns", "0"), 1, "0 is the default");
    is(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000, "again");
}

int main(void)
{
    tap_begin();
    descriptors_check();
    limits_check();
    auxv_check();
    comm_check();
    status_check();
    ids_check();
    loadavg_check();
    machine_check();
    vmstat_check();
    machine_files_check();
    settings_check();
    return tap_end();
}
