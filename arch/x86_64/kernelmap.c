// SPDX-License-Identifier: MIT
/*
 * kernelmap.c: the kernel's tables: the image, page by page with the rights of each section, and the direct
 * map in the largest pages that fit.
 *
 * Nothing is both writable and executable, at either address: where the direct map shows the kernel's text
 * and constants, it is read-only. All entries are global and for the kernel only.
 */
#include "arch/x86_64/kernelmap.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/mmu.h"
#include "arch/x86_64/registers.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

/* linker.ld; all but image_start and image_end are virtual. */
extern char text_start[], text_end[], rodata_start[], rodata_end[], data_start[], data_end[];
extern char boot_stack_guard[]; /* entry.asm */

static paddr_t root;
static paddr_t (*table_alloc)(void);

static paddr_t image_paddr(const char *symbol) { return (vaddr_t)symbol - KERNEL_IMAGE_START; }

static paddr_t table_create(void)
{
    paddr_t table = table_alloc();
    page_clear(direct_address(table));
    return table;
}

/* The entry for `addr` at `level`, with the tables above it made where they are missing. */
static pte_t *slot_make(vaddr_t addr, unsigned level)
{
    pte_t *table = direct_address(root);
    for (unsigned at = PTE_ROOT_LEVEL; at > level; at--) {
        pte_t *slot = &table[pte_index(addr, at)];
        if (pte_is_none(*slot))
            *slot = pte_make_kernel_table(table_create() >> PAGE_SHIFT);
        ASSERT(!pte_is_large(*slot));
        table = direct_address(pte_pfn(*slot) << PAGE_SHIFT);
    }
    return &table[pte_index(addr, level)];
}

/* The level of the largest page that can map the start of this range. */
static unsigned level_for(vaddr_t addr, paddr_t start, paddr_t end)
{
    unsigned level = cpu_has(CPU_LARGE_1G) ? 3 : 2;
    while (!is_aligned(addr | start, pte_span(level)) || end - start < pte_span(level))
        level--; /* ends at level 1: all is page aligned */
    return level;
}

static void map(vaddr_t addr, paddr_t start, paddr_t end, unsigned rights)
{
    while (start < end) {
        unsigned level = level_for(addr, start, end);
        pte_t entry = pte_make_kernel(start >> PAGE_SHIFT, rights);
        *slot_make(addr, level) = level > PTE_LEAF_LEVEL ? pte_make_large(entry) : entry;
        addr += pte_span(level);
        start += pte_span(level);
    }
}

static void map_image(const char *start, const char *end, unsigned rights)
{
    map((vaddr_t)start, image_paddr(start), image_paddr(end), rights);
}

static void map_direct(paddr_t start, paddr_t end, unsigned rights)
{
    map(DIRECT_MAP_START + start, start, end, rights);
}

void kernel_map_init(paddr_t (*alloc)(void))
{
    table_alloc = alloc;
    root = table_create();
    map_image(text_start, text_end, RIGHT_READ | RIGHT_EXEC);
    map_image(rodata_start, rodata_end, RIGHT_READ);
    map_image(data_start, boot_stack_guard, RIGHT_READ | RIGHT_WRITE);
    map_image(boot_stack_guard + PAGE_SIZE, data_end, RIGHT_READ | RIGHT_WRITE);
    /*
     * Address spaces copy the root's entries, so the one for kernel stacks must exist before the first of
     * them.
     */
    slot_make(KERNEL_STACKS_START, PTE_ROOT_LEVEL - 1);
}

void kernel_map_ram(paddr_t start, paddr_t end)
{
    paddr_t fixed_start = image_paddr(text_start), fixed_end = image_paddr(rodata_end);
    map_direct(start, MIN(end, fixed_start), RIGHT_READ | RIGHT_WRITE);
    map_direct(MAX(start, fixed_start), MIN(end, fixed_end), RIGHT_READ);
    map_direct(MAX(start, fixed_end), end, RIGHT_READ | RIGHT_WRITE);
}

void kernel_map_load(void)
{
    /* Entries of the boot tables were not global, so a change of root drops them all. */
    mmu_switch(root);
    cr4_write(cr4_read() | CR4_PGE);
}

bool kernel_map_is_boot_guard(vaddr_t addr) { return page_down(addr) == (vaddr_t)boot_stack_guard; }

paddr_t mmu_kernel_root(void) { return root; }
