// SPDX-License-Identifier: MIT
/*
 * log.h: the kernel log: a ring of lines in memory, written through to the log's serial port.
 *
 * A line is stamped with the seconds since boot, as Linux's dmesg shows it. Any context may log.
 */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include "kernel/lib/types.h"

enum log_level { LOG_EMERG = 0, LOG_ERR = 3, LOG_WARN = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/*
 * Open the port that the parameter log= names (ttyS0 without it). Called once at boot, after params_init().
 */
void log_init(void);

/*
 * Write one line (a newline is added where missing; what is beyond 500 bytes is cut). Does not sleep; takes
 * the log's lock.
 */
void log_write(enum log_level level, const char *fmt, ...) __printf_like(2, 3);

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Lines at `level` and above in number go to the ring only, not to the port (parameter loglevel=). */
void log_set_console_level(int level);

/* The number of the port that the log goes to. */
unsigned log_port(void);

/*
 * The most recent lines, oldest first, that fit in `size` bytes. Returns the bytes copied; no NUL is added.
 */
size_t log_copy(char *buffer, size_t size);

/*
 * A panic: whoever holds the log's lock will not come back to give it up. From now on lines are written
 * without it and all go to the port.
 */
void log_break_lock(void);

#endif
