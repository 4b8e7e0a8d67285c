// SPDX-License-Identifier: MIT
// ram: 96M  time: 90
// not-with: zfod=off
//
// K4: all of a victim's memory comes back, at once, and the promises with it; also where the victim is
// stopped, waits for others, or gets next to no CPU.
#include "oom.h"

#define ROUNDS 10
#define AT_ONCE 4000 // ms; Linux's reaper waits 2 s before it takes the memory of a victim that does not run
#define SLACK (on_lazybones() ? 2l : 512l)

static long machine; // pages that are free at the start

static void rounds_check(void)
{
    hog_run(0, 2 * machine, BY_WRITE);
    long frames = frames_free(), committed = meminfo("Committed_AS:"), tables = frames_tables(), least = frames;
    int killed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        killed += killed_by(hog_run(0, 2 * machine, i % 2 ? BY_SHARED : BY_WRITE), SIGKILL);
        long free = frames_await(frames - SLACK, 500);
        least = free < least ? free : least;
    }
    is(killed, ROUNDS, "K4 %d hogs are killed, one after the other", ROUNDS);
    between(-SLACK, frames - least, SLACK, "K4 after each of them all frames are free again");
    is(meminfo("Committed_AS:"), committed, "K4 the promises are given back");
    between(tables - 2, frames_tables(), tables + 2, "K4 so are the page tables");
}

// Starts a victim that is not able to run when it is killed; `settle` sees to that. Then asks for more.
static void victim_check(const char *what, void (*settle)(struct link *))
{
    long frames = frames_free();
    struct link victim = hog_idle(1000, machine / 2);
    settle(&victim);
    is(hog_run(-500, machine * 5 / 8, BY_WRITE), 0, "K4 %s: the process that asks goes on", what);
    between(frames - machine / 16, frames_await(frames - machine / 16, AT_ONCE), frames + machine / 16,
            "K4 %s: its memory comes back", what);
    ok(killed_by(hog_wait(&victim), SIGKILL), "K4 %s: the victim is dead", what);
}

static void settle_stopped(struct link *victim)
{
    int status;
    kill(victim->pid, SIGSTOP);
    waitpid(victim->pid, &status, WUNTRACED);
}

static void settle_nothing(struct link *victim)
{
    (void)victim; // it waits in read(2) as it is
}

// Ten processes that compute for ever, so that a dying one has to wait for its turn.
static pid_t spinners[10];

static void settle_crowded(struct link *victim)
{
    (void)victim;
    for (int i = 0; i < 10; i++)
        if ((spinners[i] = fork()) < 0) {
            tap_bail("fork");
        } else if (spinners[i] == 0) {
            oom_adj_set(0, -1000);
            for (volatile long n = 0;; n++)
                ;
        }
}

static void spinners_end(void)
{
    for (int i = 0; i < 10; i++) {
        kill(spinners[i], SIGKILL);
        waitpid(spinners[i], NULL, 0);
    }
}

// A vfork parent sleeps until its child is done with the memory that they share; both are killed.
static void vfork_parent(struct link *link, void *arg)
{
    (void)arg;
    oom_adj_set(0, 1000);
    char *at = region_map(machine / 2);
    region_write(at, machine / 2, 'v');
    say(link, 1);
    if (vfork() == 0) {
        for (;;)
            pause();
    }
}

static void vfork_check(void)
{
    long frames = frames_free();
    struct link victim = child_start(vfork_parent, NULL);
    hear(&victim);
    is(hog_run(-500, machine * 5 / 8, BY_WRITE), 0, "K4 a vfork parent: the process that asks goes on");
    ok(killed_by(hog_wait(&victim), SIGKILL), "K4 a vfork parent: it is dead");
    between(frames - machine / 16, frames_await(frames - machine / 16, AT_ONCE), frames + machine / 16,
            "K4 a vfork parent: the memory that it shares comes back");
}

int main(void)
{
    oom_begin();
    machine = meminfo("MemFree:") / 4;
    rounds_check();
    victim_check("a victim that waits", settle_nothing);
    victim_check("a stopped victim", settle_stopped);
    victim_check("a victim in a crowd", settle_crowded);
    spinners_end();
    vfork_check();
    return tap_end();
}
