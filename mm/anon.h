// SPDX-License-Identifier: MIT
/*
 * anon.h: private anonymous memory, and the pages of it that are mapped ahead of need.
 */
#ifndef MM_ANON_H
#define MM_ANON_H

#include "kernel/lib/types.h"

/* Look at faultahead= (docs/parameters.md). Called once. */
void anon_init(void);

/* Pages that have been mapped beyond those that were touched, since boot. They are no faults. */
extern uint64_t anon_ahead;

#endif
