// SPDX-License-Identifier: MIT
/*
 * lab.c: see lab.h.
 */
#include "kernel/lib/lab.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"

int lab_missing_once(const char *lab, const char *part, bool *said)
{
    if (!*said) {
        *said = true;
        log_err("lab %s: %s() is missing: see LAB.md", lab, part);
    }
    return -ENOSYS;
}
