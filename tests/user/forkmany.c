// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
//
// A hundred children at once, each checked: what it saw, what it wrote, how it ended. All frames and
// every promise come back.
#include "child.h"
#include "observe.h"

#define CHILDREN 100
#define PAGES 64L

static char *region;

static void child_works(struct link *link, void *arg)
{
    long number = (long)arg;
    hear(link);
    bool good = region_read(region, PAGES) == PAGES * 'p';
    char *own = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(own, number, 8 * PAGE);
    region[number % PAGES * PAGE] = number;
    good &= all_bytes(own, 8 * PAGE, number) && region[number % PAGES * PAGE] == number;
    good &= region_read(region, PAGES) == (PAGES - 1) * 'p' + number;
    say(link, good);
    _exit(number);
}

static void hundred_children(const char *round)
{
    static struct link links[CHILDREN];
    long right = 0, statuses = 0;
    for (long i = 0; i < CHILDREN; i++)
        links[i] = child_start(child_works, (void *)i);
    for (int i = CHILDREN - 1; i >= 0; i--)
        say(&links[i], 1);
    for (int i = 0; i < CHILDREN; i++)
        right += hear(&links[i]) == 1;
    for (int i = 0; i < CHILDREN; i++)
        statuses += WEXITSTATUS(child_end(&links[i])) == i;
    is(right, CHILDREN, "%s: each saw the parent's memory and kept its own writes", round);
    is(statuses, CHILDREN, "%s: each ended with its own status", round);
    is(region_read(region, PAGES), PAGES * 'p', "%s: the parent's memory is as before", round);
}

int main(void)
{
    tap_begin();
    observe_settle();
    region = region_map(PAGES);
    region_write(region, PAGES, 'p');
    hundred_children("a hundred children");
    long frames = frames_free(), committed = meminfo("Committed_AS:");
    hundred_children("a hundred more");
    between(-slack_objects(), frames - frames_free(), slack_processes(CHILDREN), "every frame comes back");
    is(meminfo("Committed_AS:"), committed, "and every promise");
    return tap_end();
}
