// SPDX-License-Identifier: MIT
/*
 * bootmem.h: the machine's RAM as a list of ranges, and the memory taken before there are frames.
 *
 * boot/ adds the RAM ranges that the boot loader names and reserves what is in use (kernel image, modules,
 * boot information). Early code takes memory with bootmem_alloc(), for ever. frame_init() then makes
 * frames of the rest. Single-threaded, before interrupts are on; no locks.
 */
#ifndef MM_BOOTMEM_H
#define MM_BOOTMEM_H

#include "arch/x86_64/page.h"

/* Usable RAM [start, end). Ranges may come in any order and overlap. Beyond RAM_LIMIT it is dropped, and said so. */
void bootmem_add(paddr_t start, paddr_t end);

/* [start, end) is in use; it need not lie in RAM. */
void bootmem_reserve(paddr_t start, paddr_t end);

/* Take `size` bytes, aligned, below `limit`, zeroed by no one. Panics when there is none: nothing could run. */
paddr_t bootmem_alloc(uint64_t size, uint64_t align, paddr_t limit);

/* One past the highest usable address. */
paddr_t bootmem_end(void);

/* Bytes of usable RAM, reserved or not. */
uint64_t bootmem_total(void);

/* Call visit(start, end) for every maximal page-aligned free range, ascending. */
void bootmem_for_each_free(void (*visit)(paddr_t start, paddr_t end));

/* Call visit(start, end) for every RAM range, reserved parts included, ascending and disjoint. */
void bootmem_for_each_ram(void (*visit)(paddr_t start, paddr_t end));

#endif
