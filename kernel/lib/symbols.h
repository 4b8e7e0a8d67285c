// SPDX-License-Identifier: MIT
/*
 * symbols.h: names for the kernel's addresses, from its own ELF symbol table.
 */
#ifndef KERNEL_LIB_SYMBOLS_H
#define KERNEL_LIB_SYMBOLS_H

#include "kernel/lib/types.h"

/*
 * Use these tables from now on; they stay where they are (Elf64_Sym entries and their string table, sizes
 * in bytes). Called once at boot, or never.
 */
void symbols_init(const void *table, size_t table_size, const char *strings, size_t strings_size);

/*
 * The function that contains `address`, and how far in it lies. NULL when there is no table or `address` is
 * outside the kernel's text. No locks.
 */
const char *symbols_find(uint64_t address, uint64_t *offset);

#endif
