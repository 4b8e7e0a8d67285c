// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// not-with: cow=off
//
// P1 Pss in smaps and smaps_rollup: a page's share is its size divided by its mappings, over families of
// processes, however their page tables are shared.
#include "child.h"
#include "observe.h"

#define PAGES 120L

// The kB of pages that have 1, 2, 3 and 4 mappings: each share has 12 binary places, the sum is cut.
static long shares(long alone, long halves, long thirds, long quarters)
{
    const long page = PAGE << 12;
    return (alone * page + halves * (page / 2) + thirds * (page / 3) + quarters * (page / 4)) >> 22;
}

static long pss(pid_t pid, const char *region)
{
    return smaps(pid, region, "\nPss:");
}

// Is told a first page and a number of pages, and writes them.
static void worker(struct link *link, void *region)
{
    long from = hear(link), count = hear(link);
    region_write((char *)region + from * PAGE, count, 'w');
    say(link, 1);
    hear(link);
}

static struct link worker_start(char *region, long from, long count)
{
    struct link link = child_start(worker, region);
    say(&link, from);
    say(&link, count);
    hear(&link);
    return link;
}

static void worker_end(struct link *link)
{
    say(link, 1);
    child_end(link);
}

static void family_check(void)
{
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'p');
    is(pss(0, region), 480, "P1 alone: Pss is Rss");
    struct link a = worker_start(region, 0, 0);
    is(pss(0, region), 240, "P1 with one child that wrote nothing: half");
    is(pss(a.pid, region), 240, "P1 the child's is the other half");
    struct link b = worker_start(region, 0, 30);
    is(pss(0, region), shares(0, 30, 90, 0),
       "P1 two children, one has its own 30 pages: 90 pages by 3, 30 by 2");
    is(pss(a.pid, region), shares(0, 30, 90, 0), "P1 the first child the same");
    is(pss(b.pid, region), shares(30, 0, 90, 0), "P1 the second: 90 by 3 and 30 alone");
    struct link c = worker_start(region, 60, 60);
    long mine = pss(0, region), sum = mine + pss(a.pid, region) + pss(b.pid, region) + pss(c.pid, region);
    is(mine, shares(0, 0, 90, 30), "P1 a third child, another part: by 3, by 4, by 3");
    between((PAGES + 30 + 60) * 4 - 4, sum, (PAGES + 30 + 60) * 4,
            "P1 all of them add up to the frames there are");
    region_write(region, PAGES, 'q');
    is(pss(0, region), 480, "P1 rewritten, all are the parent's alone");
    is(pss(a.pid, region), shares(0, 90, 30, 0), "P1 and the others share what it left");
    worker_end(&c);
    worker_end(&b);
    is(pss(a.pid, region), 480, "P1 the last one has them alone");
    worker_end(&a);
    region_unmap(region, PAGES);
}

// A child's child: three levels of tables that were shared at different times.
static void grandparent(struct link *link, void *region)
{
    struct link below = child_start(worker, region);
    say(&below, 0);
    say(&below, 10);
    hear(&below);
    say(link, pss(below.pid, region));
    say(link, pss(0, region));
    hear(link);
    worker_end(&below);
}

static void generations_check(void)
{
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'p');
    struct link link = child_start(grandparent, region);
    is(hear(&link), shares(10, 0, 110, 0), "P1 a grandchild with 10 pages of its own: 110 by 3");
    is(hear(&link), shares(0, 10, 110, 0), "P1 its parent: 110 by 3, 10 by 2");
    say(&link, 1);
    child_end(&link);
    region_unmap(region, PAGES);
}

static void shared_memory_check(void)
{
    char *shared = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    region_write(shared, 40, 's');
    is(pss(0, shared), 160, "P1 shared memory of one process");
    struct link link = worker_start(shared, 0, 40);
    is(pss(0, shared), 80, "P1 of two");
    is(smaps(0, shared, "\nShared_Dirty:"), 160, "P1 all of it is shared");
    worker_end(&link);
    is(pss(0, shared), 160, "P1 and of one again");
    munmap(shared, 40 * PAGE);
}

static long smaps_sum(const char *key)
{
    long sum = 0;
    for (char *at = observe_file("/proc/self/smaps"); (at = strstr(at, key)); at += strlen(key))
        sum += strtol(at + strlen(key), NULL, 10);
    return sum;
}

// The rollup adds up before it rounds down to kB; smaps rounds each mapping.
static void rollup_check(void)
{
    static const char *const keys[] = {"\nRss:", "\nShared_Clean:", "\nShared_Dirty:", "\nPrivate_Clean:",
                                       "\nPrivate_Dirty:", "\nAnonymous:"};
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'p');
    struct link link = worker_start(region, 0, 50);
    for (int i = 0; i < 6; i++) {
        long sum = smaps_sum(keys[i]);
        between(sum, observe_number(observe_file("/proc/self/smaps_rollup"), keys[i]), sum,
                "P1 smaps_rollup adds up smaps: %s", keys[i] + 1);
    }
    long sum = smaps_sum("\nPss:"),
         rollup = observe_number(observe_file("/proc/self/smaps_rollup"), "\nPss:");
    between(sum, rollup, sum + 30, "P1 and its Pss");
    long parts = observe_number(observe_text, "\nPss_Anon:") + observe_number(observe_text, "\nPss_File:") +
                 observe_number(observe_text, "\nPss_Shmem:");
    between(rollup - 2, parts, rollup, "P1 which its three kinds add up to");
    ok(strstr(observe_text, "[rollup]\nRss: "), "P1 it has one header");
    worker_end(&link);
    region_unmap(region, PAGES);
}

int main(void)
{
    tap_begin();
    observe_settle();
    family_check();
    generations_check();
    shared_memory_check();
    rollup_check();
    return tap_end();
}
