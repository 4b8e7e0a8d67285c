// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// not-with: cow=off
//
// C12: a hundred processes share 90 % of their memory and fit, where a hundred copies could not.
#include "child.h"
#include "observe.h"

#define CHILDREN 100
#define PAGES 2560L // 10 MiB
#define OWN 256L    // 1 MiB of it is each child's own
#define OVERHEAD 64 // frames a process costs besides: kernel stack, page tables, its own stack and data

static char *region;

static void child_steps(struct link *link, void *arg)
{
    char mark = (long)arg;
    region_write(region + (PAGES - OWN) * PAGE, OWN, mark);
    say(link, 1);
    hear(link);
    long sum = region_read(region, PAGES - OWN);
    bool good = sum == (PAGES - OWN) * 'p';
    for (long i = PAGES - OWN; i < PAGES; i++)
        good &= region[i * PAGE] == mark;
    say(link, good);
}

int main(void)
{
    static struct link links[CHILDREN];
    tap_begin();
    observe_settle();
    region = region_map(PAGES);
    region_write(region, PAGES, 'p');

    long frames = frames_free(), sharing = 0, well = 0, ended = 0;
    ok(frames < CHILDREN * PAGES, "C12 a hundred copies would not fit into what is free");
    for (long i = 0; i < CHILDREN; i++) {
        links[i] = child_start(child_steps, (void *)(i + 1));
        sharing += hear(&links[i]) == 1;
    }
    is(sharing, CHILDREN, "C12 a hundred children live and have written their own part");
    between(CHILDREN * OWN, frames - frames_free(), CHILDREN * (OWN + OVERHEAD),
            "C12 they take their own part and little more");
    for (int i = 0; i < CHILDREN; i++) {
        say(&links[i], 1);
        well += hear(&links[i]) == 1;
    }
    is(well, CHILDREN, "C12 each sees the shared part and its own marks");
    for (int i = 0; i < CHILDREN; i++)
        ended += child_end(&links[i]) == 0;
    is(ended, CHILDREN, "C12 all end well");
    is(region_read(region, PAGES), PAGES * 'p', "C12 the parent's memory is as before");
    between(-slack_objects(), frames - frames_free(), slack_processes(CHILDREN),
            "C12 every frame comes back");
    return tap_end();
}
