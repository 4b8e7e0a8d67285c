// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off zeropage=off
//
// P2: /proc/meminfo and /proc/vmstat: each figure moves by what is done, and both tell the same.
#include "child.h"
#include "mman-new.h"
#include "observe.h"

#define PAGES 2048L
#define KB (PAGES * 4)
#define RW (PROT_READ | PROT_WRITE)
#define SLACK (on_lazybones() ? 0 : 4l * FRAMES_SLACK_LINUX) // kB

static long vmstat(const char *key)
{
    meminfo("MemTotal:"); // Linux: folds the batches in
    long value = observe_number(observe_file("/proc/vmstat"), key);
    if (value < 0)
        tap_bail(key);
    return value;
}

static char *map(int flags)
{
    char *at = mmap(NULL, PAGES * PAGE, RW, MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

// Checks a figure of meminfo against the one it was.
static void moved(const char *key, long before, long by, const char *what)
{
    between(by - SLACK, meminfo(key) - before, by + SLACK, "P2 %s: %s moves by %ld kB", what, key, by);
}

static void anonymous_check(void)
{
    long anon = meminfo("AnonPages:"), free = frames_free() * 4, cached = meminfo("Cached:");
    char *at = map(MAP_PRIVATE);
    moved("AnonPages:", anon, 0, "a promise");
    region_read(at, PAGES);
    moved("AnonPages:", anon, 0, "reading it");
    region_write(at, PAGES, 1);
    moved("AnonPages:", anon, KB, "writing it");
    between(KB, free - frames_free() * 4, KB + 40 + SLACK, "P2 writing it: MemFree falls");
    moved("Cached:", cached, 0, "writing it");
    munmap(at, PAGES * PAGE);
    moved("AnonPages:", anon, 0, "giving it back");
    between(-SLACK - 8, free - frames_free() * 4, SLACK + 8, "P2 giving it back: MemFree rises");
}

static void shared_check(void)
{
    long shmem = meminfo("Shmem:"), cached = meminfo("Cached:"), anon = meminfo("AnonPages:");
    char *at = map(MAP_SHARED);
    region_write(at, PAGES, 1);
    moved("Shmem:", shmem, KB, "shared memory");
    moved("Cached:", cached, KB, "shared memory");
    moved("AnonPages:", anon, 0, "shared memory");
    munmap(at, PAGES * PAGE);
    moved("Shmem:", shmem, 0, "shared memory, unmapped");
}

static void locked_check(void)
{
    long locked = meminfo("Mlocked:"), unevictable = meminfo("Unevictable:");
    char *at = map(MAP_PRIVATE | MAP_LOCKED);
    moved("Mlocked:", locked, KB, "locked memory");
    moved("Unevictable:", unevictable, KB, "locked memory");
    munlock(at, PAGES * PAGE);
    moved("Mlocked:", locked, 0, "memory unlocked");
    munmap(at, PAGES * PAGE);
}

static void tables_check(void)
{
    long tables = meminfo("PageTables:");
    char *at = mmap(NULL, GIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (long i = 0; i < 100; i++)
        at[i * 5 * LEAF_SPAN] = 1;
    between(400, meminfo("PageTables:") - tables, 412, "P2 a hundred far places: PageTables by a hundred tables");
    munmap(at, GIB);
    between(-8, meminfo("PageTables:") - tables, 4, "P2 unmapped: PageTables as before");
}

static void child_waits(struct link *link, void *arg)
{
    (void)arg;
    say(link, 0);
    hear(link);
}

static void stacks_check(void)
{
    struct link links[20];
    long stacks = meminfo("KernelStack:");
    for (int i = 0; i < 20; i++) {
        links[i] = child_start(child_waits, NULL);
        hear(&links[i]);
    }
    long grown = meminfo("KernelStack:") - stacks;
    between(20 * 8, grown, 20 * 32, "P2 twenty processes: KernelStack by that of each");
    for (int i = 0; i < 20; i++)
        say(&links[i], 0);
    for (int i = 0; i < 20; i++)
        child_end(&links[i]);
}

// The two files, figure by figure; nothing happens in between but the reading.
static void agreement_check(void)
{
    static const struct {
        const char *meminfo, *vmstat;
    } pairs[] = {
        {"MemFree:", "nr_free_pages "},       {"AnonPages:", "nr_anon_pages "},
        {"Shmem:", "nr_shmem "},              {"PageTables:", "nr_page_table_pages "},
        {"Mlocked:", "nr_mlock "},            {"Mapped:", "nr_mapped "},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        long pages = vmstat(pairs[i].vmstat), kb = meminfo(pairs[i].meminfo);
        between(kb - 4 * SLACK, pages * 4, kb + 4 * SLACK, "P2 vmstat's %sis meminfo's %s", pairs[i].vmstat,
                pairs[i].meminfo);
    }
    long total = meminfo("MemTotal:"), free = meminfo("MemFree:"), available = meminfo("MemAvailable:");
    ok(free <= total && available <= total && available > 0, "P2 free and available are less than all");
}

static void faults_check(void)
{
    long pgfault = vmstat("\npgfault "), major = vmstat("\npgmajfault ");
    char *at = map(MAP_PRIVATE);
    region_write(at, PAGES, 1);
    long grown = vmstat("\npgfault ") - pgfault;
    between(PAGES, grown, PAGES + 20, "P2 pgfault counts the faults");
    is(vmstat("\npgmajfault ") - major, 0, "P2 pgmajfault does not");
    munmap(at, PAGES * PAGE);
}

int main(void)
{
    tap_begin();
    observe_settle();
    vmstat("\npgfault ");
    anonymous_check();
    shared_check();
    locked_check();
    tables_check();
    stacks_check();
    agreement_check();
    faults_check();
    return tap_end();
}
