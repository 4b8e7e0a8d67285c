// SPDX-License-Identifier: MIT
/*
 * kstack.c: tests of kernel stacks: mapped, apart, guarded, given back.
 */
#include "mm/kstack.h"

#include "arch/x86_64/mmu.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/frame.h"

KTEST(kstack, mapped_above_a_guard)
{
    vaddr_t top = kstack_alloc();

    REQUIRE(top);
    vaddr_t bottom = top - KSTACK_SIZE;
    memset((void *)bottom, 0x5a, KSTACK_SIZE);
    for (vaddr_t page = bottom; page < top; page += PAGE_SIZE)
        EXPECT(mmu_is_mapped(page) && !kstack_is_guard(page));
    EXPECT(kstack_is_guard(bottom - 1) && kstack_is_guard(bottom - PAGE_SIZE));
    EXPECT(!mmu_is_mapped(bottom - 1) && !mmu_is_mapped(bottom - PAGE_SIZE));
    kstack_free(top);
    EXPECT(!mmu_is_mapped(bottom));
}

KTEST(kstack, the_running_one_is_guarded)
{
    char here;
    vaddr_t addr = (vaddr_t)&here;

    EXPECT(addr > KERNEL_STACKS_START && addr < KERNEL_IMAGE_START);
    EXPECT(!kstack_is_guard(addr));
    vaddr_t page = page_down(addr);
    while (mmu_is_mapped(page) && addr - page < 2 * KSTACK_SIZE)
        page -= PAGE_SIZE;
    EXPECT(kstack_is_guard(page));
}

KTEST(kstack, many_at_once)
{
    vaddr_t top[100]; /* more than one leaf table's worth */
    unsigned count;

    for (count = 0; count < ARRAY_SIZE(top); count++) {
        top[count] = kstack_alloc();
        if (!EXPECT(top[count]))
            break;
        *(uint64_t *)(top[count] - 8) = count;
        *(uint64_t *)(top[count] - KSTACK_SIZE) = count;
    }
    for (unsigned i = 0; i < count; i++) {
        EXPECT(*(uint64_t *)(top[i] - 8) == i && *(uint64_t *)(top[i] - KSTACK_SIZE) == i);
        kstack_free(top[i]);
    }
}

KTEST(kstack, every_failed_allocation)
{
    uint64_t before = frame_free_count();

    for (unsigned n = 1; n <= KSTACK_SIZE / PAGE_SIZE; n++) {
        frame_fail_nth(n);
        EXPECT_EQUAL(kstack_alloc(), 0);
        frame_fail_nth(0);
        EXPECT_EQUAL(frame_free_count(), before);
    }
}

KTEST(kstack, what_is_no_guard)
{
    EXPECT(!kstack_is_guard(0) && !kstack_is_guard(DIRECT_MAP_START) &&
           !kstack_is_guard(KERNEL_IMAGE_START) && !kstack_is_guard(UINT64_MAX));
}
