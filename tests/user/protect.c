// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// mprotect: rights taken and given, on memory untouched, read, written and shared after fork. Rights
// taken hold at once; contents never change.
#include "catch.h"
#include "child.h"
#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)

static void there_and_back(char *page, const char *what)
{
    char before = page[0];
    mprotect(page, PAGE, PROT_READ);
    is(catch(touch_write, page).signal, SIGSEGV, "%s, made read-only: a write faults", what);
    mprotect(page, PAGE, PROT_NONE);
    is(catch(touch_read, page).signal, SIGSEGV, "%s, made PROT_NONE: a read faults", what);
    mprotect(page, PAGE, RW);
    is(page[0], before, "%s: the contents are kept", what);
    page[0] = 'n';
    is(page[0], 'n', "%s: it can be written again", what);
}

static void child_checks(void *arg)
{
    char *page = arg;
    mprotect(page, 4 * PAGE, PROT_READ);
    if (catch(touch_write, page).signal != SIGSEGV || page[0] != 'p')
        _exit(1);
    mprotect(page, 4 * PAGE, RW);
    page[0] = 'c';
    _exit(page[0] == 'c' && page[PAGE] == 'p' ? 0 : 2);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(8);
    there_and_back(region, "an untouched page");
    region_read(region + PAGE, 1);
    there_and_back(region + PAGE, "a page that was read");
    region[2 * PAGE] = 'w';
    there_and_back(region + 2 * PAGE, "a page that was written");

    char *shared = region_map(4);
    region_write(shared, 4, 'p');
    is(child_run(child_checks, shared), 0, "a child changes the rights of copy-on-write pages");
    is(region_read(shared, 4), 4 * 'p', "the parent's contents are unharmed");
    shared[0] = 'q';
    is(shared[0], 'q', "and so are its rights");

    char *split = region_map(512);
    region_write(split, 512, 's');
    for (int i = 0; i < 512; i += 2)
        mprotect(split + i * PAGE, PAGE, PROT_READ);
    int right = 0;
    for (int i = 0; i < 512; i += 51)
        right += catch(touch_write, split + i * PAGE).signal == (i % 2 ? 0 : SIGSEGV);
    is(right, 11, "every second page made read-only: each page has its own rights");
    mprotect(split, 512 * PAGE, RW);
    region_write(split, 512, 't');
    is(region_read(split, 512), 512 * 't', "one mprotect gives the right back to all");

    long rss = rss_at(split);
    mprotect(split, 512 * PAGE, PROT_NONE);
    is(rss_at(split), rss, "PROT_NONE keeps the frames");
    mprotect(split, 512 * PAGE, PROT_READ);
    is(region_read(split, 512), 512 * 't', "and the contents");
    return tap_end();
}
