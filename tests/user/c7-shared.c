// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// C7: MAP_SHARED|MAP_ANONYMOUS memory is one memory for parent and child. It is not copied on write,
// whoever touches a page first.
#include "child.h"
#include "observe.h"

#define PAGES 64L

// In words of the pages: 0..15 written before fork, 16..31 by the child, 32..47 by the parent.
static void child_steps(struct link *link, void *arg)
{
    char *shared = arg;
    observe_settle();
    bool good = true;
    for (long i = 0; i < 16; i++)
        good &= shared[i * PAGE] == 'p';
    say(link, good);

    long frames = frames_free(), tables = frames_tables();
    region_write(shared, 16, 'c');
    say(link, frames - frames_free() - (frames_tables() - tables));
    region_write(shared + 16 * PAGE, 16, 'c');
    say(link, 1);

    hear(link);
    good = true;
    for (long i = 32; i < 48; i++)
        good &= shared[i * PAGE] == 'p';
    say(link, good);
    madvise(shared, 16 * PAGE, MADV_DONTNEED);
    say(link, shared[0] == 'c');
    munmap(shared, 8 * PAGE);
    say(link, 1);
}

static char *shared_map(long pages)
{
    char *shared = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        tap_bail("C7 mmap of shared memory");
    return shared;
}

static void parent_and_child(char *shared)
{
    struct link link = child_start(child_steps, shared);
    is(hear(&link), 1, "C7 the child reads what was written before fork");
    between(-slack_objects(), hear(&link), slack_objects(),
            "C7 the child's writes take no frames: nothing is copied");
    hear(&link);
    bool good = true;
    for (long i = 0; i < 32; i++)
        good &= shared[i * PAGE] == 'c';
    ok(good, "C7 the parent sees the child's writes, in old pages and in new ones");
    region_write(shared + 32 * PAGE, 16, 'p');
    say(&link, 1);
    is(hear(&link), 1, "C7 the child sees the parent's writes to new pages");
    is(hear(&link), 1, "C7 MADV_DONTNEED does not lose the contents");
    hear(&link);
    is(shared[0], 'c', "C7 the child's munmap leaves the parent's mapping alone");
    is(child_end(&link), 0, "C7 the child ends well");
}

static void grandchild_counts(void *arg)
{
    volatile int *counter = arg;
    for (int i = 0; i < 3; i++)
        if (fork() == 0)
            counter[0] += 1;
        else
            wait(NULL);
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *shared = shared_map(PAGES);
    region_write(shared, 16, 'p');
    parent_and_child(shared);
    is(shared[31 * PAGE], 'c', "C7 after the child's exit its writes are still there");
    is(shared[60 * PAGE], 0, "C7 a page that nobody wrote is zero");

    int *counter = (int *)shared_map(1);
    is(child_run(grandchild_counts, counter), 0, "C7 a family counts in shared memory");
    is(*counter, 7, "C7 three generations have each added their part");

    long frames = frames_free();
    char *touched = shared_map(256);
    region_write(touched, 256, 1);
    munmap(touched, 256 * PAGE);
    between(-slack_objects(), frames - frames_free(), slack_objects(),
            "C7 the last munmap gives the frames back");
    return tap_end();
}
