// SPDX-License-Identifier: MIT
// ram: 96M  time: 120
// not-with: zfod=off cow=off
//
// K1: when the frames run out, the largest process gets SIGKILL; the one that asked, the others and the
// kernel go on. Whatever way the memory was asked for, the hog is killed and no call hangs.
#include "oom.h"

static long machine; // pages that are free at the start

// The machine is well: children are born and work, memory can be had and holds what is written.
static void goes_on(const char *after)
{
    struct hog small = {.adj = 0, .pages = 256};
    int status = hog_run(small.adj, small.pages, BY_WRITE);
    char *region = region_map(512);
    region_write(region, 512, 'k');
    ok(status == 0 && region_read(region, 512) == 512 * 'k', "K1 %s: the others go on", after);
    region_unmap(region, 512);
}

static void largest(void)
{
    struct link big = hog_idle(0, machine / 2);
    struct link medium = hog_idle(0, machine / 8);
    int small = hog_run(0, machine * 7 / 16, BY_WRITE);
    is(small, 0, "K1 the process that asks gets its memory");
    ok(killed_by(hog_wait(&big), SIGKILL), "K1 the largest is killed, and its parent sees SIGKILL");
    ok(child_lives(&medium), "K1 a middling one lives");
    is(hog_end(&medium), 0, "K1 and ends as it wants to");
    goes_on("the largest is killed");
}

static void every_way(void)
{
    static const struct {
        enum hog_way way;
        const char *name;
    } ways[] = {
        {BY_WRITE, "by writing"},       {BY_READ_CALL, "by read(2) into fresh memory"},
        {BY_POPULATE, "by MAP_POPULATE"}, {BY_LOCK, "by mlock"},
        {BY_SHARED, "by shared memory"},
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        int status = hog_run(0, 2 * machine, ways[i].way);
        if (!ok(killed_by(status, SIGKILL), "K1 a hog %s is killed", ways[i].name))
            tap_note("wait status %#x", status);
        goes_on(ways[i].name);
    }
}

// Copy-on-write: fork takes next to nothing; the writes of the children bring the machine down.
static void by_copying(void)
{
    struct link link[3];
    char *region = region_map(machine * 2 / 5);
    region_write(region, machine * 2 / 5, 'p');
    for (int i = 0; i < 3; i++) {
        link[i].pid = fork();
        if (link[i].pid < 0)
            tap_bail("fork");
        if (link[i].pid == 0) {
            oom_adj_set(0, 0);
            region_write(region, machine * 2 / 5, 'c');
            pause();
        }
    }
    int killed = 0, status;
    waitpid(-1, &status, 0);
    killed += killed_by(status, SIGKILL);
    ok(killed == 1, "K1 children that copy more than there is: one is killed");
    for (int i = 0; i < 3; i++)
        kill(link[i].pid, SIGKILL);
    while (wait(&status) > 0)
        ;
    is(region_read(region, machine * 2 / 5), machine * 2 / 5 * 'p', "K1 the parent's pages are unharmed");
    region_unmap(region, machine * 2 / 5);
    goes_on("copying");
}

// Many that are alike: as many are killed as must be, and the rest comes to its end.
static void many(void)
{
    enum { COUNT = 12 };
    struct hog hog = {.adj = 0, .pages = machine / 6};
    pid_t pids[COUNT];
    int killed = 0, well = 0, status;
    for (int i = 0; i < COUNT; i++) {
        struct link link = hog_start(&hog);
        pids[i] = link.pid;
        close(link.in);
        close(link.out);
    }
    for (int i = 0; i < COUNT; i++) {
        waitpid(pids[i], &status, 0);
        killed += killed_by(status, SIGKILL);
        well += status == 0;
    }
    is(killed + well, COUNT, "K1 of twelve hogs at once each is killed or ends well (%d killed)", killed);
    goes_on("twelve hogs");
}

static void allocating_task(void)
{
    knob_need("oom_kill_allocating_task", 1);
    struct link big = hog_idle(0, machine / 2);
    ok(killed_by(hog_run(0, machine * 3 / 4, BY_WRITE), SIGKILL),
       "K1 oom_kill_allocating_task: the one that asks is killed");
    ok(child_lives(&big), "K1 the larger one lives");
    ok(child_lives(&big) && hog_run(-1000, machine * 3 / 4, BY_WRITE) == 0,
       "K1 oom_kill_allocating_task: one that asks with -1000 goes on");
    ok(killed_by(hog_wait(&big), SIGKILL), "K1 and the largest is killed");
    knob_need("oom_kill_allocating_task", 0);
}

int main(void)
{
    oom_begin();
    machine = meminfo("MemFree:") / 4;
    largest();
    every_way();
    by_copying();
    many();
    allocating_task();
    return tap_end();
}
