// SPDX-License-Identifier: MIT
/*
 * random_limits.c: the random test's limits: what is promised in all, and how much one may have.
 *
 * A limit is set near what is in use, so that it matters for a while, and mostly taken away again.
 */
#include "mm/commit.h"
#include "tests/host/random.h"

#define NEAR 3000 /* pages */

/* How far from what is in use: often so near that what a call replaces matters. */
static uint64_t some_way(void) { return below(one_in(2) ? 30 : NEAR); }

void limits_reset(void)
{
    commit_policy.overcommit_memory = COMMIT_HEURISTIC;
    commit_policy.overcommit_kbytes = 0;
    commit_policy.overcommit_ratio = 50;
}

void op_commit_policy(void)
{
    uint64_t committed = commit_total();

    limits_reset();
    if (!one_in(3))
        commit_policy.overcommit_memory = (int)below(3);
    if (one_in(2))
        commit_policy.overcommit_kbytes = (committed + some_way()) * (PAGE_SIZE >> 10);
    else
        commit_policy.overcommit_ratio = (int)below(100);
    note("overcommit mode %d, limit %lu of which %lu are used", commit_policy.overcommit_memory,
         commit_limit(), committed);
}

void op_size_limits(void)
{
    uint64_t total = model_total(now);

    now->aspace->size_limit = now->aspace->data_limit = UINT64_MAX;
    if (one_in(3))
        now->aspace->size_limit = (total + some_way()) * PAGE_SIZE + below(PAGE_SIZE);
    if (one_in(3))
        now->aspace->data_limit = below(total + NEAR) * PAGE_SIZE + below(PAGE_SIZE);
    note("at most %lu pages in all, %lu of data", now->aspace->size_limit >> PAGE_SHIFT,
         now->aspace->data_limit >> PAGE_SHIFT);
}
