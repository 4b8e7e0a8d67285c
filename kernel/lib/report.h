// SPDX-License-Identifier: MIT
/*
 * report.h: lines for programs on the host, on a port of their own (parameter report=; without it they go
 * nowhere).
 *
 * The lines: `stat NAME VALUE`, `exit STATUS`, `panic TEXT`, `selftest pass|fail N M`.
 */
#ifndef KERNEL_LIB_REPORT_H
#define KERNEL_LIB_REPORT_H

#include "kernel/lib/types.h"

/* Called once at boot, after params_init(). */
void report_init(void);

/* Write one line; the newline is added, and what is beyond 500 bytes is cut. Any context; no lock. */
void report_line(const char *fmt, ...) __printf_like(1, 2);

#endif
