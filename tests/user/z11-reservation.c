// SPDX-License-Identifier: MIT
// ram: 96M  time: 20
// not-with: zfod=off
//
// Z11: 500 GiB reserved on a machine of 96 MiB with overcommit_memory=1. It works where it is touched.
#include "sysctl.h"
#include "child.h"
#include "observe.h"

#define SIZE (500 * GIB)
#define PLACES 1000L
#define STEP (SIZE / PLACES / PAGE * PAGE)

static long places_sum(const unsigned char *memory)
{
    long sum = 0;
    for (long i = 0; i < PLACES; i++)
        sum += memory[i * STEP];
    return sum;
}

static void child_sees(void *arg)
{
    unsigned char *memory = arg;
    if (places_sum(memory) != PLACES * 7)
        _exit(1);
    memory[SIZE - 1] = 9;
    memory[3 * STEP] = 8;
    _exit(places_sum(memory) == PLACES * 7 + 1 ? 0 : 2);
}

int main(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    knob_need("overcommit_memory", 1);
    long vsz = vsz_all(), frames = frames_free(), committed = meminfo("Committed_AS:");
    unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!ok(memory != MAP_FAILED, "Z11 500 GiB are promised"))
        return tap_end();
    is(vsz_all() - vsz, SIZE / PAGE, "Z11 VSZ grows by 500 GiB");
    is(meminfo("Committed_AS:") - committed, SIZE / 1024, "Z11 so does Committed_AS");
    between(-slack_objects(), frames - frames_free(), slack_objects(), "Z11 no frame is taken");

    for (long i = 0; i < PLACES; i++)
        memory[i * STEP] = 7;
    is(rss_at(memory), PLACES, "Z11 a thousand touched places: RSS is a thousand pages");
    // A page and a leaf table each, and a middle table for each of the 500 GiB. Linux was seen to take 1 MiB
    // more, whose whereabouts its files do not show.
    between(2 * PLACES, frames - frames_free(), 2 * PLACES + 510 + 5 * slack_objects(),
            "Z11 frames: the pages and their tables");
    is(places_sum(memory), PLACES * 7, "Z11 they hold what was written");
    is(memory[SIZE - 1] + memory[SIZE / 2 + 1], 0, "Z11 the rest reads zero");
    is(child_run(child_sees, memory), 0, "Z11 fork takes the reservation along");
    is(places_sum(memory) + memory[SIZE - 1], PLACES * 7, "Z11 the parent's memory is unharmed");

    is(munmap(memory, SIZE), 0, "Z11 it can be unmapped");
    is(meminfo("Committed_AS:"), committed, "Z11 the promise is given back");
    between(-slack_objects(), frames - frames_free(), slack_objects(), "Z11 and the frames");

    knob_need("overcommit_memory", 0);
    fails((long)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM,
          "Z11 in mode 0 it is refused");
    return tap_end();
}
