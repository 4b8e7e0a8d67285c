// SPDX-License-Identifier: MIT
/*
 * lab.h: what a hole of a lab calls until it is filled.
 */
#ifndef KERNEL_LIB_LAB_H
#define KERNEL_LIB_LAB_H

#include "kernel/lib/assert.h"
#include "kernel/lib/types.h"

/*
 * Say in the log, once for each place, that this part of the lab is still to be written. Returns -ENOSYS. Does not sleep.
 */
#define lab_missing(lab, part)               \
    ({                                       \
        static bool said;                    \
        lab_missing_once(lab, part, &said);  \
    })
int lab_missing_once(const char *lab, const char *part, bool *said);

/* The same where the machine cannot go on without it. */
#define lab_missing_panic(lab, part) panic("lab %s: %s() is missing: see LAB.md", lab, part)

#endif
