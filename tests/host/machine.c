// SPDX-License-Identifier: MIT
/*
 * machine.c: RAM with the holes of a PC, one CPU, and the start of mm/ on them.
 *
 * The kernel's own memory is a stretch at 1 MiB that is reserved and full of a pattern, and its root table,
 * whose upper half every address space copies. A hole in the middle and reserved bytes with odd borders are
 * what firmware leaves.
 */
#include "tests/host/machine.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/mmu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/bootmem.h"

#define LOW_END 0x9f000ul /* conventional memory */
#define HIGH_START (1ul << 20)
#define KERNEL_SIZE (512ul << 10)

static struct cpu boot_cpu;
static struct fault_counts boot_fault_counts;
static paddr_t kernel_root;

paddr_t mmu_kernel_root(void) { return kernel_root; }

void machine_enter_thread(void)
{
    boot_cpu.self = &boot_cpu;
    boot_cpu.fault_counts = &boot_fault_counts;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &boot_cpu))
        panic("no GS base");
}

/* The kernel's root: only the slot of kernel stacks is filled in, with an empty table. */
static void kernel_root_make(void)
{
    kernel_root = bootmem_alloc(PAGE_SIZE, PAGE_SIZE, RAM_LIMIT);
    paddr_t stacks = bootmem_alloc(PAGE_SIZE, PAGE_SIZE, RAM_LIMIT);
    pte_t *root = direct_address(kernel_root);

    memset(root, 0, PAGE_SIZE);
    memset(direct_address(stacks), 0, PAGE_SIZE);
    pte_store(&root[pte_index(KERNEL_STACKS_START, PTE_ROOT_LEVEL)],
              (pte_t){ stacks | PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC });
}

void machine_power_on(uint64_t ram)
{
    paddr_t hole = page_down(ram / 2);
    void *memory = mmap((void *)HOST_RAM_START, HOST_RAM_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    BUG_ON(memory != (void *)HOST_RAM_START, "no address space for RAM");
    BUG_ON(ram > HOST_RAM_SIZE || ram < 4ul << 20, "a machine of %lu bytes", ram);
    machine_enter_thread();
    bootmem_add(hole + 3 * PAGE_SIZE, ram);
    bootmem_add(HIGH_START, hole);
    bootmem_add(0, LOW_END);
    bootmem_reserve(0, PAGE_SIZE);
    bootmem_reserve(HIGH_START, HIGH_START + KERNEL_SIZE);
    bootmem_reserve(HIGH_START + KERNEL_SIZE + 100, HIGH_START + KERNEL_SIZE + 2 * PAGE_SIZE + 1);
    memset(direct_address(HIGH_START), 0xcc, KERNEL_SIZE);
    kernel_root_make();
    mmu_switch(kernel_root);
}

void machine_start(uint64_t ram)
{
    machine_power_on(ram);
    mm_init();
}
