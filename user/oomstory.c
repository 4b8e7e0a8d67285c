// SPDX-License-Identifier: MIT
// ram: 96M  time: 90
// not-with: zfod=off
//
// Out of memory: a modest server, a protected process, and a hog. Who dies, and what the log says of it.
#include <ctype.h>
#include <signal.h>
#include <sys/klog.h>

#include "user/figures.h"

// What the lines of the autopsy mean: the first whose words are in a line explains it.
static const struct {
    const char *words, *meaning;
} meanings[] = {
    {"invoked oom-killer", "Who asked for the page that was not there, and for what kind of page."},
    {"CPU:", "Where it ran."},
    {"Mem-Info", "How the memory was used at that moment, in pages of 4 KiB:"},
    {"active_anon", "written memory of processes: nothing to be gained without swap;"},
    {"Node 0", "The same in kB: what is free, and the reserve (min) below which processes are not served."},
    {" free:", "what is left: kept for the kernel, and for those who are about to end."},
    {"pages RAM", "All the memory of the machine."},
    {"Tasks state", "Everybody who may be weighed, one line each:"},
    {"oom_score_adj name", "rss + page tables + oom_score_adj thousandths of RAM: the heaviest dies."},
    {"oom-kill:", "The verdict, for programs that read logs."},
    {"Killed process", "The execution: what the victim had promised (total-vm) and held (rss)."},
    {"oom_reaper", "The reaper took the victim's memory without waiting for it to end."},
};

// A child that takes `size` bytes and waits; -1: takes more and more.
static pid_t start(const char *name, int adj, long size)
{
    int ready[2];
    if (pipe(ready))
        exit(1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, name, 0, 0, 0);
        number_write("/proc/self/oom_score_adj", adj);
        if (size > 0)
            pages_write(memory_map(size), size / PAGE, 1, 1);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        while (size < 0)
            pages_write(memory_map(MIB), MIB / PAGE, 1, 1);
        for (;;)
            pause();
    }
    if (pid < 0 || read(ready[0], &(char){0}, 1) != 1)
        exit(1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void introduce(const char *name, const char *what, pid_t pid)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    long rss = file_number(path, "VmRSS:");
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
    long adj = strtol(file_text(path), NULL, 10);
    snprintf(path, sizeof(path), "/proc/%d/oom_score", pid);
    printf("%-10s pid %-5d %8ld KiB %14ld %10ld   %s\n", name, pid, rss, adj,
           strtol(file_text(path), NULL, 10), what);
}

// Prints a line of the log and what it means; rows of the task table speak for themselves.
static void explain(const char *line, int length)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const char *at = strstr(line, meanings[i].words);
        if (at && at < line + length) {
            printf("  %.*s\n        ^ %s\n", length > 150 ? 150 : length, line, meanings[i].meaning);
            return;
        }
    }
    if (line[0] == '[' && (line[1] == ' ' || isdigit((unsigned char)line[1])))
        printf("  %.*s\n", length, line);
}

// Reads the kernel's log from the last invocation on.
static void autopsy(void)
{
    static char log[64 * 1024];
    int size = klogctl(3, log, sizeof(log) - 1);
    char *line = log, *at = log;
    log[size > 0 ? size : 0] = 0;
    while ((at = strstr(at, "invoked oom-killer"))) {
        line = at++;
        while (line > log && line[-1] != '\n')
            line--;
    }
    for (char *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        char *text = *line == '<' ? strchr(line, '>') + 1 : line;
        if (*text == '[' && memchr(text, ']', next - text))
            text = (char *)memchr(text, ']', next - text) + 2;
        explain(text, next - text);
        next += *next == '\n';
    }
}

static int verdict(const char *name, pid_t pid)
{
    int status = 0;
    pid_t ended = waitpid(pid, &status, WNOHANG);
    printf("%-10s %s\n", name, ended == 0 ? "lives" : WIFSIGNALED(status) ? "was killed by SIGKILL" : "ended");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return ended == 0;
}

int main(void)
{
    figures_begin("Out of memory: who dies, and why");
    number_write("/proc/self/oom_score_adj", -1000); // whoever tells the story should live to the end
    long free = file_number("/proc/meminfo", "MemFree:") * KIB;
    printf("%-10s %-9s %12s %14s %10s\n", "", "", "holds", "oom_score_adj", "oom_score");
    pid_t server = start("server", 0, free / 16 / MIB * MIB);
    introduce("server", "modest", server);
    pid_t database = start("database", -1000, free / 2 / MIB * MIB);
    introduce("database", "large, and protected", database);
    pid_t hog = start("hog", 0, -1);
    introduce("hog", "has just begun, and wants all there is", hog);
    printf("\nThe hog takes one MiB after the other ...\n");
    int status;
    waitpid(hog, &status, 0);
    printf("... and was %s. Free again: %ld KiB.\n\n",
           WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed by SIGKILL" : "not killed?",
           file_number("/proc/meminfo", "MemFree:"));
    autopsy();
    printf("\n");
    int well = verdict("server", server) + verdict("database", database);
    printf("\nThe hog did nothing wrong: each mmap was granted, each write kept a promise, until one could\n"
           "not be kept. The largest holder pays, but for those whom oom_score_adj protects.\n");
    return well == 2 ? 0 : 1;
}
