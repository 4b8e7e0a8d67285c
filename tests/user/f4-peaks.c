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

#define STRAY 64 // kB that a child may have touched meanwhile for itself

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

static void poorer_child_reports(struct link *link, void *arg)
{
    (void)arg;
    say(link, status("\nVmHWM:") - rss_all(0) * 4);
}

// What a child does not get of its parent's memory has never been resident in it.
static void advised_fork_check(void)
{
    char *at = map(2 * PAGES);
    region_write(at, 2 * PAGES, 1);
    madvise(at, PAGES * PAGE, MADV_DONTFORK);
    madvise(at + PAGES * PAGE, PAGES * PAGE, MADV_WIPEONFORK);
    struct link link = child_start(poorer_child_reports, NULL);
    between(-LAG, hear(&link), LAG, "F4 without what MADV_DONTFORK and MADV_WIPEONFORK keep from it");
    is(child_end(&link), 0, "F4 the child ends");
    munmap(at, 2 * PAGES * PAGE);
}

static void sharer_reports(struct link *link, void *arg)
{
    const volatile char *at = arg;
    for (long i = 0; i < PAGES; i++)
        (void)at[i * PAGE];
    long rss = rss_all(0) * 4;
    say(link, 0);
    hear(link);
    say(link, status("\nVmHWM:") - rss);
    say(link, rss - rss_all(0) * 4);
}

// What the parent takes out of an object is gone for the child, but not forgotten.
static void shared_check(void)
{
    char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    region_write(at, PAGES, 1);
    struct link link = child_start(sharer_reports, at);
    hear(&link);
    is(madvise(at, PAGES * PAGE, MADV_REMOVE), 0, "F4 a shared object loses its pages");
    say(&link, 0);
    between(-LAG, hear(&link), LAG, "F4 a child's VmHWM remembers them");
    between(KB - LAG - STRAY, hear(&link), KB + LAG, "F4 its VmRSS does not");
    is(child_end(&link), 0, "F4 the child ends");
    munmap(at, PAGES * PAGE);
}

int main(void)
{
    tap_begin();
    observe_settle();
    status("\nVmPeak:");
    size_check();
    resident_check();
    fork_check();
    advised_fork_check();
    shared_check();
    return tap_end();
}
