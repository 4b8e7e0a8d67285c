// SPDX-License-Identifier: MIT
// ram: 512M  time: 90
//
// A peers' bug: reference counts too small for what they count. The zero page is mapped more than
// 65,536 times, a page table and a data page more than 255 times.
#include "child.h"
#include "observe.h"

#define ZERO_PAGES 70000L
#define CHILDREN 270L

static void zero_page_many_times(void)
{
    char *region = region_map(ZERO_PAGES);
    long sum = region_read(region, ZERO_PAGES);
    is(sum, 0, "the zero page is mapped 70,000 times and reads zero");
    region_unmap(region, ZERO_PAGES);
    char *fresh = region_map(16);
    memset(fresh, 1, 8 * PAGE);
    is(region_read(fresh + 8 * PAGE, 8), 0, "after it is unmapped as often it is still the zero page");
}

// Shares the table with all others, or, if asked, copies it and so holds the pages in it.
static void child_holds(struct link *link, void *arg)
{
    char *region = ((char **)arg)[0];
    bool copy_table = ((char **)arg)[1];
    if (copy_table)
        region[0] = 'c';
    say(link, 1);
    hear(link);
    say(link, region[3 * PAGE]);
}

static void pages_many_times(bool copy_table, const char *what)
{
    static struct link links[CHILDREN];
    char *region = region_map(8);
    region_write(region, 8, 'p');
    void *arg[] = {region, (void *)(long)copy_table};
    long sum = 0, ended = 0;
    for (int i = 0; i < CHILDREN; i++) {
        links[i] = child_start(child_holds, arg);
        hear(&links[i]);
    }
    for (int i = 0; i < CHILDREN; i++) {
        say(&links[i], 1);
        sum += hear(&links[i]);
        ended += child_end(&links[i]) == 0;
    }
    is(sum, CHILDREN * 'p', "270 children that %s read the parent's byte", what);
    is(ended, CHILDREN, "all of them end well");
    is(region_read(region, 8), 8 * 'p', "the parent's pages have survived them");
    region_write(region, 8, 'q');
    is(region_read(region, 8), 8 * 'q', "and can be written");
    region_unmap(region, 8);
}

int main(void)
{
    tap_begin();
    observe_settle();
    zero_page_many_times();
    pages_many_times(false, "share a page table");
    pages_many_times(true, "have copied the table");
    long frames = frames_free();
    pages_many_times(true, "have copied the table, once more,");
    between(-slack_objects(), frames - frames_free(), slack_processes(CHILDREN), "every frame comes back");
    return tap_end();
}
