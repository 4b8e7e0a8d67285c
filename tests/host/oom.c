// SPDX-License-Identifier: MIT
/*
 * oom.c: the OOM killer: who is chosen, what the log says of it, what comes back, and who goes on.
 *
 * A machine of 16 MiB with a few processes: faults of the one that runs find no memory. What needs processes
 * that really end is left to the rings on a real kernel.
 */
#include <linux/mman.h>
#include <stdio.h>

#include "arch/x86_64/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/oom.h"
#include "tests/host/machine.h"
#include "tests/host/processes.h"
#include "tests/kernel/space.h"

#define AREA (1ul << 30) /* where each has its memory */
#define HOG_PAGES 1600 /* the heaviest by far */
#define PLENTY 100000    /* pages; more than there are */

enum { INIT, SMALL, HOG, ASKING, PROCESSES };

static struct host_process process[PROCESSES];

/* The process that runs writes to pages from `first` on. How many it could write. */
static uint64_t fill(uint64_t first, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        uint8_t byte = (uint8_t)(first + i);
        if (user_write(AREA + (first + i) * PAGE_SIZE, &byte, 1) != 1)
            return i;
    }
    return pages;
}

static bool process_make(unsigned which, int pid, const char *name, uint64_t pages)
{
    process[which] = (struct host_process){ .pid = pid, .name = name, .aspace = aspace_create() };
    if (!EXPECT(process[which].aspace))
        return false;
    processes_run(&process[which]);
    return space_map_at(process[which].aspace, AREA, PLENTY, READ_WRITE, MAP_PRIVATE | MAP_NORESERVE) &&
           EXPECT_EQUAL(fill(0, pages), pages);
}

/* Lazy by nature: with zfod=off so much cannot be mapped. */
static bool village_make(void)
{
    if (!lazy.zfod)
        return ktest_skip("laziness is switched off"), false;
    processes_set(process, PROCESSES);
    if (!process_make(INIT, 1, "init", 900) || !process_make(SMALL, 20, "small", 100) ||
        !process_make(HOG, 30, "hog", HOG_PAGES) || !process_make(ASKING, 40, "asking", 10))
        return false;
    log_forget();
    oom_policy.oom_kill_allocating_task = 0;
    return true;
}

static void process_end(struct host_process *one)
{
    aspace_switch(NULL);
    if (one->aspace)
        aspace_put(one->aspace);
    one->aspace = NULL;
}

static void village_end(void)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        process_end(&process[i]);
    processes_set(NULL, 0);
}

/* Ask for memory until someone has been killed, and then for some pages more. Pages that were had. */
static uint64_t ask_until_a_kill(uint64_t more)
{
    uint64_t kills = oom_kills, had = 0;

    while (oom_kills == kills && had < PLENTY && fill(10 + had, 1))
        had++;
    return had + fill(10 + had, more);
}

static void expect_bytes(uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        uint8_t byte = 0;
        if (!EXPECT(user_read(AREA + i * PAGE_SIZE, &byte, 1) == 1 && byte == (uint8_t)i))
            return;
    }
}

KTEST(oom, heaviest_dies_and_is_reaped)
{
    if (!village_make())
        return;
    uint64_t kills = oom_kills, had = ask_until_a_kill(300);

    EXPECT(process[HOG].is_victim && !process[SMALL].is_dying && !process[INIT].is_dying);
    EXPECT(!process[ASKING].is_dying);
    EXPECT_EQUAL(oom_kills, kills + 1);
    EXPECT_EQUAL(space_resident(process[HOG].aspace, RESIDENT_ANON), 0);
    expect_bytes(10 + had);
    processes_run(&process[SMALL]);
    expect_bytes(100);
    /* What was taken from it must not come again as zeroes. */
    processes_run(&process[HOG]);
    EXPECT_EQUAL(fill(0, 1), 0);
    EXPECT_EQUAL(last_access.kind[0], FAULT_OOM);
    village_end();
}

/* A victim may be within fork(2) when its memory is taken: a child of it would live, with nothing behind its promises. */
KTEST(oom, what_was_reaped_has_no_heirs)
{
    struct aspace *heir;

    if (!village_make())
        return;
    ask_until_a_kill(0);
    EXPECT(process[HOG].is_victim);
    uint64_t promised = commit_total();
    EXPECT_EQUAL(aspace_fork(process[HOG].aspace, &heir), -ENOMEM);
    EXPECT_EQUAL(commit_total(), promised);
    village_end();
}

KTEST(oom, log_tells_who_and_what)
{
    char wanted[128];

    if (!village_make())
        return;
    uint64_t size = process[HOG].aspace->vmas.pages * 4;
    ask_until_a_kill(0);
    EXPECT(log_line("asking invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), "
                    "order=0"));
    EXPECT(log_line("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"));
    EXPECT(log_line("[     20]     0    20   100000      100    12288        0             0 small"));
    EXPECT(!log_line("[      1]"));
    snprintf(wanted, sizeof(wanted), "Out of memory: Killed process 30 (hog) total-vm:%lukB, anon-rss:6400kB, ",
             size);
    EXPECT(log_line(wanted));
    EXPECT(log_line("oom_reaper: reaped process 30 (hog), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"));
    village_end();
}

KTEST(oom, opinion_weighs)
{
    if (!village_make())
        return;
    process[HOG].oom_score_adj = -1000;
    process[SMALL].oom_score_adj = 1000;
    ask_until_a_kill(20);
    EXPECT(process[SMALL].is_victim && !process[HOG].is_dying);
    process_end(&process[SMALL]);
    /* Next is the one that asks: the hog may not be touched, nor init. */
    processes_run(&process[ASKING]);
    ask_until_a_kill(0);
    EXPECT(process[ASKING].is_victim && !process[HOG].is_dying && !process[INIT].is_dying);
    village_end();
}

KTEST(oom, allocating_task_dies_if_so_wanted)
{
    if (!village_make())
        return;
    oom_policy.oom_kill_allocating_task = 1;
    uint64_t had = ask_until_a_kill(0);
    EXPECT(process[ASKING].is_victim && !process[HOG].is_dying);
    EXPECT(log_line("Out of memory (oom_kill_allocating_task): Killed process 40 (asking)"));
    oom_policy.oom_kill_allocating_task = 0;
    /* It may use the reserve to come to its end, and no one else. */
    EXPECT(frame_free_count() <= frame_reserve());
    EXPECT_EQUAL(fill(10 + had, 2), 2);
    processes_run(&process[SMALL]);
    struct frame *frame = frame_alloc(FRAME_ANON);
    EXPECT(!frame);
    village_end();
}

KTEST(oom, allocating_task_that_is_immune_has_another_die)
{
    if (!village_make())
        return;
    oom_policy.oom_kill_allocating_task = 1;
    process[ASKING].oom_score_adj = -1000;
    ask_until_a_kill(20);
    EXPECT(process[HOG].is_victim && !process[ASKING].is_dying);
    oom_policy.oom_kill_allocating_task = 0;
    village_end();
}

KTEST(oom, what_was_given_up_comes_first)
{
    if (!village_make())
        return;
    processes_run(&process[HOG]);
    EXPECT_EQUAL(aspace_advise(process[HOG].aspace, AREA, 500 * PAGE_SIZE, MADV_FREE), 0);
    EXPECT_EQUAL(fill(0, 3), 3); /* written again: kept */
    processes_run(&process[ASKING]);
    uint64_t kills = oom_kills, had = 0;
    while (space_resident(process[HOG].aspace, RESIDENT_ANON) == HOG_PAGES && fill(10 + had, 1))
        had++;
    EXPECT_EQUAL(fill(10 + had, 400), 400);
    EXPECT_EQUAL(oom_kills, kills);
    EXPECT_EQUAL(space_resident(process[HOG].aspace, RESIDENT_ANON), HOG_PAGES - 497);
    processes_run(&process[HOG]);
    expect_bytes(3);
    uint8_t byte = 1;
    EXPECT(user_read(AREA + 3 * PAGE_SIZE, &byte, 1) == 1 && byte == 0);
    village_end();
}

/* The reaper takes what only the victim sees: a relative keeps every byte, and shared memory stays. */
KTEST(oom, relatives_keep_their_memory)
{
    if (!lazy.cow || !village_make()) /* cow=off: there is no room for a copy of the hog */
        return;
    processes_run(&process[HOG]);
    struct aspace *space = process[HOG].aspace;
    if (space_map_at(space, AREA / 2, 50, READ_WRITE, MAP_SHARED))
        for (unsigned i = 0; i < 50; i++)
            EXPECT_EQUAL(space_write(AREA / 2 + i * PAGE_SIZE, 7), 0);
    aspace_put(process[SMALL].aspace);
    EXPECT(!aspace_fork(space, &process[SMALL].aspace));
    EXPECT_EQUAL(fill(600, 200), 200); /* no longer the relative's */
    process[SMALL].oom_score_adj = -1000;
    processes_run(&process[ASKING]);
    ask_until_a_kill(50);
    EXPECT(process[HOG].is_victim);
    EXPECT_EQUAL(space_resident(space, RESIDENT_ANON), 0);
    EXPECT_EQUAL(space_resident(space, RESIDENT_SHM), 50);
    processes_run(&process[SMALL]);
    expect_bytes(HOG_PAGES);
    EXPECT_EQUAL(space_read(AREA / 2), 7);
    village_end();
}

/* Frames that are kept blank are free like all others: a victim gets the last of them. */
KTEST(oom, victim_gets_every_frame)
{
    struct host_process victim = { .pid = 50, .name = "victim", .is_dying = true, .is_victim = true };
    struct frame *blank[8], *list = NULL, *frame;

    processes_set(&victim, 1);
    processes_run(&victim);
    for (unsigned i = 0; i < ARRAY_SIZE(blank); i++)
        REQUIRE((blank[i] = frame_alloc_blank(FRAME_TABLE)));
    for (unsigned i = 0; i < ARRAY_SIZE(blank); i++)
        if (frame_drop(blank[i]))
            frame_free_blank(blank[i]);
    while ((frame = frame_alloc(FRAME_ANON))) {
        *(struct frame **)frame_address(frame) = list;
        list = frame;
    }
    EXPECT_EQUAL(frame_free_count(), 0);
    for (; list; list = frame) {
        frame = *(struct frame **)frame_address(list);
        frame_put(list);
    }
    processes_set(NULL, 0);
}

KTEST(oom, score)
{
    if (!village_make())
        return;
    int64_t total = (int64_t)frame_total_count();

    EXPECT_EQUAL(oom_score(process[HOG].aspace, -1000), 0);
    /* Pages, and tables: four of the lowest level, two above. In thousandths of RAM, as Linux scales it. */
    int64_t points = HOG_PAGES + 6;
    EXPECT_EQUAL(oom_score(process[HOG].aspace, 0), (1000 + points * 1000 / total) * 2 / 3);
    points += 500 * (total / 1000);
    EXPECT_EQUAL(oom_score(process[HOG].aspace, 500), (1000 + points * 1000 / total) * 2 / 3);
    EXPECT(oom_score(process[HOG].aspace, -999) < oom_score(process[HOG].aspace, 0));
    village_end();
}
