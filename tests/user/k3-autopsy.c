// SPDX-License-Identifier: MIT
// ram: 96M  time: 60
// not-with: zfod=off
// subject: log
//
// K3: the log tells of a kill in Linux's words, line by line, and its figures are those that /proc
// showed while the victim lived. Linux's own extra lines (stack trace, zones) are not asked for.
#include <regex.h>

#include "oom.h"

#define FIGURES 12
#define RATE_LIMIT 5100 // ms; of more than ten kills in 5 s Linux tells the first ten in full

static long machine; // pages that are free at the start

// Looks for a line of the log that matches; its groups as numbers. NULL if there is none.
static const long *found(const char *log, const char *pattern)
{
    static long figures[FIGURES];
    regmatch_t at[FIGURES];
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE))
        tap_bail(pattern);
    int failed = regexec(&regex, log, FIGURES, at, 0);
    regfree(&regex);
    for (int i = 0; !failed && i < FIGURES; i++)
        figures[i] = at[i].rm_so >= 0 ? strtol(log + at[i].rm_so, NULL, 10) : 0;
    return failed ? NULL : figures;
}

static bool has(const char *log, const char *pattern, const char *what)
{
    return ok(found(log, pattern), "K3 %s", what);
}

// Where in the log a word is, for questions of order; -1 if it is not there.
static long place(const char *log, const char *word)
{
    const char *at = strstr(log, word);
    return at ? at - log : -1;
}

static void show(const char *log)
{
    for (const char *line = log; *line; line = strchr(line, '\n') + 1) {
        int length = strcspn(line, "\n");
        tap_note("  %.*s", length < 230 ? length : 230, line);
        if (!line[length])
            break;
    }
}

struct victim {
    pid_t pid;
    long size, anon, file, shmem, tables; // kB, from /proc/PID/status
};

static struct victim victim_of(pid_t pid)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    const char *text = observe_file(path);
    return (struct victim){pid,
                           observe_number(text, "\nVmSize:"),
                           observe_number(text, "\nRssAnon:"),
                           observe_number(text, "\nRssFile:"),
                           observe_number(text, "\nRssShmem:"),
                           observe_number(text, "\nVmPTE:")};
}

// The victim's figures in the task table and in the kill line. Linux's RSS counters lag (see
// accounting.md), and a program's own file pages may be reclaimed before the kill.
static void figures_check(const char *log, const struct victim *victim)
{
    char pattern[512];
    long slack = on_lazybones() ? 0 : 63 * 4, file = on_lazybones() ? 0 : 4096;
    snprintf(pattern, sizeof(pattern),
             "^\\[ *%d\\] +0 +%d +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +(-?[0-9]+) k3-autopsy$", victim->pid,
             victim->pid);
    const long *row = found(log, pattern);
    if (ok(row, "K3 the task table has the victim's row")) {
        is(row[1] * 4, victim->size, "K3 row: total_vm is VmSize, in pages");
        long rss = victim->anon + victim->file + victim->shmem;
        between(rss - slack - file, row[2] * 4, rss + slack, "K3 row: rss is VmRSS, in pages");
        is(row[3], victim->tables * 1024, "K3 row: pgtables_bytes is VmPTE");
        is(row[4], 0, "K3 row: no swapents");
        is(row[5], 300, "K3 row: oom_score_adj");
    }
    snprintf(pattern, sizeof(pattern),
             "^Out of memory: Killed process %d \\(k3-autopsy\\) total-vm:([0-9]+)kB, anon-rss:([0-9]+)kB, "
             "file-rss:([0-9]+)kB, shmem-rss:([0-9]+)kB, UID:0 pgtables:([0-9]+)kB oom_score_adj:(-?[0-9]+)$",
             victim->pid);
    const long *line = found(log, pattern);
    if (ok(line, "K3 the kill line")) {
        is(line[1], victim->size, "K3 kill line: total-vm is VmSize");
        between(victim->anon - slack, line[2], victim->anon + slack, "K3 kill line: anon-rss is RssAnon");
        between(0, line[3], victim->file + slack, "K3 kill line: file-rss is at most RssFile");
        between(0, line[4], victim->shmem + slack, "K3 kill line: shmem-rss is at most RssShmem");
        is(line[5], victim->tables, "K3 kill line: pgtables is VmPTE");
        is(line[6], 300, "K3 kill line: oom_score_adj");
    }
}

static void memory_report_check(const char *log)
{
    has(log, "^Mem-Info:$", "the memory report begins");
    static const char *const lines[][2] = {
        {"^active_anon:[0-9]+ inactive_anon:[0-9]+ isolated_anon:[0-9]+$", "anonymous pages"},
        {"^ active_file:[0-9]+ inactive_file:[0-9]+ isolated_file:[0-9]+$", "pages of files"},
        {"^ unevictable:[0-9]+ dirty:[0-9]+ writeback:[0-9]+$", "pages that cannot go"},
        {"^ slab_reclaimable:[0-9]+ slab_unreclaimable:[1-9][0-9]*$", "the kernel's objects"},
        {"^ mapped:[1-9][0-9]* shmem:[0-9]+ pagetables:[1-9][0-9]*$", "mapped and shared pages, page tables"},
        {"^ sec_pagetables:[0-9]+ bounce:[0-9]+$", "no page tables of guests"},
        {"^ kernel_misc_reclaimable:[0-9]+$", "nothing else to take"},
        {"^ free:[0-9]+ free_pcp:[0-9]+ free_cma:[0-9]+$", "what is free"},
        {"^Node 0 active_anon:[0-9]+kB .* mapped:[1-9][0-9]*kB .* kernel_stack:[1-9][0-9]*kB pagetables:[1-9][0-9]*kB ",
         "the node"},
        {"^Node 0 [A-Za-z0-9]+ free:[0-9]+kB boost:[0-9]+kB min:[1-9][0-9]*kB low:[1-9][0-9]*kB high:[1-9][0-9]*kB ",
         "its zone"},
        {"^lowmem_reserve\\[\\]:( [0-9]+)+$", "no zone kept for another"},
        {"^Node 0 [A-Za-z0-9]+: [0-9]+\\*4kB .* [0-9]+\\*4096kB .*= [0-9]+kB$", "the free blocks by size"},
        {"^Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB$", "no huge pages"},
        {"^[1-9][0-9]* total pagecache pages$", "the page cache"},
        {"^0 pages in swap cache$", "nothing in the swap cache"},
        {"^0 pages HighMem/MovableOnly$", "no high memory"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        has(log, lines[i][0], lines[i][1]);
    const long *free = found(log, "free:([0-9]+) ");
    between(1, free ? free[1] : 0, machine / 4, "K3 little is free");
    const long *ram = found(log, "^([0-9]+) pages RAM$");
    between(96 * 256 - 1024, ram ? ram[1] : 0, 96 * 256, "K3 so many pages RAM");
    has(log, "^Free swap +=? *0kB$", "no swap is free");
    has(log, "^Total swap = 0kB$", "there is none");
    has(log, "^[0-9]+ pages reserved$", "pages reserved");
}

static void whole_check(void)
{
    log_clear();
    struct link link = hog_idle(300, machine / 2);
    struct victim victim = victim_of(link.pid);
    is(hog_run(-200, machine * 5 / 8, BY_WRITE), 0, "K3 a process asks for more than there is and goes on");
    ok(killed_by(hog_wait(&link), SIGKILL), "K3 another is killed");
    const char *log = log_read();
    int failures = tap_failures;
    has(log, "^k3-autopsy invoked oom-killer: gfp_mask=0x[0-9a-f]+\\([A-Z_|]+\\), order=[0-9]+, oom_score_adj=-200$",
        "who asked: the invocation line");
    has(log, "^CPU: 0 PID: [0-9]+ Comm: k3-autopsy .*", "on which CPU, and its name");
    memory_report_check(log);
    has(log, "^Tasks state \\(memory values in pages\\):$", "the task table");
    has(log, "^\\[  pid  \\]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name$", "its head");
    ok(!found(log, "^\\[ +1\\] "), "K3 init, which cannot be killed, is not in it");
    has(log, "^\\[ *[0-9]+\\] .* -1000 k3-autopsy$", "those with -1000 are");
    figures_check(log, &victim);
    char pattern[300];
    snprintf(pattern, sizeof(pattern),
             "^oom-kill:constraint=CONSTRAINT_NONE,nodemask=\\(null\\),cpuset=/,mems_allowed=0,global_oom,"
             "task_memcg=/,task=k3-autopsy,pid=%d,uid=0$",
             victim.pid);
    has(log, pattern, "the summary line");
    long order[] = {place(log, "invoked oom-killer"), place(log, "Mem-Info:"), place(log, "Tasks state"),
                    place(log, "oom-kill:"), place(log, "Killed process")};
    ok(order[0] >= 0 && order[0] < order[1] && order[1] < order[2] && order[2] < order[3] && order[3] < order[4],
       "K3 in this order");
    ok(!strstr(log, "oom_reaper: ") ||
           found(log, "^oom_reaper: reaped process [0-9]+ \\(k3-autopsy\\), now anon-rss:0kB, file-rss:[0-9]+kB, "
                      "shmem-rss:[0-9]+kB$"),
       "K3 if the reaper was needed its line says so");
    if (tap_failures > failures)
        show(log);
}

// What the other two knobs change in the log.
static void knobs_check(void)
{
    knob_need("oom_dump_tasks", 0);
    log_clear();
    ok(killed_by(hog_run(0, 2 * machine, BY_WRITE), SIGKILL), "K3 oom_dump_tasks=0: a hog is killed");
    const char *log = log_read();
    ok(!strstr(log, "Tasks state") && !strstr(log, "[  pid  ]"), "K3 oom_dump_tasks=0: there is no task table");
    has(log, "^Mem-Info:$", "oom_dump_tasks=0: the rest is there");
    has(log, "^Out of memory: Killed process ", "oom_dump_tasks=0: and the kill line");
    knob_need("oom_dump_tasks", 1);
    knob_need("oom_kill_allocating_task", 1);
    log_clear();
    ok(killed_by(hog_run(0, 2 * machine, BY_WRITE), SIGKILL), "K3 oom_kill_allocating_task: a hog is killed");
    has(log_read(), "^Out of memory \\(oom_kill_allocating_task\\): Killed process ",
        "oom_kill_allocating_task: the kill line says so");
    knob_need("oom_kill_allocating_task", 0);
}

static long vmstat(const char *key)
{
    return observe_number(observe_file("/proc/vmstat"), key);
}

// /dev/kmsg tells the same as syslog(2).
static void device_check(void)
{
    char record[1024];
    bool seen = false;
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
    ssize_t n;
    while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
        record[n] = 0;
        char *text = strchr(record, ';');
        seen |= text && strncmp(text + 1, "Out of memory: Killed process ", 30) == 0;
    }
    is(n < 0 ? errno : 0, EAGAIN, "K3 /dev/kmsg can be read to its end");
    ok(seen, "K3 the kill line is in it");
    close(fd);
}

int main(void)
{
    oom_begin();
    machine = meminfo("MemFree:") / 4;
    long kills = vmstat("\noom_kill ");
    sleep_ms(RATE_LIMIT);
    whole_check();
    is(vmstat("\noom_kill ") - kills, 1, "K3 oom_kill in /proc/vmstat counts it");
    knobs_check();
    device_check();
    return tap_end();
}
