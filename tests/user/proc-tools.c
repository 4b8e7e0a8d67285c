// SPDX-License-Identifier: MIT
// ram: 128M  time: 40
// subject: proc
//
// P3 busybox's ps, top, free and dmesg show true figures: those of smaps, statm and meminfo.
#include "child.h"
#include "observe.h"

#define PAGES 1500L // which the child has written: with less than 10 MB in all, ps rounds nothing

static char output[64 * 1024];

// Runs a busybox applet; what it wrote to standard output, as a string.
static char *busybox(const char *a, const char *b, const char *c, const char *d)
{
    int ends[2];
    if (pipe(ends))
        tap_bail("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/busybox", a, b, c, d, NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t n;
    while ((n = read(ends[0], output + size, sizeof(output) - 1 - size)) > 0)
        size += n;
    output[size] = 0;
    close(ends[0]);
    waitpid(pid, NULL, 0);
    return output;
}

// The line of `pid` in the last output, or NULL.
static char *line_of(pid_t pid)
{
    for (char *line = output; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strtol(line, NULL, 10) == pid)
            return line;
    return NULL;
}

static void child_fills(struct link *link, void *arg)
{
    (void)arg;
    region_write(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGES,
                 1);
    say(link, 1);
    hear(link);
}

static void ps_check(pid_t pid)
{
    char path[32], name[32] = "";
    int found = 0;
    long vsz = 0, rss = 0;
    busybox("ps", "-o", "pid,vsz,rss,comm", NULL);
    char *line = line_of(pid);
    if (line)
        found = sscanf(line, "%d %ld %ld %31s", &found, &vsz, &rss, name);
    is(found, 4, "P3 ps shows the process with pid, vsz, rss and comm");
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    is(vsz, strtol(observe_file(path), NULL, 10) * 4, "P3 VSZ is statm's size");
    long exact = rss_all(pid) * 4, lag = on_lazybones() ? 0 : 63 * 4;
    between(exact - lag, rss, exact + lag, "P3 RSS is the sum of smaps");
    is(strcmp(name, "proc-tools"), 0, "P3 and its name");
}

static void top_check(pid_t pid)
{
    long used = 0, free_kb = 0, cached = 0;
    busybox("top", "-b", "-n1", NULL);
    int found = sscanf(output, "Mem: %ldK used, %ldK free, %*dK shrd, %*dK buff, %ldK cached", &used,
                       &free_kb, &cached);
    is(found, 3, "P3 top begins with the memory");
    is(used + free_kb, meminfo("MemTotal:"), "P3 used and free are MemTotal");
    long slack = on_lazybones() ? 512 : 4096; // top itself, which is gone by now
    between(free_kb - slack, meminfo("MemFree:"), free_kb + slack, "P3 free is MemFree");
    ok(strstr(output, "Load average: "), "P3 it has the load");
    ok(line_of(pid) || strstr(output, "proc-tools"), "P3 and lists the process");
}

static void free_check(void)
{
    long total = 0, used = 0, free_kb = 0, shared = 0, cached = 0, available = 0;
    busybox("free", "-k", NULL, NULL);
    char *line = strstr(output, "Mem:");
    int found = line ? sscanf(line, "Mem: %ld %ld %ld %ld %ld %ld", &total, &used, &free_kb, &shared, &cached,
                              &available) : 0;
    is(found, 6, "P3 free shows the memory");
    is(total, meminfo("MemTotal:"), "P3 total is MemTotal");
    long slack = on_lazybones() ? 512 : 4096;
    between(free_kb - slack, meminfo("MemFree:"), free_kb + slack, "P3 free is MemFree");
    between(available - slack, meminfo("MemAvailable:"), available + slack, "P3 available is MemAvailable");
    between(shared - 64, meminfo("Shmem:"), shared + 64, "P3 shared is Shmem");
}

static void dmesg_check(void)
{
    int fd = open("/dev/kmsg", O_WRONLY);
    const char text[] = "<13>proc-tools: Out of memory, says a test\n";
    is(write(fd, text, sizeof(text) - 1), sizeof(text) - 1, "P3 a line for the log");
    close(fd);
    ok(strstr(busybox("dmesg", NULL, NULL, NULL), "] proc-tools: Out of memory, says a test\n"),
       "P3 dmesg shows it");
    ok(strstr(busybox("dmesg", "-r", NULL, NULL), "<13>["), "P3 dmesg -r with its priority");
    ok(strstr(busybox("dmesg", "-c", NULL, NULL), "says a test"), "P3 dmesg -c shows it for the last time");
    ok(!strstr(busybox("dmesg", NULL, NULL, NULL), "says a test"), "P3 then it is cleared");
}

int main(void)
{
    tap_begin();
    observe_settle();
    struct link link = child_start(child_fills, NULL);
    hear(&link);
    ps_check(link.pid);
    top_check(link.pid);
    free_check();
    dmesg_check();
    say(&link, 1);
    child_end(&link);
    return tap_end();
}
