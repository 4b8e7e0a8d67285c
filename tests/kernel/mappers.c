// SPDX-License-Identifier: MIT
/*
 * mappers.c: tests of counting a page's mappings, against a count by hand over every address space.
 */
#include "kernel/selftest.h"
#include "mm/aspace_list.h"
#include "mm/census.h"
#include "mm/mappers.h"
#include "tests/kernel/space.h"

#define FAMILY 6
#define PAGES 600ul /* over two leaf tables or three */

struct hand_count {
    const struct frame *frame;
    uint32_t mappings;
};

static int count_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct hand_count *count = arg;
    (void)addr;
    count->mappings += frame_at(pte_pfn(entry)) == count->frame;
    return 0;
}

static uint32_t count_by_hand(const struct frame *frame)
{
    struct hand_count count = { .frame = frame };
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_list, all)
        (void)pagetable_visit(&aspace->tree, 0, USER_END, count_entry, &count);
    return count.mappings;
}

/* Do the counts agree for some pages of a mapping in each of the family? */
static void family_check(struct aspace *const *family, unsigned members, vaddr_t addr)
{
    struct mappers *mappers = mappers_count();

    REQUIRE(mappers);
    for (unsigned i = 0; i < members; i++)
        for (uint64_t page = 0; page < PAGES; page += 37) {
            vaddr_t at = addr + page * PAGE_SIZE;
            const struct frame *frame = space_frame(family[i], at);
            if (!EXPECT(frame))
                continue;
            EXPECT_EQUAL(mappers_of(mappers, &family[i]->tree, at, frame), count_by_hand(frame));
        }
    mappers_free(mappers);
}

/* Each forks the next and writes to a part of its own: shares of many kinds, in tables of many ages. */
KTEST(mappers, agree_with_a_count_by_hand)
{
    struct aspace *family[FAMILY] = { space_enter() };
    unsigned members = 1;

    REQUIRE(family[0]);
    vaddr_t addr = space_map(family[0], PAGES, READ_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < PAGES; page++)
        EXPECT_EQUAL(space_write(addr + page * PAGE_SIZE, 1), 0);
    while (members < FAMILY && EXPECT(!aspace_fork(family[members / 2], &family[members]))) {
        aspace_switch(family[members]);
        for (uint64_t page = members * 37; page < PAGES; page += members * 74)
            EXPECT_EQUAL(space_write(addr + page * PAGE_SIZE, 2), 0);
        members++;
        family_check(family, members, addr);
    }
    aspace_switch(family[0]);
    while (members > 1) {
        aspace_put(family[--members]);
        family_check(family, members, addr);
    }
    space_leave(family[0]);
}

KTEST(mappers, shared_memory_counts_each_place)
{
    struct aspace *space = space_enter(), *child;
    REQUIRE(space);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_SHARED);
    REQUIRE(space_write(addr, 1) == 0); /* or there is no frame to ask about */
    REQUIRE(!aspace_fork(space, &child));
    struct mappers *mappers = mappers_count();
    REQUIRE(mappers);
    EXPECT_EQUAL(mappers_of(mappers, &space->tree, addr, space_frame(space, addr)), 2);
    mappers_free(mappers);
    aspace_put(child);
    mappers = mappers_count();
    REQUIRE(mappers);
    EXPECT_EQUAL(mappers_of(mappers, &space->tree, addr, space_frame(space, addr)), 1);
    mappers_free(mappers);
    space_leave(space);
}

KTEST(mappers, out_of_memory_leaves_nothing)
{
    struct aspace *space = space_enter(), *child;
    REQUIRE(space);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_PRIVATE);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    REQUIRE(!aspace_fork(space, &child));
    struct mappers *mappers = NULL;
    for (unsigned n = 1; n < 100 && !mappers; n++) {
        uint64_t before = frame_free_count();
        frame_fail_nth(n);
        mappers = mappers_count();
        frame_fail_nth(0);
        if (!mappers)
            EXPECT_EQUAL(frame_free_count(), before);
    }
    REQUIRE(mappers);
    mappers_free(mappers);
    aspace_put(child);
    space_leave(space);
}

KTEST(mappers, census_agrees_with_the_figures)
{
    struct aspace *space = space_enter(), *child;
    struct frame_census before, after;
    struct frame_figures figures;
    uint64_t tables = 0;

    REQUIRE(space);
    frame_figures(&figures);
    uint64_t mapped = frames_mapped(figures.by_kind[FRAME_FILE] + figures.by_kind[FRAME_SHM]);
    vaddr_t addr = space_map(space, 4, READ_WRITE, MAP_SHARED);
    EXPECT_EQUAL(space_write(addr, 1), 0);
    frame_census(&after);
    frame_figures(&figures);
    for (unsigned level = 0; level < TABLE_LEVELS; level++)
        tables += after.tables[level];
    EXPECT_EQUAL(tables, figures.by_kind[FRAME_TABLE]);
    EXPECT_EQUAL(frames_mapped(figures.by_kind[FRAME_FILE] + figures.by_kind[FRAME_SHM]), mapped + (lazy.zfod ? 1 : 4));
    REQUIRE(!aspace_fork(space, &child));
    if (lazy.sharedtables && lazy.cow) {
        frame_census(&before);
        EXPECT_EQUAL(before.shared[TABLE_LEVELS - 2], after.shared[TABLE_LEVELS - 2] + 1);
        EXPECT_EQUAL(before.references[TABLE_LEVELS - 2], after.references[TABLE_LEVELS - 2] + 1);
    }
    aspace_put(child);
    space_leave(space);
}
