// SPDX-License-Identifier: MIT
/*
 * bootinfo.h: what the boot loader tells, as far as the kernel uses it.
 *
 * The tags are read once, before any memory is handed out; what they point at (modules, symbol tables) is
 * reserved by boot/start.c, and everything else is copied. So the boot information itself needs no keeping.
 */
#ifndef BOOT_BOOTINFO_H
#define BOOT_BOOTINFO_H

#include "arch/x86_64/page.h"

/* A piece of physical memory; length 0: absent. */
struct boot_range {
    paddr_t start;
    uint64_t length;
};

struct bootinfo {
    const char *command_line; /* "" if there is none; inside the boot information */
    struct boot_range archive; /* the first module */
    struct boot_range symbols; /* the kernel's .symtab: Elf64_Sym entries */
    struct boot_range strings; /* and the string table that belongs to it */
};

/* Read the multiboot2 boot information at `paddr`, through the direct map. Panics when it is malformed. */
void bootinfo_read(paddr_t paddr, struct bootinfo *info);

/* Call ram(start, end) for each range of memory that the loader calls available, in its order. */
void bootinfo_for_each_ram(paddr_t paddr, void (*ram)(paddr_t start, paddr_t end));

#endif
