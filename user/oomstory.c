// SPDX-License-Identifier: MIT
// ram: 96M  time: 90
// not-with: zfod=off
//
// Out of memory: a modest server, a protected process, and a hog. Who dies, and what the log says of it.
#include <signal.h>
#include <sys/klog.h>

#include "user/figures.h"

#define WIDTH 78 // columns

static long machine; // pages of RAM

// What the lines of the autopsy mean: the first whose words are in a line explains it, once.
static struct {
    const char *words, *meaning;
    int told;
} meanings[] = {
    {"invoked oom-killer", "Who asked for the page that was not there, and for what kind of page.", 0},
    {"CPU:", "Where it ran.", 0},
    {"Mem-Info", "How the memory was used at that moment, in pages of 4 KiB:", 0},
    {" min:", "The same in kB, and the reserve (min) that processes do not get.", 0},
    {"Node 0 active_anon:", "", 1},
    {"active_anon", "written memory of processes: nothing to be gained without swap;", 0},
    {"*4kB", "The free blocks by their sizes: so many of one page, two, four ...", 0},
    {" free:", "what is left: kept for the kernel, and for those about to end.", 0},
    {"pages RAM", "All the memory of the machine.", 0},
    {"Tasks state", "Everybody in question. (The weight is not in the log: rss + page tables\n"
                    "        + oom_score_adj thousandths of RAM. The heaviest dies.)", 0},
    {"oom-kill:", "The verdict, for programs that read logs.", 0},
    {"Killed process", "The execution; what the victim was promised (total-vm) and held (rss).", 0},
    {"oom_reaper", "The reaper took the victim's memory without waiting for it to end.", 0},
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
    printf("%-8s pid %-5d %8ld KiB %13ld %9ld  %s\n", name, pid, rss, adj,
           strtol(file_text(path), NULL, 10), what);
}

// Prints a line of the log, in as many lines of the terminal as it needs.
static void line_print(const char *line, int length)
{
    const char *indent = "  ";
    while (length > 0) {
        int room = WIDTH - (int)strlen(indent), part = length;
        if (part > room)
            for (part = room; part > room / 4 && line[part] != ' ' && line[part - 1] != ','; part--)
                ;
        printf("%s%.*s\n", indent, part, line);
        part += line[part] == ' ';
        line += part;
        length -= part;
        indent = "      ";
    }
}

// A row of the task table without the columns that say nothing here, and with what the kernel makes of it:
// its weight in pages. False if the line is no such row.
static int row_print(const char *line)
{
    long pid, uid, tgid, size, rss, tables, swapped, adj;
    char name[16], weight[24];
    if (sscanf(line, "[%ld] %ld %ld %ld %ld %ld %ld %ld %15s",
               &pid, &uid, &tgid, &size, &rss, &tables, &swapped, &adj, name) != 9)
        return 0;
    snprintf(weight, sizeof(weight), "%ld", rss + tables / PAGE + swapped + adj * machine / 1000);
    printf("  %5ld %8ld %8ld %14ld %13ld %10s  %s\n",
           pid, size, rss, tables, adj, adj == -1000 ? "none" : weight, name);
    return 1;
}

// Prints a line of the log and what it means.
static void explain(const char *line, int length)
{
    char text[600];
    snprintf(text, sizeof(text), "%.*s", length, line);
    if (strstr(text, "oom_score_adj name")) {
        printf("  %5s %8s %8s %14s %13s %10s  %s\n",
               "pid", "total_vm", "rss", "pgtables_bytes", "oom_score_adj", "(weight)", "name");
        return;
    }
    if (row_print(text))
        return;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (!strstr(text, meanings[i].words))
            continue;
        line_print(text, strlen(text));
        if (!meanings[i].told++)
            printf("      ^ %s\n", meanings[i].meaning);
        return;
    }
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
    printf("%-10s %s\n", name,
           ended == 0 ? "lives" : WIFSIGNALED(status) ? "was killed by SIGKILL" : "ended");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return ended == 0;
}

int main(void)
{
    figures_begin("Out of memory: who dies, and why");
    number_write("/proc/self/oom_score_adj", -1000); // whoever tells the story should live to the end
    long free = file_number("/proc/meminfo", "MemFree:") * KIB;
    machine = file_number("/proc/meminfo", "MemTotal:") / 4;
    printf("%-8s %-9s %12s %13s %9s\n", "", "", "holds", "oom_score_adj", "oom_score");
    pid_t server = start("server", 0, free / 16 / MIB * MIB);
    introduce("server", "modest", server);
    pid_t database = start("database", -1000, free / 2 / MIB * MIB);
    introduce("database", "large and protected", database);
    pid_t hog = start("hog", 0, -1);
    introduce("hog", "has just begun", hog);
    printf("\nThe hog wants all there is, and takes one MiB after the other ...\n");
    int status;
    waitpid(hog, &status, 0);
    printf("... and was %s. Free again: %ld KiB.\n\n",
           WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed by SIGKILL" : "not killed?",
           file_number("/proc/meminfo", "MemFree:"));
    autopsy();
    printf("\n");
    int well = verdict("server", server) + verdict("database", database);
    printf("\nThe hog did nothing wrong: each mmap was granted, each write kept a promise,\n"
           "until one could not be kept. The heaviest pays, but for those whom oom_score_adj\n"
           "protects: the database held more, and lives.\n");
    return well == 2 ? 0 : 1;
}
