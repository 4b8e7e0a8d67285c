// SPDX-License-Identifier: MIT
/*
 * protection.c: tests of the kernel's own half of the address space, as the CPU sees it: nothing can be both
 * written and executed, nothing is open to user mode, and the direct map is no way around it.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/mmu.h"
#include "kernel/selftest.h"
#include "mm/frame.h"

extern const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[]; /* linker.ld */

struct kernel_walk {
    uint64_t pages, writable_and_executable, user;
};

/* Rights multiply along the path. */
static void table_walk(struct kernel_walk *walk, paddr_t table, unsigned level, bool write, bool exec,
                       bool user)
{
    const pte_t *entries = direct_address(table);

    for (unsigned i = level == PTE_ROOT_LEVEL ? PTE_USER_ENTRIES : 0; i < PTE_ENTRIES; i++) {
        pte_t entry = pte_load(&entries[i]);
        if (!pte_is_present(entry))
            continue;
        bool may_write = write && pte_is_writable(entry), may_exec = exec && pte_is_executable(entry);
        bool is_user = user && pte_is_user(entry);
        if (level > PTE_LEAF_LEVEL && !pte_is_large(entry)) {
            table_walk(walk, pte_pfn(entry) << PAGE_SHIFT, level - 1, may_write, may_exec, is_user);
            continue;
        }
        walk->pages++;
        walk->writable_and_executable += may_write && may_exec;
        walk->user += is_user;
    }
}

KTEST(protection, nothing_is_writable_and_executable)
{
    struct kernel_walk walk = { 0 };

    table_walk(&walk, mmu_kernel_root(), PTE_ROOT_LEVEL, true, true, true);
    EXPECT(walk.pages > 4);
    EXPECT_EQUAL(walk.writable_and_executable, 0);
    EXPECT_EQUAL(walk.user, 0);
}

/* What may be done at this address: the entries of its path, multiplied. Not mapped: nothing. */
static unsigned rights_at(vaddr_t addr)
{
    pte_t entries[PTE_LEVELS];
    unsigned rights = RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC, last = mmu_walk(addr, entries);

    for (unsigned level = PTE_ROOT_LEVEL; level >= last; level--) {
        pte_t entry = entries[level - 1];
        if (!pte_is_present(entry))
            return 0;
        rights &= ~(pte_is_writable(entry) ? 0 : RIGHT_WRITE) & ~(pte_is_executable(entry) ? 0 : RIGHT_EXEC);
    }
    return rights;
}

static void expect_rights(const char *start, const char *end, unsigned rights, unsigned alias_rights)
{
    EXPECT(start < end);
    for (vaddr_t page = page_down((vaddr_t)start); page < (vaddr_t)end; page += PAGE_SIZE) {
        vaddr_t alias = DIRECT_MAP_START + (page - KERNEL_IMAGE_START);
        if (!EXPECT_EQUAL(rights_at(page), rights) || !EXPECT_EQUAL(rights_at(alias), alias_rights)) {
            ktest_note("page 0x%lx", page);
            return;
        }
    }
}

KTEST(protection, text) { expect_rights(text_start, text_end, RIGHT_READ | RIGHT_EXEC, RIGHT_READ); }
KTEST(protection, rodata) { expect_rights(rodata_start, rodata_end, RIGHT_READ, RIGHT_READ); }

KTEST(protection, data)
{
    /* Not all of it: a guard page may lie in between. */
    EXPECT_EQUAL(rights_at((vaddr_t)data_start), RIGHT_READ | RIGHT_WRITE);
    EXPECT_EQUAL(rights_at((vaddr_t)data_end - 1), RIGHT_READ | RIGHT_WRITE);
    EXPECT(cpu_has(CPU_NX));
}

KTEST(protection, direct_map_shows_ram_and_is_not_executable)
{
    struct frame *frame = frame_alloc(FRAME_KERNEL);

    REQUIRE(frame);
    EXPECT_EQUAL(rights_at((vaddr_t)frame_address(frame)), RIGHT_READ | RIGHT_WRITE);
    frame_put(frame);
}

KTEST(protection, low_half_of_the_kernel_is_empty)
{
    const pte_t *entries = direct_address(mmu_kernel_root());

    for (unsigned i = 0; i < PTE_USER_ENTRIES; i++)
        EXPECT(pte_is_none(entries[i]));
}
