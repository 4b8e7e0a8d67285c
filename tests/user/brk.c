// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// brk, as the raw system call: the heap grows by promise, shrinks at once, and never holds old data.
#include <sys/syscall.h>

#include "catch.h"
#include "observe.h"

static char *brk_set(char *to)
{
    return (char *)syscall(SYS_brk, to);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *start = brk_set(0);
    ok(start != NULL, "brk(0) tells where the heap ends");
    ok(brk_set((char *)-1) == start, "an absurd request leaves it there");
    ok(brk_set((char *)PAGE) == start, "so does one below its start");

    char *first = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE), *top = first + 4 * MIB;
    long frames = frames_free(), committed = meminfo("Committed_AS:"), vsz = vsz_all();
    ok(brk_set(top) == top, "it grows by 4 MiB");
    between(1024, vsz_all() - vsz, 1025, "the address space grows with it");
    between(4096, meminfo("Committed_AS:") - committed, 4100, "the promise is charged");
    between(-slack_objects(), frames - frames_free(), slack_objects(), "no frame is taken");
    long rss = rss_at(first); // the heap may be one mapping with the program's bss
    is(region_read(first, 1024), 0, "the heap reads zero");
    is(catch(touch_write, top).signal, SIGSEGV, "behind its end nothing is mapped");

    region_write(first, 1024, 'h');
    is(rss_at(first) - rss, 1024, "written, it has its frames");
    frames = frames_free();
    ok(brk_set(first + 2 * MIB) == first + 2 * MIB, "it shrinks by 2 MiB");
    is(rss_at(first) - rss, 512, "RSS falls at once");
    between(512 - slack_objects(), frames_free() - frames, 513 + slack_objects(),
            "and so do the frames in use");
    is(catch(touch_read, top - 1).signal, SIGSEGV, "what was cut off is gone");
    ok(brk_set(top) == top, "it grows again");
    is(region_read(first, 1024), 512 * 'h', "the new part is zero, the old one kept");

    ok(brk_set(first + 100) == first + 100, "the end need not be on a page boundary");
    first[50] = 'x';
    is(first[0], 'h', "the page it lies in stays whole");
    ok(brk_set(start) == start, "it goes back to the start");
    ok(strstr(observe_file("/proc/self/maps"), "[heap]") == NULL || start != first,
       "/proc/self/maps shows no empty heap");
    return tap_end();
}
