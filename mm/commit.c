// SPDX-License-Identifier: MIT
/*
 * commit.c: the ledger and its policy.
 */
#include "mm/commit.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/frame.h"

static uint64_t committed; /* pages; atomic */

/* Heuristic overcommit: the sum is not limited, only nonsense is refused: one request larger than all RAM. */
static bool commit_allows(uint64_t pages) { return pages <= frame_total_count(); }

int commit_charge(uint64_t pages)
{
    if (!commit_allows(pages))
        return -ENOMEM;
    __atomic_add_fetch(&committed, pages, __ATOMIC_RELAXED);
    return 0;
}

void commit_refund(uint64_t pages)
{
    uint64_t before = __atomic_fetch_sub(&committed, pages, __ATOMIC_RELAXED);
    BUG_ON(before < pages, "refund of %lu pages, %lu are committed", pages, before);
}

uint64_t commit_total(void) { return __atomic_load_n(&committed, __ATOMIC_RELAXED); }
