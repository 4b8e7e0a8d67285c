// SPDX-License-Identifier: MIT
/*
 * commit.c: the ledger and its policy, commit_allows().
 */
#include "mm/commit.h"

#include "arch/x86_64/page.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "mm/frame.h"

#define RATIO_DEFAULT 50
#define USER_RESERVE_MAX_KB (128ul << 10) /* Linux: the smaller of this and 3 % of free memory */
#define KB_PER_PAGE (PAGE_SIZE >> 10)

static uint64_t committed; /* pages; atomic */

struct commit_policy commit_policy = { .overcommit_memory = COMMIT_HEURISTIC, .overcommit_ratio = RATIO_DEFAULT };

void commit_init(void)
{
    commit_policy.user_reserve_kbytes = MIN(frame_free_count() * KB_PER_PAGE / 32, USER_RESERVE_MAX_KB);
}

uint64_t commit_limit(void)
{
    if (commit_policy.overcommit_kbytes)
        return commit_policy.overcommit_kbytes / KB_PER_PAGE;
    return frame_total_count() * (uint64_t)commit_policy.overcommit_ratio / 100;
}

/*
 * May `total` pages be promised in all, `pages` of them now? Everyone is root here, so the reserve that Linux keeps for
 * an administrator against other users has nobody to be kept from.
 */
static bool commit_allows(uint64_t total, uint64_t pages, uint64_t size)
{
    switch (commit_policy.overcommit_memory) {
    case COMMIT_ALWAYS:
        return true;
    case COMMIT_NEVER: {
        uint64_t reserve = MIN(size / 32, commit_policy.user_reserve_kbytes / KB_PER_PAGE);
        return total + reserve < commit_limit();
    }
    default:
        return pages <= frame_total_count();
    }
}

int commit_charge(uint64_t pages, uint64_t size)
{
    if (pages > USER_END >> PAGE_SHIFT) /* more than any address space holds; keeps the sum from wrapping */
        return -ENOMEM;
    uint64_t total = __atomic_add_fetch(&committed, pages, __ATOMIC_RELAXED);
    if (!pages || commit_allows(total, pages, size))
        return 0;
    commit_refund(pages);
    return -ENOMEM;
}

void commit_refund(uint64_t pages)
{
    uint64_t before = __atomic_fetch_sub(&committed, pages, __ATOMIC_RELAXED);
    BUG_ON(before < pages, "refund of %lu pages, %lu are committed", pages, before);
}

uint64_t commit_total(void) { return __atomic_load_n(&committed, __ATOMIC_RELAXED); }
