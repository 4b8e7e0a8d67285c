// SPDX-License-Identifier: MIT
/*
 * commit.c: tests of the ledger: what is charged comes back, nonsense is refused.
 */
#include "mm/commit.h"

#include "kernel/lib/errno.h"
#include "kernel/selftest.h"
#include "mm/frame.h"

KTEST(commit, charge_and_refund)
{
    uint64_t before = commit_total();

    REQUIRE(!commit_charge(100, NULL));
    REQUIRE(!commit_charge(23, NULL));
    EXPECT_EQUAL(commit_total(), before + 123);
    commit_refund(100);
    EXPECT_EQUAL(commit_total(), before + 23);
    commit_refund(23);
    EXPECT_EQUAL(commit_total(), before);
}

KTEST(commit, one_request_beyond_all_ram_is_refused)
{
    uint64_t before = commit_total(), all = frame_total_count();

    EXPECT_EQUAL(commit_charge(all + 1, NULL), -ENOMEM);
    EXPECT_EQUAL(commit_charge(UINT64_MAX, NULL), -ENOMEM);
    EXPECT_EQUAL(commit_total(), before);
}

KTEST(commit, several_requests_may_exceed_ram)
{
    uint64_t before = commit_total(), all = frame_total_count();

    for (unsigned i = 0; i < 5; i++)
        EXPECT_EQUAL(commit_charge(all, NULL), 0);
    EXPECT_EQUAL(commit_total(), before + 5 * all);
    commit_refund(5 * all);
}

KTEST(commit, what_mode_2_promises_can_be_kept)
{
    struct commit_policy before = commit_policy;

    commit_policy.overcommit_memory = COMMIT_NEVER;
    commit_policy.overcommit_kbytes = 0;
    commit_policy.overcommit_ratio = 25;
    uint64_t room = frame_total_count() / 4 - commit_total();
    EXPECT_EQUAL(commit_charge(room, NULL), -ENOMEM);
    EXPECT_EQUAL(commit_charge(room - 1, NULL), 0); /* as on Linux, the limit itself is not reached */
    EXPECT_EQUAL(commit_charge(1, NULL), -ENOMEM);
    commit_refund(room - 1);
    commit_policy = before;
}
