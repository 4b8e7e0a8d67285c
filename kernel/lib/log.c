// SPDX-License-Identifier: MIT
/*
 * log.c: the ring of records, and the port they are written through to.
 *
 * Positions count bytes since boot, so that none comes twice: the ring holds [ring_start, ring_end), and a
 * position's byte lies at that position modulo the ring's size. A record is a header and its text; when room
 * is needed the oldest records go. Lock: log_lock, the last in the order.
 */
#include "kernel/lib/log.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/params.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"

struct header {
    uint64_t microseconds;
    uint16_t length;
    uint8_t level, facility;
};

static struct spinlock log_lock = SPINLOCK_INIT;

/* All below: log_lock. */
static char ring[LOG_RING_SIZE];
static uint64_t ring_start, ring_end;
static uint64_t first_sequence, next_sequence; /* of the record at ring_start, and at ring_end */

static unsigned port;
static int console_level = LOG_DEBUG;
static bool lock_is_broken;

static bool log_lock_take(void) { return !lock_is_broken && spin_lock_irq(&log_lock); }

static void log_lock_give(bool enabled)
{
    if (!lock_is_broken)
        spin_unlock_irq(&log_lock, enabled);
}

void log_init(void)
{
    port = params_port("log", 0);
    log_set_console_level((int)params_ulong("loglevel", LOG_DEBUG));
}

static void ring_put(const void *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ring[ring_end++ % LOG_RING_SIZE] = ((const char *)from)[i];
}

static void ring_get(uint64_t position, void *to, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((char *)to)[i] = ring[(position + i) % LOG_RING_SIZE];
}

/* Drop the oldest records until `size` bytes are free. */
static void ring_make_room(size_t size)
{
    struct header header;

    while (ring_end + size - ring_start > LOG_RING_SIZE) {
        ring_get(ring_start, &header, sizeof header);
        ring_start += sizeof header + header.length;
        first_sequence++;
    }
}

/* The line as a terminal shows it, with stamp and newline. */
static void port_write(const struct header *header, const char *text)
{
    char stamp[32];
    uint64_t now = header->microseconds;
    int length = snprintf(stamp, sizeof stamp, "[%5lu.%06lu] ", now / 1000000, now % 1000000);
    serial_write(port, stamp, (size_t)length);
    serial_write(port, text, header->length);
    serial_write(port, "\n", 1);
}

void log_write_text(enum log_level level, unsigned facility, const char *text, size_t length)
{
    length = MIN(length, (size_t)LOG_TEXT_MAX);
    if (length && text[length - 1] == '\n')
        length--;
    struct header header = {
        .microseconds = clock_nanoseconds() / 1000,
        .length = (uint16_t)length,
        .level = (uint8_t)level,
        .facility = (uint8_t)facility,
    };
    bool enabled = log_lock_take();
    ring_make_room(sizeof header + length);
    ring_put(&header, sizeof header);
    ring_put(text, length);
    next_sequence++;
    if ((int)level < console_level || lock_is_broken)
        port_write(&header, text);
    log_lock_give(enabled);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[LOG_TEXT_MAX + 1];
    va_list args;
    va_start(args, fmt);
    size_t length = (size_t)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_write_text(level, LOG_KERNEL, text, length);
}

void log_set_console_level(int level) { console_level = level; }

int log_console_level(void) { return console_level; }

unsigned log_port(void) { return port; }

static struct log_cursor oldest_locked(void)
{
    return (struct log_cursor){ .sequence = first_sequence, .position = ring_start };
}

struct log_cursor log_oldest(void)
{
    bool enabled = log_lock_take();
    struct log_cursor cursor = oldest_locked();
    log_lock_give(enabled);
    return cursor;
}

struct log_cursor log_end(void)
{
    bool enabled = log_lock_take();
    struct log_cursor cursor = { .sequence = next_sequence, .position = ring_end };
    log_lock_give(enabled);
    return cursor;
}

static enum log_read read_locked(struct log_cursor *cursor, struct log_record *record)
{
    struct header header;

    if (cursor->sequence < first_sequence) {
        *cursor = oldest_locked();
        return LOG_READ_LOST;
    }
    if (cursor->sequence >= next_sequence)
        return LOG_READ_END;
    ring_get(cursor->position, &header, sizeof header);
    record->sequence = cursor->sequence++;
    record->microseconds = header.microseconds;
    record->level = header.level;
    record->facility = header.facility;
    record->length = header.length;
    ring_get(cursor->position + sizeof header, record->text, header.length);
    cursor->position += sizeof header + header.length;
    return LOG_READ_RECORD;
}

enum log_read log_read(struct log_cursor *cursor, struct log_record *record)
{
    bool enabled = log_lock_take();
    enum log_read result = read_locked(cursor, record);
    log_lock_give(enabled);
    return result;
}

void log_break_lock(void) { lock_is_broken = true; }
