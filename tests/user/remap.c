// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// mremap: shrinks, grows in place, moves. Page-table entries move, contents and frames stay.
#define _GNU_SOURCE
#include "catch.h"
#include "child.h"
#include "observe.h"

static void sizes_check(void)
{
    char *region = region_map(8);
    munmap(region + 4 * PAGE, 4 * PAGE); // room to grow into
    region_write(region, 4, 'r');
    ok(mremap(region, 4 * PAGE, 4 * PAGE, 0) == region, "the same size is no change");
    ok(mremap(region, 4 * PAGE, 2 * PAGE, 0) == region, "it shrinks in place");
    is(catch(touch_read, region + 2 * PAGE).signal, SIGSEGV, "what was cut off is gone");
    is(region_read(region, 2), 2 * 'r', "the rest is unharmed");
    ok(mremap(region, 2 * PAGE, 6 * PAGE, 0) == region, "it grows in place where there is room");
    is(region_read(region, 6), 2 * 'r', "what came is zero");
    region[5 * PAGE] = 'g';
    is(region[5 * PAGE], 'g', "and can be written");
}

static void move_check(void)
{
    char *region = region_map(600), *place = region_map(600);
    munmap(place, 600 * PAGE);
    region_write(region, 599, 'm');
    long rss = rss_all(0), count = faults(), frames = frames_free();
    char *moved = mremap(region, 600 * PAGE, 600 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    ok(moved == place, "it moves to a fixed place");
    is(region_read(moved, 600), 599 * 'm', "with its contents");
    between(0, rss_all(0) - rss, 4, "RSS stays");
    between(-8 - slack_objects(), frames - frames_free(), 8 + slack_objects(), "no frame is copied");
    between(0, faults() - count, on_lazybones() ? 4 : 8, "no page is faulted in anew");
    is(catch(touch_read, region).signal, SIGSEGV, "the old place is empty");

    char *grown = mremap(moved, 600 * PAGE, 2000 * PAGE, MREMAP_MAYMOVE);
    ok(grown != MAP_FAILED, "it grows, moved if need be");
    is(region_read(grown, 2000), 599 * 'm', "contents first, zeroes after them");
    munmap(grown, 2000 * PAGE);
}

static void child_moves(void *arg)
{
    char *place = region_map(16);
    char *moved = mremap(arg, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved != place || region_read(moved, 8) != 8 * 'p')
        _exit(1);
    region_write(moved, 8, 'c');
    _exit(region_read(moved, 8) == 8 * 'c' ? 0 : 2);
}

static void errors_check(void)
{
    char *region = region_map(512);
    munmap(region + 8 * PAGE, 504 * PAGE);
    char *blocked = mmap(region + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    ok(blocked != MAP_FAILED, "a neighbour is mapped behind a region");
    fails((long)mremap(region, 8 * PAGE, 16 * PAGE, 0), ENOMEM, "no room and no MREMAP_MAYMOVE: ENOMEM");
    fails((long)mremap(region + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL, "an unaligned address: EINVAL");
    fails((long)mremap(region, PAGE, 0, MREMAP_MAYMOVE), EINVAL, "a new size of zero: EINVAL");
    fails((long)mremap(region, PAGE, PAGE, 0x80), EINVAL, "unknown flags: EINVAL");
    fails((long)mremap(region, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, region + 4 * PAGE), EINVAL,
          "MREMAP_FIXED without MREMAP_MAYMOVE: EINVAL");
    fails((long)mremap(region, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, region + 2 * PAGE), EINVAL,
          "a new place that overlaps the old: EINVAL");
    fails((long)mremap(region + 100 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT,
          "nothing mapped there: EFAULT");
    fails((long)mremap(region, 10 * PAGE, 20 * PAGE, MREMAP_MAYMOVE), EFAULT,
          "an old size across mappings: EFAULT");
}

int main(void)
{
    tap_begin();
    observe_settle();
    sizes_check();
    move_check();
    char *region = region_map(8);
    region_write(region, 8, 'p');
    is(child_run(child_moves, region), 0, "a child moves copy-on-write pages and writes to them");
    is(region_read(region, 8), 8 * 'p', "the parent's are unharmed, in their place");
    errors_check();
    return tap_end();
}
