// SPDX-License-Identifier: MIT
/*
 * kstack.c: slots of twice a stack's size, the lower half of each unmapped.
 *
 * The area's tables are the kernel's own: they hang below the kernel's root, are the same in every address space, and
 * hold kernel frames. A leaf table serves 64 stacks. The first one stays; the others go with their last stack.
 *
 * Processes come and go one after the other, so the stacks that came back last stay mapped for the next ones, with their
 * frames parked: mapping and unmapping a stack costs as much as all else that a process needs at first.
 */
#include "mm/kstack.h"

#include "arch/x86_64/mmu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/spinlock.h"
#include "mm/frame.h"

#define SLOT_SIZE (2 * KSTACK_SIZE)
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define SLOT_MAX 32768 /* one 1 GiB table of tables; more processes than that get ENOMEM */
#define KEPT_MAX 2     /* stacks: 32 KiB */
#define SLOTS_PER_TABLE (PTE_ENTRIES / (2 * STACK_PAGES))

static struct spinlock area_lock = SPINLOCK_INIT;
static pte_t *area_directory; /* level 2: entries are leaf tables */
static uint64_t slot_used[SLOT_MAX / 64]; /* bitmap; bit i of word w is slot 64 w + i */

static vaddr_t kept[KEPT_MAX]; /* tops of these; their slots are used */
static unsigned kept_count;

_Static_assert(SLOTS_PER_TABLE == 64, "one bitmap word is one leaf table");

static vaddr_t slot_top(unsigned slot) { return KERNEL_STACKS_START + (slot + 1) * SLOT_SIZE; }
static unsigned slot_of(vaddr_t addr) { return (addr - KERNEL_STACKS_START) / SLOT_SIZE; }

static pte_t *kernel_table_at(paddr_t paddr) { return direct_address(paddr); }

static struct frame *kernel_table_create(pte_t *slot)
{
    struct frame *table = frame_alloc_zeroed(FRAME_KERNEL);
    if (table)
        pte_store(slot, pte_make_kernel(frame_pfn(table), RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC));
    return table;
}

void kstack_init(void)
{
    pte_t *root = kernel_table_at(mmu_kernel_root());
    pte_t upper = pte_load(&root[pte_index(KERNEL_STACKS_START, 4)]);
    BUG_ON(!pte_is_present(upper), "the kernel's root has no table for stacks");
    pte_t *slot = &kernel_table_at(pte_pfn(upper) << PAGE_SHIFT)[pte_index(KERNEL_STACKS_START, 3)];
    struct frame *directory = kernel_table_create(slot);
    BUG_ON(!directory || !kernel_table_create(frame_address(directory)), "no memory for kernel stacks");
    area_directory = frame_address(directory);
}

/* The entry of the lowest page of a slot's stack, or NULL where its table is missing. */
static pte_t *slot_entries(unsigned slot)
{
    pte_t upper = pte_load(&area_directory[slot / SLOTS_PER_TABLE]);
    if (pte_is_none(upper))
        return NULL;
    return &kernel_table_at(pte_pfn(upper) << PAGE_SHIFT)[pte_index(slot_top(slot) - KSTACK_SIZE, 1)];
}

/* Unmap and free the first `pages` pages of a slot's stack. */
static void slot_unmap(unsigned slot, unsigned pages)
{
    pte_t *entry = slot_entries(slot);

    for (unsigned i = 0; i < pages; i++) {
        struct frame *frame = frame_at(pte_pfn(pte_load(&entry[i])));
        pte_store(&entry[i], pte_none());
        tlb_flush_page(slot_top(slot) - KSTACK_SIZE + i * PAGE_SIZE);
        frame_put(frame);
    }
}

/* Map fresh frames. False: out of memory, and nothing is mapped. */
static bool slot_map(unsigned slot)
{
    pte_t *entry = slot_entries(slot);

    for (unsigned i = 0; i < STACK_PAGES; i++) {
        struct frame *frame = frame_alloc(FRAME_STACK);
        if (!frame) {
            slot_unmap(slot, i);
            return false;
        }
        pte_store(&entry[i], pte_make_kernel(frame_pfn(frame), RIGHT_READ | RIGHT_WRITE));
    }
    return true;
}

/* Free the leaf table of a group of slots if none of them is in use. The first group keeps its own. */
static void group_trim(unsigned group)
{
    if (group == 0 || slot_used[group])
        return;
    struct frame *table = frame_at(pte_pfn(pte_load(&area_directory[group])));
    pte_store(&area_directory[group], pte_none());
    tlb_flush_page(slot_top(group * SLOTS_PER_TABLE) - 1);
    frame_put(table);
}

static vaddr_t kstack_alloc_locked(void)
{
    unsigned group = 0;

    while (slot_used[group] == UINT64_MAX)
        if (++group == ARRAY_SIZE(slot_used))
            return 0;
    unsigned slot = group * SLOTS_PER_TABLE + __builtin_ctzl(~slot_used[group]);
    if (pte_is_none(pte_load(&area_directory[group])) && !kernel_table_create(&area_directory[group]))
        return 0;
    if (!slot_map(slot)) {
        group_trim(group);
        return 0;
    }
    slot_used[group] |= 1ul << slot % 64;
    return slot_top(slot);
}

vaddr_t kstack_alloc(void)
{
    vaddr_t top = 0;

    spin_lock(&area_lock);
    if (unlikely(!kept_count))
        top = kstack_alloc_locked();
    else if (likely(frames_unpark(FRAME_STACK, STACK_PAGES)))
        top = kept[--kept_count];
    spin_unlock(&area_lock);
    return top;
}

void kstack_free(vaddr_t top)
{
    unsigned slot = slot_of(top - 1);

    spin_lock(&area_lock);
    BUG_ON(!(slot_used[slot / 64] & 1ul << slot % 64), "no kernel stack at 0x%lx", top);
    for (unsigned i = 0; i < kept_count; i++)
        BUG_ON(kept[i] == top, "the kernel stack at 0x%lx was given back before", top);
    if (likely(kept_count < KEPT_MAX)) {
        frames_park(FRAME_STACK, STACK_PAGES);
        kept[kept_count++] = top;
    } else {
        slot_unmap(slot, STACK_PAGES);
        slot_used[slot / 64] &= ~(1ul << slot % 64);
        group_trim(slot / 64);
    }
    spin_unlock(&area_lock);
}

bool kstack_is_guard(vaddr_t addr)
{
    if (addr < KERNEL_STACKS_START || addr >= KERNEL_STACKS_START + SLOT_MAX * SLOT_SIZE)
        return false;
    return (addr - KERNEL_STACKS_START) % SLOT_SIZE < SLOT_SIZE - KSTACK_SIZE;
}
