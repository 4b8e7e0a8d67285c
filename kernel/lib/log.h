// SPDX-License-Identifier: MIT
/*
 * log.h: the kernel log: a ring of records in memory, written through to the log's serial port.
 *
 * A record is one line with its level, its number and the time since boot. Any context may log. Readers
 * (/dev/kmsg, syslog(2)) go from record to record with a cursor; a slow one finds that records were lost.
 */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include "kernel/lib/types.h"

/* As syslog(2) numbers them. */
enum log_level {
    LOG_EMERG = 0,
    LOG_ALERT = 1,
    LOG_CRIT = 2,
    LOG_ERR = 3,
    LOG_WARN = 4,
    LOG_NOTICE = 5,
    LOG_INFO = 6,
    LOG_DEBUG = 7
};

/* Who says it (syslog(3)): the kernel, or a program that writes to /dev/kmsg and names no other facility. */
enum log_facility { LOG_KERNEL = 0, LOG_USER = 1 };

#define LOG_TEXT_MAX 1000         /* bytes of one record's text */
#define LOG_RING_SIZE (64u << 10) /* bytes, for texts and a header each; a power of two */

/*
 * Open the port that the parameter log= names (ttyS0 without it). Called once at boot, after params_init().
 */
void log_init(void);

/*
 * Write one record; a newline at its end is dropped, what is beyond LOG_TEXT_MAX is cut. Does not sleep;
 * takes the log's lock.
 */
void log_write(enum log_level level, const char *fmt, ...) __printf_like(2, 3);

/* The same for a text of `length` bytes from outside of the kernel. */
void log_write_text(enum log_level level, unsigned facility, const char *text, size_t length);

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Records at `level` and above in number go to the ring only, not to the port (parameter loglevel=). */
void log_set_console_level(int level);
int log_console_level(void);

/* The number of the port that the log goes to. */
unsigned log_port(void);

struct log_record {
    uint64_t sequence; /* 0, 1, 2 … since boot */
    uint64_t microseconds;
    uint8_t level, facility;
    uint16_t length;
    char text[LOG_TEXT_MAX]; /* without NUL */
};

/* A place between two records. */
struct log_cursor {
    uint64_t sequence; /* of the record behind it */
    uint64_t position; /* where that begins: bytes since boot */
};

struct log_cursor log_oldest(void);
struct log_cursor log_end(void);

/*
 * The record behind the cursor, which moves past it. LOG_READ_END: there is none yet. LOG_READ_LOST: it has
 * been overwritten; nothing is read, and the cursor is now at the oldest record.
 */
enum log_read { LOG_READ_RECORD, LOG_READ_END, LOG_READ_LOST };
enum log_read log_read(struct log_cursor *cursor, struct log_record *record) __must_check;

/*
 * A panic: whoever holds the log's lock will not come back to give it up. From now on records are written
 * without it and all go to the port.
 */
void log_break_lock(void);

#endif
