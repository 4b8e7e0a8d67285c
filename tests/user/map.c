// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// mmap and munmap: hints, fixed places, holes punched in mappings, neighbours, gaps found again.
#include "catch.h"
#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void places_check(void)
{
    char *free_place = region_map(16);
    region_unmap(free_place, 16);
    char *got = mmap(free_place, 4 * PAGE, RW, ANON, -1, 0);
    ok(got == free_place, "a free hint is taken");
    char *other = mmap(free_place, 4 * PAGE, RW, ANON, -1, 0);
    ok(other != MAP_FAILED && (other >= got + 4 * PAGE || other + 4 * PAGE <= got),
       "a taken hint is passed over");
    munmap(other, 4 * PAGE);
    other = mmap(free_place + 8 * PAGE + 5, PAGE, RW, ANON, -1, 0);
    ok(((uintptr_t)other & (PAGE - 1)) == 0, "an unaligned hint gives an aligned mapping");
    munmap(other, PAGE);

    memset(got, 'o', 4 * PAGE);
    char *over = mmap(got + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    ok(over == got + PAGE, "MAP_FIXED goes where it is told");
    ok(got[0] == 'o' && all_bytes(over, 2 * PAGE, 0) && got[3 * PAGE] == 'o',
       "it replaces exactly what it covers");
    other = mmap(got + 4 * PAGE, PAGE, RW, ANON | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0);
    ok(other == got + 4 * PAGE, "MAP_FIXED_NOREPLACE takes a free place");
    munmap(got, 5 * PAGE);
}

static void holes_check(void)
{
    char *region = region_map(9);
    region_write(region, 9, 'h');
    munmap(region + 4 * PAGE, PAGE);
    is(catch(touch_read, region + 4 * PAGE).signal, SIGSEGV, "a hole punched in the middle is a hole");
    is(region_read(region, 4) + region_read(region + 5 * PAGE, 4), 8 * 'h', "both sides are unharmed");
    munmap(region, PAGE);
    munmap(region + 8 * PAGE, PAGE);
    is(catch(touch_read, region).signal, SIGSEGV, "the first page is cut off");
    is(catch(touch_read, region + 8 * PAGE).signal, SIGSEGV, "the last page is cut off");
    is(region_read(region + PAGE, 3) + region_read(region + 5 * PAGE, 3), 6 * 'h',
       "what is left is unharmed");
    is(munmap(region, 9 * PAGE), 0, "one munmap takes several mappings and holes");
    is(catch(touch_read, region + 2 * PAGE).signal, SIGSEGV, "they are gone");
    is(catch(touch_read, region + 6 * PAGE).signal, SIGSEGV, "all of them");

    region = region_map(8);
    region_write(region, 8, 'r');
    munmap(region, 8 * PAGE);
    char *again = mmap(region, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    ok(all_bytes(again, 8 * PAGE, 0), "memory mapped anew at the same place is zero");
}

// Lines of /proc/self/maps that lie within [start, end).
static int mappings_within(char *start, char *end)
{
    int count = 0;
    for (char *line = observe_file("/proc/self/maps"); *line; line = strchr(line, '\n') + 1) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx", &from, &to) == 2)
            count += from >= (unsigned long)start && to <= (unsigned long)end;
    }
    return count;
}

static void merging_check(void)
{
    char *region = region_map(8);
    is(mappings_within(region, region + 8 * PAGE), 1, "one mapping is one line of /proc/self/maps");
    mprotect(region + 3 * PAGE, PAGE, PROT_READ);
    is(mappings_within(region, region + 8 * PAGE), 3, "a page made read-only splits it in three");
    mprotect(region + 3 * PAGE, PAGE, RW);
    is(mappings_within(region, region + 8 * PAGE), 1, "made writable again it merges to one");
    munmap(region + 3 * PAGE, PAGE);
    is(mappings_within(region, region + 8 * PAGE), 2, "a hole makes two");
    mmap(region + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    is(mappings_within(region, region + 8 * PAGE), 1, "filling it makes one again");
}

static void many_check(void)
{
    static char *each[1000];
    int good = 0;
    long frames = frames_free();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            each[i] = mmap(NULL, (1 + i % 3) * PAGE, i % 2 ? RW : PROT_READ, ANON, -1, 0);
            if (i % 2)
                each[i][0] = i % 100;
        }
        for (int i = 0; i < 1000; i++)
            good += each[i] != MAP_FAILED && each[i][0] == (i % 2 ? i % 100 : 0);
        for (int i = 0; i < 1000; i++)
            munmap(each[i * 7 % 1000], (1 + i * 7 % 1000 % 3) * PAGE);
    }
    is(good, 2000, "two thousand mappings of two kinds are made and hold their bytes");
    between(-slack_objects(), frames - frames_free(), slack_processes(20), "their memory comes back");
}

int main(void)
{
    tap_begin();
    observe_settle();
    places_check();
    holes_check();
    merging_check();
    many_check();
    return tap_end();
}
