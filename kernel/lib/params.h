// SPDX-License-Identifier: MIT
/*
 * params.h: kernel parameters, read from the boot loader's command line.
 *
 * A parameter is looked up where it is used; docs/parameters.md lists them all. Parameters end at a
 * word `--`; what follows are the arguments of init.
 */
#ifndef KERNEL_LIB_PARAMS_H
#define KERNEL_LIB_PARAMS_H

#include "kernel/lib/types.h"

/* Keep a copy of the command line. Called once at boot, before any look-up. At most 1023 bytes are kept. */
void params_init(const char *command_line);

/* The whole line as given (for /proc/cmdline). */
const char *params_line(void);

/*
 * The value of `name=value`, "" for a bare `name`, NULL if absent. The last occurrence counts. Valid for
 * ever.
 */
const char *params_string(const char *name);

/* `name=off|0|no` is false; `name`, `name=on|1|yes` is true; absent or anything else is `otherwise`. */
bool params_bool(const char *name, bool otherwise);

/* `name=N`, base by prefix; absent or malformed is `otherwise`. */
unsigned long params_ulong(const char *name, unsigned long otherwise);

/* `name=ttyS0` to `name=ttyS3`: the number of the serial port; absent or anything else is `otherwise`. */
unsigned params_port(const char *name, unsigned otherwise);

/*
 * The i-th word after `--`, or NULL. Double quotes keep spaces in a word; a backslash keeps the next
 * character.
 */
const char *params_init_arg(unsigned i);

#endif
