// SPDX-License-Identifier: MIT
/*
 * log.c: the ring of lines, and the port they are written through to.
 *
 * The ring holds text, line after line; the oldest bytes are overwritten. Lock: log_lock, the last in the
 * order.
 */
#include "kernel/lib/log.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/params.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"

#define LINE_SIZE 512
#define RING_SIZE (32u << 10) /* a power of two */

static struct spinlock log_lock = SPINLOCK_INIT;
static char ring[RING_SIZE];
static uint64_t ring_end; /* bytes ever written */
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

static void ring_put(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ring[ring_end++ % RING_SIZE] = text[i];
}

/* The whole line with stamp and newline; returns its length. */
static size_t line_format(char *line, const char *fmt, va_list args)
{
    uint64_t now = clock_nanoseconds() / 1000;
    size_t stamp = (size_t)snprintf(line, LINE_SIZE, "[%5lu.%06lu] ", now / 1000000, now % 1000000);
    size_t room = LINE_SIZE - stamp - 1;
    size_t length = stamp + MIN((size_t)vsnprintf(line + stamp, room, fmt, args), room - 1);
    if (line[length - 1] != '\n')
        line[length++] = '\n';
    return length;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    size_t length = line_format(line, fmt, args);
    va_end(args);
    bool enabled = log_lock_take();
    ring_put(line, length);
    if ((int)level < console_level || lock_is_broken)
        serial_write(port, line, length);
    log_lock_give(enabled);
}

void log_set_console_level(int level) { console_level = level; }

unsigned log_port(void) { return port; }

static char ring_at(uint64_t position) { return ring[position % RING_SIZE]; }

size_t log_copy(char *buffer, size_t size)
{
    bool enabled = log_lock_take();
    uint64_t start = ring_end - MIN(ring_end, MIN(size, RING_SIZE));
    /* Begin with a whole line. */
    while (start > 0 && start < ring_end && ring_at(start - 1) != '\n')
        start++;
    size_t length = ring_end - start;
    for (size_t i = 0; i < length; i++)
        buffer[i] = ring_at(start + i);
    log_lock_give(enabled);
    return length;
}

void log_break_lock(void) { lock_is_broken = true; }
