// SPDX-License-Identifier: MIT
// ram: 1536M  time: 20
// not-with: zfod=off
//
// Z1: 1 GiB of memory is only a promise. The address space grows, nothing else does.
#include "observe.h"

struct figures {
    long vsz, rss, frames, faults;
};

static struct figures figures_now(void)
{
    struct figures f = {.vsz = vsz_all(), .rss = rss_all(0), .frames = frames_free()};
    f.faults = faults();
    return f;
}

static void promise_check(const char *how, struct figures before, struct figures after)
{
    between(GIB / PAGE, after.vsz - before.vsz, GIB / PAGE + 4, "Z1 %s: VSZ grows by 1 GiB", how);
    between(0, after.rss - before.rss, 4, "Z1 %s: RSS stays", how);
    // malloc writes a word or two in front: a page, and the tables that lead to the first mapping there.
    between(-slack_objects(), before.frames - after.frames, slack_objects() + 5,
            "Z1 %s: no frame is taken", how);
    between(0, after.faults - before.faults, 4, "Z1 %s: no page is faulted in", how);
}

int main(void)
{
    tap_begin();
    observe_settle();

    struct figures before = figures_now();
    char *mapped = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct figures after = figures_now();
    if (mapped == MAP_FAILED)
        tap_bail("Z1 mmap of 1 GiB");
    promise_check("mmap", before, after);
    munmap(mapped, GIB);

    before = figures_now();
    char *allocated = malloc(GIB);
    after = figures_now();
    if (!allocated)
        tap_bail("Z1 malloc of 1 GiB");
    promise_check("malloc", before, after);
    free(allocated);

    struct figures end = figures_now();
    between(0, end.vsz - before.vsz, 4, "Z1 free gives the address space back");
    return tap_end();
}
