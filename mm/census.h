// SPDX-License-Identifier: MIT
/*
 * census.h: figures that nobody keeps, counted by a look at every frame in use when someone asks.
 */
#ifndef MM_CENSUS_H
#define MM_CENSUS_H

#include "mm/frame.h"

#define TABLE_LEVELS 4

struct frame_census {
    uint64_t tables[TABLE_LEVELS]; /* page tables: [0] leaf tables … [3] roots */
    uint64_t shared[TABLE_LEVELS]; /* those that more than one entry points at */
    uint64_t references[TABLE_LEVELS]; /* entries that point at them, an address space's own at its root */
};

/* Does not sleep. */
void frame_census(struct frame_census *census);

/*
 * Pages of files and of shared memory that have a mapping. `cached`: how many such pages there are (frame_figures), so
 * that the look ends with the last of them. Does not sleep.
 */
uint64_t frames_mapped(uint64_t cached);

/*
 * Frames that a locked mapping shows, each counted once (meminfo, Mlocked). Takes the mutex of one address
 * space after the other; the caller holds none. May sleep. 0, or -ENOMEM: there is no frame for the marks
 * (one for each 128 MiB of RAM in which something is locked).
 */
int frames_locked(uint64_t *frames) __must_check;

#endif
