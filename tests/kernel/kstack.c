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
}

/* Those that came back last stay mapped; they are free all the same, in every count. */
KTEST(kstack, given_back)
{
    struct frame_figures before, after;
    vaddr_t top[8];
    unsigned mapped = 0;

    frame_figures(&before);
    for (unsigned i = 0; i < ARRAY_SIZE(top); i++)
        REQUIRE((top[i] = kstack_alloc()));
    EXPECT_EQUAL(frame_free_count(), before.free - ARRAY_SIZE(top) * KSTACK_SIZE / PAGE_SIZE);
    for (unsigned i = 0; i < ARRAY_SIZE(top); i++)
        kstack_free(top[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(top); i++)
        mapped += mmu_is_mapped(top[i] - 1) && mmu_is_mapped(top[i] - KSTACK_SIZE);
    EXPECT(mapped > 0 && mapped < ARRAY_SIZE(top));
    frame_figures(&after);
    EXPECT_EQUAL(after.free, before.free);
    EXPECT_EQUAL(after.by_kind[FRAME_STACK], before.by_kind[FRAME_STACK]);
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        after.free -= after.free_blocks[order] << order;
    EXPECT_EQUAL(after.free, 0);
    top[0] = kstack_alloc();
    EXPECT_EQUAL(frame_free_count(), before.free - KSTACK_SIZE / PAGE_SIZE);
    memset((void *)(top[0] - KSTACK_SIZE), 0x5a, KSTACK_SIZE);
    kstack_free(top[0]);
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
    vaddr_t kept[8];

    frame_fail_nth(1);
    EXPECT_EQUAL(kstack_alloc(), 0); /* one that is mapped already, perhaps */
    frame_fail_nth(0);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        REQUIRE((kept[i] = kstack_alloc()));
    for (unsigned n = 1; n <= KSTACK_SIZE / PAGE_SIZE; n++) {
        frame_fail_nth(n);
        EXPECT_EQUAL(kstack_alloc(), 0);
        frame_fail_nth(0);
        EXPECT_EQUAL(frame_free_count(), before - ARRAY_SIZE(kept) * KSTACK_SIZE / PAGE_SIZE);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        kstack_free(kept[i]);
    EXPECT_EQUAL(frame_free_count(), before);
}

KTEST(kstack, what_is_no_guard)
{
    EXPECT(!kstack_is_guard(0) && !kstack_is_guard(DIRECT_MAP_START) &&
           !kstack_is_guard(KERNEL_IMAGE_START) && !kstack_is_guard(UINT64_MAX));
}
