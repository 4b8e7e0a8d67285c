// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
//
// No leak: after many rounds of fork, exec and exit MemFree is what it was. The count is the first
// argument (300 in the ring; 10000 for the long run: scripts/run build/tests/user/rounds 10000).
#include "child.h"
#include "observe.h"

#define WARM_UP 20
#define SLACK_LINUX 512 // frames: slabs and per-CPU caches still grow over the first hundreds of rounds
#define SLACK_SLABS 2   // frames of Lazybones' slabs: where an object fills one up is a matter of chance

static const char *self;

static void becomes_nothing(void *arg)
{
    (void)arg;
    execl(self, self, "0", NULL);
}

static void writes_and_exits(void *region)
{
    region_write(region, 32, 'c');
}

// Each round: a child that execs, a child that copies pages, a mapping that comes and goes.
static long rounds_run(long rounds, char *region)
{
    long good = 0;
    for (long i = 0; i < rounds; i++) {
        good += child_run(becomes_nothing, NULL) == 0 && child_run(writes_and_exits, region) == 0;
        char *passing = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        region_write(passing, 16, 1);
        munmap(passing, 16 * PAGE);
    }
    return good;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
    if (rounds == 0)
        return 0; // what the children become
    self = argv[0];
    tap_begin();
    observe_settle();
    char *region = region_map(64);
    region_write(region, 64, 'p');
    rounds_run(WARM_UP, region);

    long committed = meminfo("Committed_AS:"), tables = frames_tables(), frames = meminfo("MemFree:") / 4;
    is(rounds_run(rounds, region), rounds, "%ld rounds of fork, exec, exit end well", rounds);
    long lost = frames - meminfo("MemFree:") / 4;
    long slack = on_lazybones() ? SLACK_SLABS : SLACK_LINUX;
    between(-slack, lost, slack, "MemFree after them equals MemFree before");
    is(frames_tables(), tables, "so do the page tables");
    is(meminfo("Committed_AS:"), committed, "and the promises");
    is(region_read(region, 64), 64 * 'p', "the parent's memory is as it was");
    return tap_end();
}
