// SPDX-License-Identifier: MIT
/*
 * mappers.h: how many mappings a page has, over all address spaces (proc(5), Pss).
 *
 * There is no reverse map, and with shared tables a frame's references do not tell: a page in a leaf table
 * that three processes share has one entry and three mappings. So the tally is made when someone asks, by one
 * visit of every table in the machine.
 */
#ifndef MM_MAPPERS_H
#define MM_MAPPERS_H

#include "mm/pagetable.h"

struct mappers;

/*
 * Count all mappings as they are now. Takes a frame for each 512 frames in which there is a shared one. NULL:
 * out of memory. Does not sleep.
 */
struct mappers *mappers_count(void) __must_check;
void mappers_free(struct mappers *mappers);

/* The mappings of the page that `tree` maps at `addr` by an entry for `frame`: 1 or more. */
uint32_t mappers_of(const struct mappers *mappers, const struct pagetable *tree, vaddr_t addr,
                    const struct frame *frame);

#endif
