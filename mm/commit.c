// SPDX-License-Identifier: MIT
/*
 * commit.c: the ledger and its policy, commit_allows().
 */
#include "mm/commit.h"

#include "arch/x86_64/page.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/trace.h"

#define RATIO_DEFAULT 50
#define USER_RESERVE_MAX_KB (128ul << 10) /* Linux: the smaller of this and 3 % of free memory */
#define ADMIN_RESERVE_MAX_KB (8ul << 10)
#define KB_PER_PAGE (PAGE_SIZE >> 10)

static uint64_t committed; /* pages; atomic */

struct commit_policy commit_policy = { .overcommit_memory = COMMIT_HEURISTIC, .overcommit_ratio = RATIO_DEFAULT };

void commit_init(void)
{
    commit_policy.admin_reserve_kbytes = MIN(frame_free_count() * KB_PER_PAGE / 32, ADMIN_RESERVE_MAX_KB);
    commit_policy.user_reserve_kbytes = MIN(frame_free_count() * KB_PER_PAGE / 32, USER_RESERVE_MAX_KB);
}

/* lab commit: begin */
uint64_t commit_limit(void)
{
    if (commit_policy.overcommit_kbytes)
        return commit_policy.overcommit_kbytes / KB_PER_PAGE;
    return frame_total_count() * (uint64_t)commit_policy.overcommit_ratio / 100;
}

/* Mode 2: pages of the limit that `asker` must leave for others. */
static uint64_t commit_reserve(const struct aspace *asker)
{
    if (!asker)
        return 0;
    uint64_t for_admin = asker->unprivileged ? commit_policy.admin_reserve_kbytes / KB_PER_PAGE : 0;
    return for_admin + MIN(asker->vmas.pages / 32, commit_policy.user_reserve_kbytes / KB_PER_PAGE);
}

/* May `total` pages be promised in all, `pages` of them now? */
static bool commit_allows(uint64_t total, uint64_t pages, const struct aspace *asker)
{
    switch (commit_policy.overcommit_memory) {
    case COMMIT_ALWAYS:
        return true;
    case COMMIT_NEVER:
        return total + commit_reserve(asker) < commit_limit();
    default:
        return pages <= frame_total_count();
    }
}
/* lab commit: instead policy.c */

/* lab commit: begin */
int commit_charge(uint64_t pages, const struct aspace *asker)
{
    if (pages > USER_END >> PAGE_SHIFT) /* more than any address space holds; keeps the sum from wrapping */
        return -ENOMEM;
    uint64_t total = __atomic_add_fetch(&committed, pages, __ATOMIC_RELAXED);
    bool allowed = !pages || commit_allows(total, pages, asker);
    if (!allowed)
        __atomic_sub_fetch(&committed, pages, __ATOMIC_RELAXED);
    trace_commit((int64_t)pages, allowed ? TRACE_GRANTED : TRACE_REFUSED);
    return allowed ? 0 : -ENOMEM;
}

void commit_refund(uint64_t pages)
{
    uint64_t before = __atomic_fetch_sub(&committed, pages, __ATOMIC_RELAXED);
    BUG_ON(before < pages, "refund of %lu pages, %lu are committed", pages, before);
    trace_commit(-(int64_t)pages, TRACE_GRANTED);
}

uint64_t commit_total(void) { return __atomic_load_n(&committed, __ATOMIC_RELAXED); }
/* lab commit: instead ledger.c */
