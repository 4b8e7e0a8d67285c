// SPDX-License-Identifier: MIT
/*
 * start.c: the order in which the machine comes up, from the first line of C to kernel_main().
 *
 * First come the things that make trouble readable: trap handlers, serial ports, parameters, log, clock,
 * symbols. Then memory: RAM is listed and what lies in it reserved, and the kernel's own tables replace the
 * boot tables.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/directmap.h"
#include "arch/x86_64/kernelmap.h"
#include "arch/x86_64/machine.h"
#include "boot/bootinfo.h"
#include "kernel/entry.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/report.h"
#include "kernel/lib/symbols.h"
#include "mm/bootmem.h"

void boot_start(uint32_t info_paddr) __attribute__((noreturn));

extern char image_start[], image_end[]; /* linker.ld: physical addresses */

/* The boot tables reach this far (entry.asm); tables are made of memory below. */
#define BOOT_MAP_END (4ul << 30)

static void reserve(const struct boot_range *range)
{
    if (range->length)
        bootmem_reserve(range->start, range->start + range->length);
}

/* List all RAM, and set aside what is in use. */
static void memory_list(uint32_t info_paddr, const struct bootinfo *info)
{
    bootinfo_for_each_ram(info_paddr, bootmem_add);
    /*
     * Frame 0 stays out of play: physical address 0 means "none" in many places, and the BIOS keeps its
     * data there.
     */
    bootmem_reserve(0, PAGE_SIZE);
    bootmem_reserve((paddr_t)image_start, (paddr_t)image_end);
    reserve(&info->archive);
    reserve(&info->symbols);
    reserve(&info->strings);
    log_info("memory: %lu KiB of RAM, highest address 0x%lx", bootmem_total() >> 10, bootmem_end());
}

static paddr_t table_alloc(void) { return bootmem_alloc(PAGE_SIZE, PAGE_SIZE, BOOT_MAP_END); }

/* From here on the direct map covers all RAM, and nothing is both writable and executable. */
static void memory_map(void)
{
    kernel_map_init(table_alloc);
    bootmem_for_each_ram(kernel_map_ram);
    kernel_map_load();
}

static void symbols_keep(const struct bootinfo *info)
{
    if (info->symbols.length)
        symbols_init(direct_address(info->symbols.start), info->symbols.length,
                     direct_address(info->strings.start), info->strings.length);
}

void boot_start(uint32_t info_paddr)
{
    cpu_init();
    for (unsigned port = 0; port < SERIAL_PORTS; port++)
        serial_init(port);
    struct bootinfo info;
    bootinfo_read(info_paddr, &info);
    params_init(info.command_line);
    log_init();
    report_init();
    clock_init();
    symbols_keep(&info);
    log_info("Lazybones on %s", cpu_model());
    log_info("parameters: %s", params_line());
    memory_list(info_paddr, &info);
    memory_map();
    const void *archive = info.archive.length ? direct_address(info.archive.start) : NULL;
    kernel_main(archive, info.archive.length);
}
