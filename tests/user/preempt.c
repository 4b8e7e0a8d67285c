// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: processes
//
// Preemption: a process that never gives the CPU away does not stop the others, several share it, and
// a spinning one can be killed.
#include <time.h>

#include "child.h"
#include "observe.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void spins_for_ever(struct link *link, void *arg)
{
    (void)arg;
    say(link, 1);
    for (volatile long i = 0;; i++)
        ;
}

static void spins_a_while(struct link *link, void *arg)
{
    (void)arg;
    say(link, 1);
    hear(link);
    double end = now() + 0.6;
    long rounds = 0;
    for (volatile long i = 0; now() < end; rounds++)
        for (i = 0; i < 1000; i++)
            ;
    say(link, rounds);
}

static void one_spinner_check(void)
{
    struct link link = child_start(spins_for_ever, NULL);
    hear(&link);
    double start = now();
    struct timespec nap = {0, 10 * 1000 * 1000};
    int naps = 0;
    for (; naps < 10; naps++)
        nanosleep(&nap, NULL);
    double took = now() - start;
    is(naps, 10, "the parent sleeps and wakes ten times beside a spinning child");
    ok(took >= 0.1 && took < 5, "in a time that fits");
    struct link other = child_start(spins_a_while, NULL);
    hear(&other);
    say(&other, 1);
    ok(hear(&other) > 0, "another child starts, works and reports beside it");
    is(child_end(&other), 0, "and ends well");
    kill(link.pid, SIGKILL);
    ok(killed_by(child_end(&link), SIGKILL), "the spinning child can be killed");
}

static void three_spinners_check(void)
{
    struct link links[3];
    long least = 0, most = 0;
    for (int i = 0; i < 3; i++) {
        links[i] = child_start(spins_a_while, NULL);
        hear(&links[i]);
    }
    for (int i = 0; i < 3; i++)
        say(&links[i], 1);
    for (int i = 0; i < 3; i++) {
        long rounds = hear(&links[i]);
        least = i == 0 || rounds < least ? rounds : least;
        most = rounds > most ? rounds : most;
        child_end(&links[i]);
    }
    tap_note("rounds of the slowest %ld, of the fastest %ld", least, most);
    ok(least > 0 && most < 6 * least, "three children share the CPU, none gets six times another's part");
}

int main(void)
{
    tap_begin();
    one_spinner_check();
    three_spinners_check();
    return tap_end();
}
