// SPDX-License-Identifier: MIT
/*
 * ring.h: bytes in the order they came, at most RING_SIZE of them: what serial input waits in.
 */
#ifndef KERNEL_FS_RING_H
#define KERNEL_FS_RING_H

#include "kernel/lib/types.h"

#define RING_SIZE 4096u /* a power of two */

/* All zeroes is an empty ring. Positions count up and wrap; the lock is its owner's. */
struct ring {
    unsigned start, end;
    uint8_t bytes[RING_SIZE];
};

static inline unsigned ring_used(const struct ring *ring) { return ring->end - ring->start; }
static inline unsigned ring_room(const struct ring *ring) { return RING_SIZE - ring_used(ring); }
static inline uint8_t *ring_at(struct ring *ring, unsigned position)
{
    return &ring->bytes[position % RING_SIZE];
}

/* There is room. */
static inline void ring_put(struct ring *ring, uint8_t byte) { *ring_at(ring, ring->end++) = byte; }

/* There is a byte. */
static inline uint8_t ring_get(struct ring *ring) { return *ring_at(ring, ring->start++); }

#endif
