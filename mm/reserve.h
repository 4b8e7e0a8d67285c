// SPDX-License-Identifier: MIT
/*
 * reserve.h: how many frames user memory leaves free, for the kernel and for processes that come to their end.
 */
#ifndef MM_RESERVE_H
#define MM_RESERVE_H

#include "kernel/lib/types.h"

/* RAM has so many frames: keep back what the kernel needs. Called once, by frame_init(). */
void reserve_init(uint64_t frames);

/*
 * /proc/sys/vm/min_free_kbytes (admin-guide/sysctl/vm), at first what the kernel needs, and what is to be called when it
 * was set. Any number that is not negative will do, as on Linux: what is kept back is never less than the need, and where
 * it is more than there is, every process that wants memory is killed for it.
 */
extern int vm_min_free_kbytes;
void reserve_changed(void);

#endif
