// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// A peers' bug: a fault that is mapped into another address space than the one that faulted. Two
// processes fault at the same addresses in turns, in user code and inside read(), while both sleep
// and wake; each must end with its own bytes.
#include "child.h"
#include "observe.h"

#define PAGES 200L

// Fills every page at the same addresses as the other side does, in step with it.
static long fill_in_turns(struct link *link, char *region, char mark)
{
    for (long i = 0; i < PAGES; i++) {
        region[i * PAGE] = mark;
        say(link, mark);
        if (read(link->in, region + i * PAGE + 100, sizeof(long)) != sizeof(long))
            return -1; // the number came by a system call into the same page
    }
    long good = 0;
    for (long i = 0; i < PAGES; i++)
        good += region[i * PAGE] == mark && *(long *)(region + i * PAGE + 100) == (mark ^ 3);
    return good;
}

static void child_fills(struct link *link, void *region)
{
    long good = fill_in_turns(link, region, 'a');
    say(link, good);
}

static void child_sleeps_in_read(struct link *link, void *arg)
{
    char *region = arg;
    say(link, 1);
    if (read(link->in, region, sizeof(long)) != sizeof(long)) // the page is made while the parent runs
        _exit(1);
    say(link, *(long *)region);
}

int main(void)
{
    tap_begin();
    char *region = region_map(PAGES);
    struct link link = child_start(child_fills, region);
    is(fill_in_turns(&link, region, 'a' ^ 3), PAGES, "the parent's pages hold the parent's bytes");
    is(hear(&link), PAGES, "the child's pages hold the child's");
    is(child_end(&link), 0, "the child ends well");

    char *lazy = region_map(2);
    link = child_start(child_sleeps_in_read, lazy);
    hear(&link);
    lazy[PAGE] = 'x';
    say(&link, 0x1122334455667788);
    is(hear(&link), 0x1122334455667788, "a sleeping read() writes into the reader's page");
    is(child_end(&link), 0, "the child ends well");
    is(*(long *)lazy, 0, "the parent's page at that address is still zero");
    return tap_end();
}
