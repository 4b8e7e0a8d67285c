// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// not-with: zfod=off cow=off
//
// A hundred workers that share 90 % of their memory: a server loads its data once and forks.
#include "user/figures.h"

#define WORKERS 100
#define DATA (4 * MIB)
#define PAGES (DATA / PAGE)

static char *data;

// Each rewrites its own tenth of the data, says so, and waits for the end.
static void worker(int number, int ready, int end)
{
    char byte = 1;
    pages_write(data + number % 10 * (PAGES / 10) * PAGE, PAGES / 10, 1, (char)number);
    if (write(ready, &byte, 1) != 1 || read(end, &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

// The sum of one line of the workers' smaps, in KiB.
static long workers_sum(const pid_t *workers, const char *key)
{
    char path[32];
    long sum = 0;
    for (int i = 0; i < WORKERS; i++) {
        snprintf(path, sizeof(path), "/proc/%d/smaps", workers[i]);
        for (char *at = file_text(path); (at = strstr(at, key)); at++)
            sum += strtol(at + strlen(key), NULL, 10);
    }
    return sum;
}

static void say(const char *what, long kib)
{
    printf("%-52s %7ld KiB\n", what, kib);
}

int main(void)
{
    pid_t workers[WORKERS];
    int ready[2], end[2], status = 0;
    figures_begin("A hundred workers that share 90 % of their memory");
    data = memory_map(DATA);
    pages_write(data, PAGES, 1, 1);
    if (pipe(ready) || pipe(end))
        return 1;
    long free = file_number("/proc/meminfo", "MemFree:");
    say("the data that all of them need", DATA / KIB);
    say("free on this machine before they are born", free);
    fflush(stdout);
    for (int i = 0; i < WORKERS; i++)
        if ((workers[i] = fork()) == 0) {
            close(end[1]);
            worker(i, ready[1], end[0]);
        }
    for (int i = 0; i < WORKERS; i++)
        if (read(ready[0], &(char){0}, 1) != 1)
            return 1;
    long used = free - file_number("/proc/meminfo", "MemFree:");
    long rss = workers_sum(workers, "\nRss:"), shared = workers_sum(workers, "\nShared_Dirty:");
    say("what the hundred hold, each counted for itself (RSS)", rss);
    say("   of it shared with others", shared);
    say("what the machine gave for all of them", used);
    printf("\n%d workers, each with %ld pages of its own: without sharing they would take\n"
           "%ld MiB, with it they take %ld MiB.\n", WORKERS, PAGES / 10, WORKERS * DATA / MIB, used / KIB);
    close(end[1]);
    for (int i = 0; i < WORKERS; i++) {
        int ended;
        waitpid(workers[i], &ended, 0);
        status |= ended;
    }
    say("free again when they are gone", file_number("/proc/meminfo", "MemFree:"));
    printf("\nfork copied nothing. A worker's first write to a page copied that page, for it\n"
           "alone.\n");
    return status || used >= WORKERS * DATA / KIB ? 1 : 0;
}
