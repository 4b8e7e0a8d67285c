// SPDX-License-Identifier: MIT
/*
 * commit.h: the ledger of promises. Promise before you map: commit_charge() succeeds, or the call fails.
 *
 * The ledger is one atomic counter of pages. The policy is Linux's (proc(5), /proc/sys/vm/overcommit_memory):
 *
 *   0  heuristic   the sum is not limited; one request is refused only when it alone exceeds all RAM
 *   1  always      nothing is refused
 *   2  never       the sum stays below commit_limit(), less the reserves; MAP_NORESERVE means nothing
 *
 * The policy's variables are plain words, set at boot or through /proc/sys/vm, read without a lock.
 */
#ifndef MM_COMMIT_H
#define MM_COMMIT_H

#include "kernel/lib/types.h"

struct aspace;

enum commit_mode { COMMIT_HEURISTIC = 0, COMMIT_ALWAYS = 1, COMMIT_NEVER = 2 };

struct commit_policy {
    int overcommit_memory;            /* enum commit_mode */
    int overcommit_ratio;             /* percent of RAM in the limit; counts while overcommit_kbytes is 0 */
    unsigned long overcommit_kbytes;  /* the limit in KiB; whoever sets this or the ratio sets the other to 0 */
    unsigned long admin_reserve_kbytes; /* mode 2: who is not root leaves this for root */
    unsigned long user_reserve_kbytes; /* mode 2: a process leaves min(this, its size / 32) for others */
};
extern struct commit_policy commit_policy;

/* Defaults that depend on the size of RAM. The frames are there. Called once. */
void commit_init(void);

/* Pages: CommitLimit. */
uint64_t commit_limit(void);

/*
 * Promise `pages` more to a process, whose size and privilege count in mode 2 (NULL: to nobody in particular). 0 or
 * -ENOMEM, then nothing is charged.
 */
int commit_charge(uint64_t pages, const struct aspace *asker) __must_check;
/* Take back a promise. More than was charged is a bug and panics. */
void commit_refund(uint64_t pages);
/* Pages promised now: Committed_AS. */
uint64_t commit_total(void);

#endif
