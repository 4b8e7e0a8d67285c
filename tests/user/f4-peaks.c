// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// F4: VmPeak and VmHWM are the highest that VmSize and VmRSS have been: to the page on Lazybones; fork
// starts them anew, exec too; ru_maxrss is the same figure.
#include "child.h"
#include "observe.h"

#define PAGES 2000L
#define KB (PAGES * 4)
#define LAG (on_lazybones() ? 0 : 3 * 63l * 4) // kB; Linux batches the RSS counters behind status

static long status(const char *key)
{
    return observe_number(observe_file("/proc/self/status"), key);
}

static char *map(long pages)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

static void size_check(void)
{
    long size = status("\nVmSize:");
    char *at = map(PAGES);
    munmap(at, PAGES * PAGE);
    is(status("\nVmSize:"), size, "F4 mapped and unmapped, VmSize is as before");
    is(status("\nVmPeak:"), size + KB, "F4 VmPeak remembers");
    at = map(PAGES / 2);
    is(status("\nVmPeak:"), size + KB, "F4 a smaller mapping leaves it");
    munmap(at, PAGES / 2 * PAGE);
    at = map(2 * PAGES);
    is(status("\nVmPeak:"), size + 2 * KB, "F4 a larger one raises it");
    munmap(at, 2 * PAGES * PAGE);
}

// Each way of giving memory up leaves the peak.
static void resident_check(void)
{
    struct rusage usage;
    char *at = map(PAGES);
    long rss = rss_all(0) * 4;
    region_write(at, PAGES, 1);
    madvise(at, PAGES * PAGE, MADV_DONTNEED);
    between(rss + KB - LAG, status("\nVmHWM:"), rss + KB + LAG, "F4 VmHWM remembers what MADV_DONTNEED dropped");
    between(rss - LAG, status("\nVmRSS:"), rss + LAG, "F4 VmRSS has fallen");
    region_write(at, PAGES / 2, 1);
    between(rss + KB - LAG, status("\nVmHWM:"), rss + KB + LAG, "F4 half of it again leaves VmHWM");
    munmap(at, PAGES * PAGE);
    at = map(2 * PAGES);
    region_write(at, 2 * PAGES, 1);
    munmap(at, 2 * PAGES * PAGE);
    between(rss + 2 * KB - LAG, status("\nVmHWM:"), rss + 2 * KB + LAG, "F4 munmap leaves it as well");
    long peak = status("\nVmHWM:");
    getrusage(RUSAGE_SELF, &usage);
    between(peak - LAG, usage.ru_maxrss, peak + LAG, "F4 ru_maxrss is VmHWM");
}

static void child_reports(struct link *link, void *arg)
{
    (void)arg;
    say(link, status("\nVmPeak:") - status("\nVmSize:"));
    say(link, status("\nVmHWM:") - rss_all(0) * 4);
    char *at = map(PAGES);
    region_write(at, PAGES, 1);
    munmap(at, PAGES * PAGE);
    say(link, status("\nVmHWM:"));
    hear(link);
}

static void fork_check(void)
{
    struct rusage usage;
    int state;
    struct link link = child_start(child_reports, NULL);
    is(hear(&link), 0, "F4 a child's VmPeak begins at its size");
    between(-LAG, hear(&link), LAG, "F4 its VmHWM at what it holds");
    long peak = hear(&link);
    between(KB - LAG, peak, KB + 4096, "F4 and grows with it");
    say(&link, 0);
    wait4(link.pid, &state, 0, &usage);
    between(peak - LAG, usage.ru_maxrss, peak + LAG, "F4 wait4 hands it over as ru_maxrss");
    close(link.in);
    close(link.out);
}

int main(void)
{
    tap_begin();
    observe_settle();
    status("\nVmPeak:");
    size_check();
    resident_check();
    fork_check();
    return tap_end();
}
