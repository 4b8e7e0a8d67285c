// SPDX-License-Identifier: MIT
/*
 * tlb.c: tests of the software MMU itself: does its TLB remember what mm/ might forget to flush? A model that
 * forgot by itself would pass kernels that fail on a real CPU.
 *
 * The tests change entries behind everyone's back and put them right again.
 */
#include "arch/x86_64/tlb.h"

#include "kernel/selftest.h"
#include "tests/host/machine.h"
#include "tests/kernel/space.h"

#define AT 0x40000000ul

static pte_t *entry_of(struct aspace *space, vaddr_t addr)
{
    return (pte_t *)pagetable_find(&space->tree, addr);
}

static uint8_t byte_at(vaddr_t addr)
{
    uint8_t byte = 0;
    EXPECT_EQUAL(user_read(addr, &byte, 1), 1);
    return byte;
}

static struct aspace *two_pages(void)
{
    struct aspace *space = space_enter();

    if (space && space_map_at(space, AT, 2, READ_WRITE, MAP_PRIVATE))
        EXPECT(space_write(AT, 1) == 0 && space_write(AT + PAGE_SIZE, 2) == 0);
    return space;
}

KTEST(tlb, remembers_a_translation_until_it_is_flushed)
{
    struct aspace *space = two_pages();
    REQUIRE(space);
    pte_t *one = entry_of(space, AT), *two = entry_of(space, AT + PAGE_SIZE), saved = *one;
    EXPECT_EQUAL(byte_at(AT), 1);
    *one = *two;
    EXPECT_EQUAL(byte_at(AT), 1);
    tlb_flush_page(AT + PAGE_SIZE);
    EXPECT_EQUAL(byte_at(AT), 1);
    tlb_flush_page(AT);
    EXPECT_EQUAL(byte_at(AT), 2);
    *one = saved;
    EXPECT_EQUAL(byte_at(AT), 2);
    tlb_flush_user();
    EXPECT_EQUAL(byte_at(AT), 1);
    EXPECT_EQUAL(tlb_count(), 1);
    space_leave(space);
}

/* The entry of `level` on the way to addr. */
static pte_t *upper_entry_of(struct aspace *space, vaddr_t addr, unsigned level)
{
    pte_t *slot = (pte_t *)frame_address(space->tree.root) + pte_index(addr, PTE_ROOT_LEVEL);

    for (unsigned at = PTE_ROOT_LEVEL - 1; at >= level; at--)
        slot = (pte_t *)frame_address(frame_at(pte_pfn(*slot))) + pte_index(addr, at);
    return slot;
}

/*
 * The way to 2 * AT is turned to AT's table, where the second page is something; in its own table it is not.
 */
KTEST(tlb, remembers_upper_entries_until_any_page_is_flushed)
{
    struct aspace *space = two_pages();
    uint8_t byte;
    REQUIRE(space && space_map_at(space, 2 * AT, 1, READ_WRITE, MAP_PRIVATE));
    EXPECT_EQUAL(space_write(2 * AT, 3), 0);
    pte_t *way = upper_entry_of(space, 2 * AT, 2), saved = *way;
    EXPECT_EQUAL(byte_at(2 * AT), 3);
    *way = *upper_entry_of(space, AT, 2);
    EXPECT_EQUAL(user_read(2 * AT + PAGE_SIZE, &byte, 1), 0); /* the old way, where nothing is mapped */
    tlb_flush_page(AT); /* any page: all upper entries go (SDM 3, 4.10.4.1) */
    EXPECT_EQUAL(byte_at(2 * AT + PAGE_SIZE), 2);
    EXPECT_EQUAL(byte_at(2 * AT), 3);                         /* but not the other pages */
    *way = saved;
    tlb_flush_user();
    space_leave(space);
}

KTEST(tlb, remembers_rights)
{
    struct aspace *space = two_pages();
    uint8_t byte = 9;
    REQUIRE(space);
    pte_t *entry = entry_of(space, AT), saved = *entry;
    EXPECT_EQUAL(user_write(AT, &byte, 1), 1);
    *entry = pte_read_only(*entry);
    EXPECT_EQUAL(user_write(AT, &byte, 1), 1); /* stale, and let through */
    EXPECT_EQUAL(last_access.count, 0);
    tlb_flush_page(AT);
    EXPECT_EQUAL(user_write(AT, &byte, 1), 1);
    EXPECT_EQUAL(last_access.count, 1);
    EXPECT_EQUAL(last_access.kind[0], FAULT_COW_REUSE);
    EXPECT_EQUAL(entry->bits, saved.bits | PTE_DIRTY | PTE_ACCESSED);
    space_leave(space);
}

KTEST(tlb, accessed_and_dirty_bits)
{
    struct aspace *space = two_pages();
    uint8_t byte = 9;
    REQUIRE(space);
    pte_t *entry = entry_of(space, AT);
    entry->bits &= ~(PTE_ACCESSED | PTE_DIRTY);
    tlb_flush_user();
    EXPECT_EQUAL(byte_at(AT), 1);
    EXPECT(pte_is_accessed(*entry) && !pte_is_dirty(*entry));
    EXPECT_EQUAL(user_write(AT, &byte, 1), 1); /* remembered clean: walks again to say dirty */
    EXPECT(pte_is_dirty(*entry));
    space_leave(space);
}

KTEST(tlb, execution_needs_its_right)
{
    struct aspace *space = two_pages();
    REQUIRE(space);
    EXPECT_EQUAL(user_execute(AT, 1), 0);
    EXPECT_EQUAL(last_access.kind[0], FAULT_SEGV_ACCERR);
    EXPECT_EQUAL(aspace_protect(space, AT, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    EXPECT_EQUAL(user_execute(AT, 1), 1);
    tlb_check();
    space_leave(space);
}
