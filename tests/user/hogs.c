// SPDX-License-Identifier: MIT
// ram: 96M  time: 120
// not-with: zfod=off
//
// Rounds of hogs and OOM kills on a small machine: after each round the frames and the promises are
// back, and nothing hangs. The count is the first argument (15 in the ring; tests/system/oom-rounds.t
// does 200 on 64 MiB), a seed the second.
#include "oom.h"

#define SLACK (on_lazybones() ? 16l : 512l) // frames; Linux, and slabs on Lazybones, keep what was needed
#define ROUND_MS 10000

static unsigned long seed;
static long machine; // pages that are free at the start
static long hogs_killed, hogs_well, hogs_lost, slowest;

static unsigned long draw(unsigned long below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static long now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// One to four hogs at once, of any size and way and dislike; together they want more than there is.
static bool round_run(void)
{
    struct link links[4];
    int count = 1 + draw(4);
    long begun = now_ms();
    for (int i = 0; i < count; i++) {
        struct hog hog = {.adj = (int)draw(3) * 300, .way = draw(BY_SHARED + 1)};
        hog.pages = i == 0 ? 2 * machine : (long)draw(machine);
        links[i] = hog_start(&hog);
    }
    bool killed = false;
    for (int i = 0; i < count; i++) {
        int status = hog_wait(&links[i]);
        bool dead = killed_by(status, SIGKILL), well = status == 0;
        killed |= dead;
        hogs_killed += dead;
        hogs_well += well;
        hogs_lost += !dead && !well;
    }
    long took = now_ms() - begun;
    slowest = took > slowest ? took : slowest;
    return killed;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
    seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 20250131;
    setvbuf(stdout, NULL, _IONBF, 0);
    oom_begin();
    machine = meminfo("MemFree:") / 4;
    for (int i = 0; i < 3; i++)
        round_run();
    hogs_killed = hogs_well = hogs_lost = slowest = 0;
    long frames = frames_await(machine - SLACK, 1000), committed = meminfo("Committed_AS:");
    long with_kill = 0, least = frames, ledger_off = 0;
    for (long i = 0; i < rounds; i++) {
        with_kill += round_run();
        long free = frames_await(frames - SLACK, ROUND_MS);
        least = free < least ? free : least;
        ledger_off += meminfo("Committed_AS:") != committed;
        if (rounds > 20 && i % 20 == 19)
            tap_note("round %ld: %ld hogs killed, %ld ended well, least free %ld", i + 1, hogs_killed, hogs_well,
                     least);
    }
    is(with_kill, rounds, "K4 %ld rounds of hogs: somebody is killed in each", rounds);
    is(hogs_lost, 0, "K1 a hog is killed or ends well, nothing else");
    between(-SLACK, frames - least, 2 * SLACK, "K4 MemFree is back after each round");
    is(ledger_off, 0, "K4 Committed_AS is back after each round");
    between(0, slowest, 20000, "K4 no round takes long");
    tap_note("%ld killed, %ld ended well, slowest round %ld ms, seed for more: second argument", hogs_killed,
             hogs_well, slowest);
    return tap_end();
}
