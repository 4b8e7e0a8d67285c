// SPDX-License-Identifier: MIT
/*
 * reclaim.h: taking back what was given up before anyone must die: pages under MADV_FREE that were not written again.
 */
#ifndef MM_RECLAIM_H
#define MM_RECLAIM_H

#include "kernel/lib/types.h"

/* A page is marked: without this, there is nothing to look for. The mutex of its address space is held. */
void reclaim_note_marked(void);

/* Frames taken back from all address spaces. Takes their mutexes one at a time; the caller holds none. May sleep. */
uint64_t reclaim_lazy_free(void);

#endif
