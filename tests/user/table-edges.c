// SPDX-License-Identifier: MIT
// ram: 512M  time: 30
//
// Copy-on-write across the edges of page tables: pages on either side of 2 MiB, 1 GiB and 512 GiB
// boundaries, written by parent, child and grandchild in every order.
#include "child.h"
#include "observe.h"

static char *edges[3];

// Maps 8 pages around a multiple of `span` in a free part of the address space.
static char *edge_map(unsigned long near, unsigned long span)
{
    char *boundary = (char *)((near + span - 1) / span * span);
    char *got = mmap(boundary - 4 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (got == MAP_FAILED)
        tap_bail("mmap at a boundary");
    return got;
}

static bool edges_hold(char value)
{
    bool good = true;
    for (int i = 0; i < 3; i++)
        for (int page = 0; page < 8; page++)
            good &= edges[i][page * PAGE] == value && edges[i][page * PAGE + PAGE - 1] == value;
    return good;
}

static void edges_fill(char value)
{
    for (int i = 0; i < 3; i++)
        memset(edges[i], value, 8 * PAGE);
}

static void grandchild(void *arg)
{
    (void)arg;
    if (!edges_hold('c'))
        _exit(1);
    edges_fill('g');
    _exit(edges_hold('g') ? 0 : 2);
}

static void child_steps(struct link *link, void *arg)
{
    bool write_first = arg;
    if (!write_first)
        hear(link);
    bool good = edges_hold('p');
    edges_fill('c');
    say(link, good);
    say(link, child_run(grandchild, NULL));
    say(link, edges_hold('c'));
    hear(link);
}

static void family_check(bool child_first)
{
    const char *who = child_first ? "the child writes first" : "the parent writes first";
    edges_fill('p');
    struct link link = child_start(child_steps, (void *)(long)child_first);
    if (!child_first) {
        edges_fill('q');
        say(&link, 1);
    }
    is(hear(&link), 1, "%s: the child saw what was there at fork", who);
    is(hear(&link), 0, "%s: the grandchild sees the child's writes and makes its own", who);
    is(hear(&link), 1, "%s: the child's are unharmed by them", who);
    ok(edges_hold(child_first ? 'p' : 'q'), "%s: the parent's are unharmed", who);
    say(&link, 1);
    is(child_end(&link), 0, "%s: all end well", who);
}

int main(void)
{
    tap_begin();
    edges[0] = edge_map(0x100000000000 + MIB, 2 * MIB);
    edges[1] = edge_map(0x110000000000 + MIB, GIB);
    edges[2] = edge_map(0x120000000000 + MIB, 512 * GIB);
    edges_fill('o');
    ok(edges_hold('o'), "pages on both sides of 2 MiB, 1 GiB and 512 GiB boundaries");
    family_check(true);
    family_check(false);
    munmap(edges[0] + 4 * PAGE, 4 * PAGE);
    munmap(edges[1], 4 * PAGE);
    is(edges[0][0] + edges[1][4 * PAGE], 2 * 'q', "unmapping one side leaves the other");
    return tap_end();
}
