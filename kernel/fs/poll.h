// SPDX-License-Identifier: MIT
/*
 * poll.h: waiting for any of many files: what poll(2) and select(2) have in common.
 */
#ifndef KERNEL_FS_POLL_H
#define KERNEL_FS_POLL_H

#include <asm/poll.h>

#include "kernel/lib/types.h"

struct poll_set {
    struct pollfd *fds; /* in kernel memory; revents are set by waiting */
    unsigned count;
    unsigned ready; /* of them with something to report */
};

/* How long to wait. */
struct poll_time {
    bool forever;
    uint64_t deadline; /* nanoseconds since boot; in the past: look once */
};

/* A time-out of so many seconds and nanoseconds, both valid, from now on. */
struct poll_time poll_time_in(int64_t seconds, int64_t nanoseconds);

/* Nanoseconds left until then; 0: it is over. */
uint64_t poll_time_left(const struct poll_time *time);

/*
 * Wait until one of the set is ready, or the time is over. `user_mask` (0: none) points to the signal mask
 * to wait with, of `mask_size` bytes (ppoll(2)). The number ready, -ERESTARTNOHAND, -EINVAL or -EFAULT (the
 * mask). Sleeps.
 */
int64_t poll_wait(struct poll_set *set, const struct poll_time *time, uint64_t user_mask,
                  uint64_t mask_size) __must_check;

/*
 * The result of a call that writes back what is left of its time, `size` bytes to `user`. A bad address for that is no
 * error, nor is a personality that leaves times alone (STICKY_TIMEOUTS), but without it the call cannot be restarted.
 */
int64_t poll_result(int64_t result, uint64_t user, const void *left, size_t size);

#endif
