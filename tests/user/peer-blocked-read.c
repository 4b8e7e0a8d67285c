// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// A peers' bug: a copy that is under way into a page which fork makes copy-on-write meanwhile. A
// process sleeps in read() into a page that it shares; its relatives write the page before the
// bytes come; the bytes must reach the reader's page alone, at the moment of the copy.
#include "child.h"
#include "observe.h"

static void child_blocks(struct link *link, void *arg)
{
    char *page = arg;
    say(link, 1);
    if (read(link->in, page + 8, 8) != 8)
        _exit(1);
    say(link, page[8] == 'A' && page[15] == 'A' && page[7] == 'p' && page[16] == 'p');
}

static void grandparent_of_a_sharer(struct link *link, void *arg)
{
    char *page = arg;
    struct link below = child_start(child_blocks, page);
    hear(&below);
    page[8] = 'c'; // copies: the reader below sleeps on the old page
    say(link, 1);
    say(&below, hear(link));
    say(link, hear(&below));
    say(link, child_end(&below) == 0 && page[8] == 'c' && page[15] == 'p');
}

int main(void)
{
    const long letters = 0x4141414141414141; // AAAAAAAA
    tap_begin();
    char *page = region_map(1);
    memset(page, 'p', PAGE);

    struct link link = child_start(child_blocks, page);
    hear(&link);
    page[8] = 'w'; // while the child sleeps in read()
    say(&link, letters);
    is(hear(&link), 1, "the bytes are in the reader's page, beside what it shared");
    is(child_end(&link), 0, "the reader ends well");
    ok(page[8] == 'w' && page[9] == 'p', "the writer's page holds the writer's byte alone");

    memset(page, 'p', PAGE);
    link = child_start(grandparent_of_a_sharer, page);
    hear(&link);
    page[9] = 'w';
    say(&link, letters);
    is(hear(&link), 1, "the same through three generations: the reader's bytes");
    is(hear(&link), 1, "the middle one's");
    is(child_end(&link), 0, "all end well");
    ok(page[8] == 'p' && page[9] == 'w', "and the eldest's");
    return tap_end();
}
