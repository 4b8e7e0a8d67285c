// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off zeropage=off cow=off
//
// P1: what the files of /proc/PID say of one process agrees: statm, status, stat, smaps, smaps_rollup and
// pagemap, over memory of every kind.
#include "child.h"
#include "mman-new.h"
#include "observe.h"

#define PAGES 512L
#define KB (PAGES * 4)
#define RW (PROT_READ | PROT_WRITE)
#define LAG (on_lazybones() ? 0 : 64l) // pages: Linux's counters behind statm, stat and status lag

static const char *flags_of(const void *at)
{
    static char flags[100];
    char *entry = smaps_entry(0, at), *line = entry ? strstr(entry, "\nVmFlags:") : NULL;
    flags[0] = ' ';
    if (line)
        sscanf(line, "\nVmFlags:%98[^\n]", flags + 1);
    return flags;
}

static bool has_flag(const void *at, const char *flag)
{
    char word[8];
    snprintf(word, sizeof(word), " %s ", flag);
    return strstr(flags_of(at), word);
}

static long smaps_sum(const char *key)
{
    long sum = 0;
    for (char *at = observe_file("/proc/self/smaps"); (at = strstr(at, key)); at++)
        sum += observe_number(at, key);
    return sum;
}

static long status(const char *key)
{
    return observe_number(observe_file("/proc/self/status"), key);
}

// Number `index` of a line of numbers, from 0.
static long word(char *line, int index)
{
    while (index-- > 0)
        line = strchr(line, ' ') + 1;
    return strtol(line, NULL, 10);
}

static long statm(int index)
{
    return word(observe_file("/proc/self/statm"), index);
}

// Field `number` of /proc/self/stat, from 1 as in proc(5); for those after the name.
static long stat_field(int number)
{
    return word(strrchr(observe_file("/proc/self/stat"), ')') + 2, number - 3);
}

static void agreement_check(const char *when)
{
    long size = smaps_sum("\nSize:"), rss = smaps_sum("\nRss:"), anon = smaps_sum("\nAnonymous:");
    is(statm(0) * 4, status("\nVmSize:"), "P1 %s: statm's size is VmSize", when);
    is(stat_field(23) / 1024, status("\nVmSize:"), "P1 %s: stat's vsize is VmSize", when);
    // Linux shows its vdso and vvar in smaps and does not count the latter, special, mapping's pages.
    between(status("\nVmSize:"), size, status("\nVmSize:") + 32, "P1 %s: smaps' sizes add up to it", when);
    between(rss / 4 - 3 * LAG, statm(1), rss / 4 + 3 * LAG, "P1 %s: statm's resident is the sum of smaps", when);
    between(statm(1) * 4, status("\nVmRSS:"), statm(1) * 4, "P1 %s: it is VmRSS", when);
    is(stat_field(24), statm(1), "P1 %s: and stat's rss", when);
    is(status("\nRssAnon:") + status("\nRssFile:") + status("\nRssShmem:"), status("\nVmRSS:"),
       "P1 %s: its three parts add up", when);
    between(anon - LAG * 4, status("\nRssAnon:"), anon + LAG * 4, "P1 %s: RssAnon is the sum of Anonymous", when);
    is(observe_number(observe_file("/proc/self/smaps_rollup"), "\nRss:"), rss, "P1 %s: smaps_rollup's Rss", when);
    is(smaps_sum("\nShared_Clean:") + smaps_sum("\nShared_Dirty:") + smaps_sum("\nPrivate_Clean:") +
           smaps_sum("\nPrivate_Dirty:"),
       rss, "P1 %s: shared and private, clean and dirty are all of it", when);
}

static char *map(int prot, int flags)
{
    char *guard = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *at = mmap(guard + PAGE, PAGES * PAGE, prot, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

static void entry_is(const char *at, const char *key, long want, const char *what)
{
    is(smaps(0, at, key), want, "P1 %s: %s %ld kB", what, key + 1, want);
}

static void kinds_check(void)
{
    char *anon = map(RW, MAP_PRIVATE), *zero = map(RW, MAP_PRIVATE), *shared = map(RW, MAP_SHARED);
    char *reserved = map(RW, MAP_PRIVATE | MAP_NORESERVE), *locked = map(RW, MAP_PRIVATE | MAP_LOCKED);
    char *constant = map(PROT_READ, MAP_PRIVATE), *freed = map(RW, MAP_PRIVATE);
    region_write(anon, PAGES / 2, 1);
    region_read(zero, PAGES);
    region_write(shared, PAGES / 4, 1);
    region_write(reserved, 1, 1);
    region_write(freed, PAGES, 1);
    madvise(freed, PAGES / 2 * PAGE, MADV_FREE);
    agreement_check("with every kind of memory");

    entry_is(anon, "\nSize:", KB, "written memory");
    entry_is(anon, "\nRss:", KB / 2, "written memory");
    entry_is(anon, "\nPss:", KB / 2, "written memory");
    entry_is(anon, "\nPrivate_Dirty:", KB / 2, "written memory");
    entry_is(anon, "\nAnonymous:", KB / 2, "written memory");
    ok(has_flag(anon, "rd") && has_flag(anon, "wr") && has_flag(anon, "mw") && has_flag(anon, "ac"),
       "P1 written memory: flags rd wr mw ac");
    entry_is(zero, "\nRss:", 0, "memory that was read");
    entry_is(shared, "\nRss:", KB / 4, "shared memory");
    entry_is(shared, "\nAnonymous:", 0, "shared memory");
    ok(has_flag(shared, "sh") && has_flag(shared, "ms"), "P1 shared memory: flags sh ms");
    entry_is(reserved, "\nRss:", 4, "MAP_NORESERVE memory");
    ok(has_flag(reserved, "nr") && !has_flag(reserved, "ac"), "P1 MAP_NORESERVE memory: flag nr, not ac");
    entry_is(locked, "\nLocked:", KB, "locked memory");
    ok(has_flag(locked, "lo"), "P1 locked memory: flag lo");
    is(status("\nVmLck:"), KB, "P1 locked memory: VmLck");
    ok(!has_flag(constant, "wr") && !has_flag(constant, "ac"), "P1 read-only memory: neither wr nor ac");
    entry_is(freed, "\nRss:", KB, "memory half given up by MADV_FREE");
    between(KB / 2 - 64, smaps(0, freed, "\nLazyFree:"), KB / 2, "P1 memory half given up: LazyFree is the half");
}

static void pagemap_check(void)
{
    char *region = map(RW, MAP_PRIVATE);
    long present = 0;
    region_write(region + 10 * PAGE, 50, 1);
    for (long i = 0; i < PAGES; i++)
        present += page_present(region + i * PAGE);
    is(present, 50, "P1 pagemap: the written pages are present, no others");
    ok((pagemap(region + 10 * PAGE) & ((1ul << 55) - 1)) != (pagemap(region + 11 * PAGE) & ((1ul << 55) - 1)),
       "P1 pagemap: two pages are in two frames");
}

static void child_shares(struct link *link, void *arg)
{
    region_write(arg, PAGES / 4, 2);
    say(link, 0);
    hear(link);
}

static void sharing_check(void)
{
    char *region = map(RW, MAP_PRIVATE);
    region_write(region, PAGES, 1);
    struct link link = child_start(child_shares, region);
    hear(&link);
    entry_is(region, "\nRss:", KB, "after fork");
    entry_is(region, "\nShared_Dirty:", KB * 3 / 4, "after fork, the child having copied a quarter");
    entry_is(region, "\nPrivate_Dirty:", KB / 4, "after fork");
    entry_is(region, "\nPss:", KB / 4 + KB * 3 / 8, "after fork");
    is(smaps(link.pid, region, "\nPss:"), KB / 4 + KB * 3 / 8, "P1 the child's Pss is the same");
    say(&link, 0);
    child_end(&link);
    entry_is(region, "\nPrivate_Dirty:", KB, "after the child's exit");
}

int main(void)
{
    tap_begin();
    observe_settle();
    agreement_check("at the start");
    kinds_check();
    pagemap_check();
    sharing_check();
    return tap_end();
}
