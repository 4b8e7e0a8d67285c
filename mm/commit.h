// SPDX-License-Identifier: MIT
/*
 * commit.h: the ledger of promises. Promise before you map: commit_charge() succeeds, or the call fails.
 *
 * The policy is heuristic overcommit (Linux's mode 0): one request is refused only when it alone exceeds all RAM.
 * The ledger is one atomic counter; no lock.
 */
#ifndef MM_COMMIT_H
#define MM_COMMIT_H

#include "kernel/lib/types.h"

/* Promise `pages` more. 0 or -ENOMEM, then nothing is charged. */
int commit_charge(uint64_t pages) __must_check;
/* Take back a promise. More than was charged is a bug and panics. */
void commit_refund(uint64_t pages);
/* Pages promised now: Committed_AS. */
uint64_t commit_total(void);

#endif
