// SPDX-License-Identifier: MIT
/*
 * zero.h: the shared zero page: what every first read of private memory sees.
 *
 * It is a frame like any other, counted like any other, with one pin that is never given back: no entry
 * can be its last owner, so copy-on-write can never hand it out writable.
 */
#ifndef MM_ZERO_H
#define MM_ZERO_H

#include "mm/frame.h"

/* Allocate and pin it. Called once at boot; panics when memory is out. */
void zero_init(void);

extern struct frame *zero_page_frame;
static inline struct frame *zero_frame(void) { return zero_page_frame; }

#endif
