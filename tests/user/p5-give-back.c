// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off cow=off
//
// P5: a shrinking break (what malloc_trim does) and munmap give frames back at once; the page tables
// that nothing needs any more as well.
#include <sys/syscall.h>

#include "child.h"
#include "observe.h"

#define PAGES 2048L
#define SIZE (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static long start; // frames that are free at first

static void taken(long low, long high, const char *what)
{
    between(low - slack_objects(), start - frames_free(), high + slack_objects(), "P5 %s", what);
}

static char *brk_to(char *end)
{
    return (char *)syscall(SYS_brk, end);
}

static void heap_check(void)
{
    char *old = (char *)(((uintptr_t)brk_to(NULL) + PAGE - 1) & -PAGE);
    start = frames_free();
    long rss = rss_all(0);
    is(brk_to(old + SIZE) - old, SIZE, "P5 the break moves up by 8 MiB");
    region_write(old, PAGES, 1);
    taken(PAGES, PAGES + 7, "written, it takes its frames and a few tables");
    is(brk_to(old + SIZE / 4) - old, SIZE / 4, "P5 the break moves down to a quarter");
    taken(PAGES / 4, PAGES / 4 + 4, "the frames are free at once");
    is(region_read(old, PAGES / 4), PAGES / 4, "P5 what is below the break is kept");
    is(brk_to(old + SIZE) - old, SIZE, "P5 up again");
    is(region_read(old + SIZE / 4, PAGES * 3 / 4), 0, "P5 what was given back reads zero");
    is(brk_to(old) - old, 0, "P5 down to where it was");
    taken(0, 2, "all is given back");
    is(rss_all(0) - rss, 0, "P5 RSS is what it was");
}

static void map_check(void)
{
    start = frames_free();
    char *at = region_map(PAGES);
    region_write(at, PAGES, 1);
    taken(PAGES + 4, PAGES + 6, "8 MiB of written memory, four tables and what leads to them");
    munmap(at + 100 * PAGE, 1000 * PAGE);
    taken(PAGES - 1000 + 4, PAGES - 1000 + 6, "munmap of 1000 pages within gives 1000 frames");
    is(region_read(at, 100) + region_read(at + 1100 * PAGE, PAGES - 1100), PAGES - 1000, "P5 the rest is kept");
    region_unmap(at, PAGES);
    taken(0, 2, "munmap of all gives the tables back as well");
}

// malloc and free, as a program sees it: large blocks go straight back.
static void malloc_check(void)
{
    free(malloc(SIZE));
    start = frames_free();
    char *block = malloc(SIZE);
    region_write(block, PAGES, 1); // volatile: the compiler would leave out a memset of what is then freed
    taken(PAGES, PAGES + 8, "malloc of 8 MiB, written");
    free(block);
    taken(0, 4, "free gives them back");
}

static void child_shares(struct link *link, void *arg)
{
    long sum = region_read(arg, PAGES);
    say(link, sum);
    hear(link);
    say(link, region_read(arg, PAGES));
    hear(link);
}

// Shared by two, frames go when the second lets go.
static void shared_check(void)
{
    start = frames_free();
    char *at = region_map(PAGES);
    region_write(at, PAGES, 2);
    struct link link = child_start(child_shares, at);
    is(hear(&link), 2 * PAGES, "P5 a child shares 8 MiB");
    region_unmap(at, PAGES);
    taken(PAGES, PAGES + 80, "the parent's munmap gives nothing back yet");
    say(&link, 0);
    is(hear(&link), 2 * PAGES, "P5 the child still has them");
    say(&link, 0);
    child_end(&link);
    between(-slack_processes(1), start - frames_free(), 2 + slack_processes(1), "P5 the child's exit gives them back");
}

int main(void)
{
    tap_begin();
    observe_settle();
    heap_check();
    map_check();
    malloc_check();
    shared_check();
    return tap_end();
}
