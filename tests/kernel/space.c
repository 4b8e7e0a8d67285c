// SPDX-License-Identifier: MIT
/*
 * space.c: see space.h.
 */
#include "tests/kernel/space.h"

#include "arch/x86_64/cpu.h"
#include "kernel/selftest.h"
#include "mm/usercopy.h"

struct aspace *space_enter(void)
{
    struct aspace *space = aspace_create();
    if (space)
        aspace_switch(space);
    return space;
}

void space_leave(struct aspace *space)
{
    aspace_check(space);
    aspace_switch(NULL);
    aspace_put(space);
}

static int64_t map(struct aspace *space, vaddr_t addr, uint64_t pages, unsigned prot, unsigned flags)
{
    struct map_request request = {
        .addr = addr,
        .length = pages << PAGE_SHIFT,
        .prot = prot,
        .flags = flags | MAP_ANONYMOUS,
    };
    return aspace_map(space, &request);
}

vaddr_t space_map(struct aspace *space, uint64_t pages, unsigned prot, unsigned flags)
{
    int64_t addr = map(space, 0, pages, prot, flags);
    return EXPECT(addr > 0) ? addr : 0;
}

bool space_map_at(struct aspace *space, vaddr_t addr, uint64_t pages, unsigned prot, unsigned flags)
{
    return EXPECT_EQUAL(map(space, addr, pages, prot, flags | MAP_FIXED), addr);
}

int space_read(vaddr_t addr)
{
    uint8_t value;
    int error = copy_from_user(&value, addr, 1);
    return error ? error : value;
}

int space_write(vaddr_t addr, uint8_t value) { return copy_to_user(addr, &value, 1); }

pte_t space_entry(struct aspace *space, vaddr_t addr)
{
    const pte_t *slot = pagetable_find(&space->tree, addr);
    return slot ? *slot : pte_none();
}

struct frame *space_frame(struct aspace *space, vaddr_t addr)
{
    pte_t entry = space_entry(space, addr);
    return pte_is_none(entry) ? NULL : frame_at(pte_pfn(entry));
}

uint64_t space_faults(enum fault_kind kind) { return this_cpu()->fault_counts->by_kind[kind]; }

uint64_t space_all_faults(void)
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
        sum += space_faults(kind);
    return sum;
}

uint64_t space_resident(struct aspace *space, enum resident_kind kind)
{
    struct aspace_usage usage;
    aspace_usage(space, &usage);
    return usage.resident[kind];
}
