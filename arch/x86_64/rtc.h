// SPDX-License-Identifier: MIT
/*
 * rtc.h: the battery-backed clock.
 */
#ifndef ARCH_X86_64_RTC_H
#define ARCH_X86_64_RTC_H

#include "kernel/lib/types.h"

/*
 * Seconds since 1970-01-01, taking the clock to run in UTC. Waits for an update that is under way (about 2
 * ms).
 */
uint64_t rtc_read(void);

#endif
