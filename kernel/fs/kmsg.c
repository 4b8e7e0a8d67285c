// SPDX-License-Identifier: MIT
/*
 * kmsg.c: reading the kernel's log, and adding to it.
 *
 * /dev/kmsg (Linux's ABI/testing/dev-kmsg) gives each reader all records, as "priority,number,microseconds,-;
 * text". /proc/kmsg and syslog(2) action 2 share one place in the log: what one of them has read, the others
 * do not see. syslog(2)'s other actions show the whole log, or what came since it was cleared, as lines
 * "<priority>[seconds] text".
 *
 * The log is written in any context, with any lock held, so writing wakes nobody: the timer's tick looks
 * whether there is something new. `log_place` and `clear_place` are changed by processes only, and the kernel
 * is not preempted.
 */
#include "kernel/fs/kmsg.h"

#include <asm/poll.h>
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/wait.h"
#include "mm/slab.h"

#define LINE_SIZE (LOG_TEXT_MAX + 48)       /* a record as syslog(2) shows it, at most */
#define RECORD_SIZE (4 * LOG_TEXT_MAX + 64) /* as /dev/kmsg does: every byte may be escaped */
#define CONSOLE_LEVEL_LOWEST 1             /* syslog(2): emergencies are always shown */
#define CONSOLE_LEVEL_HIGHEST 8

static struct wait_queue readers = WAIT_QUEUE_INIT(readers);
static struct log_cursor log_place;   /* of /proc/kmsg and action 2 */
static struct log_cursor clear_place; /* actions 3 and 4 begin here */

static bool has_news(void *cursor) { return ((struct log_cursor *)cursor)->sequence < log_end().sequence; }

void kmsg_tick(void)
{
    static uint64_t seen;
    uint64_t now = log_end().sequence;
    if (now == seen)
        return;
    seen = now;
    wake_all(&readers);
    poll_wake();
}

/* Sleep until a record lies behind the cursor. 0, -EAGAIN or -ERESTARTSYS. */
static int news_wait(struct log_cursor *cursor, bool may_sleep)
{
    if (has_news(cursor))
        return 0;
    return may_sleep ? wait_until(&readers, has_news, cursor, WAIT_INTERRUPTIBLE, 0) : -EAGAIN;
}

/* ---- /dev/kmsg ---- */

static int kmsg_open(struct file *file)
{
    struct log_cursor *cursor = kmalloc(sizeof *cursor);
    if (!cursor)
        return -ENOMEM;
    *cursor = log_oldest();
    file->data = cursor;
    return 0;
}

static void kmsg_release(struct file *file) { kfree(file->data); }

/* What is not plain ASCII, and the backslash, is written as \xHH, so that a record is one line. */
static size_t record_format(const struct log_record *record, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = (size_t)snprintf(out, RECORD_SIZE, "%u,%lu,%lu,-;", record->facility << 3 | record->level,
                                record->sequence, record->microseconds);
    for (unsigned i = 0; i < record->length; i++) {
        unsigned char c = (unsigned char)record->text[i];
        if (c >= ' ' && c < 127 && c != '\\') {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    out[n++] = '\n';
    return n;
}

/* One record into a scratch of two parts: the record and its line. */
struct kmsg_scratch {
    struct log_record record;
    char line[RECORD_SIZE];
};

static ssize_type record_read(struct log_cursor *cursor, const struct buffer *to,
                              struct kmsg_scratch *scratch)
{
    enum log_read result = log_read(cursor, &scratch->record);
    if (result != LOG_READ_RECORD)
        return result == LOG_READ_LOST ? -EPIPE : 0;
    size_t n = record_format(&scratch->record, scratch->line);
    if (n > to->length)
        return -EINVAL;
    ssize_type copied = buffer_put(to, 0, scratch->line, n);
    return copied < (ssize_type)n ? -EFAULT : copied;
}

/*
 * One record a read: -EPIPE when those behind the reader's place are gone; -EINVAL when it does not fit, and
 * then it is passed over, as in Linux.
 */
static ssize_type kmsg_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    struct log_cursor *cursor = file->data;
    (void)offset;
    int error = news_wait(cursor, !(file->flags & O_NONBLOCK));
    if (error)
        return error;
    struct kmsg_scratch *scratch = kmalloc(sizeof *scratch);
    if (!scratch)
        return -ENOMEM;
    ssize_type n = record_read(cursor, to, scratch);
    kfree(scratch);
    return n;
}

/* A line of a program's own, with an optional "<priority>" in front (facility * 8 + level). */
static ssize_type kmsg_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    size_t n = from->length;
    unsigned level = LOG_WARN, facility = LOG_USER;
    (void)file, (void)offset;
    if (n > LOG_TEXT_MAX)
        return -EINVAL;
    char *text = kmalloc(n + 1);
    const char *line = text, *end;
    if (!text)
        return -ENOMEM;
    text[n] = '\0';
    ssize_type copied = n ? buffer_get(from, 0, text, n) : 0;
    if (copied == (ssize_type)n) {
        unsigned long priority = *text == '<' ? string_to_ulong(text + 1, &end, 10) : ULONG_MAX;
        if (priority != ULONG_MAX && end > text + 1 && *end == '>') {
            level = priority & 7;
            facility = priority >> 3 ? (unsigned)(priority >> 3) & 0xff : LOG_USER;
            line = end + 1;
        }
        log_write_text((enum log_level)level, facility, line, n - (size_t)(line - text));
    }
    kfree(text);
    return copied == (ssize_type)n ? copied : -EFAULT;
}

/* Only to the first record, behind what was cleared, and behind the last one; offset 0. */
static int64_t kmsg_seek(struct file *file, int64_t offset, unsigned whence)
{
    struct log_cursor *cursor = file->data;
    if (offset)
        return -ESPIPE;
    switch (whence) {
    case SEEK_SET:
        *cursor = log_oldest();
        return 0;
    case SEEK_DATA:
        *cursor = clear_place;
        return 0;
    case SEEK_END:
        *cursor = log_end();
        return 0;
    default:
        return -EINVAL;
    }
}

static short kmsg_poll(struct file *file) { return has_news(file->data) ? POLLIN | POLLRDNORM : 0; }

const struct inode_ops kmsg_ops = {
    .open = kmsg_open,
    .release = kmsg_release,
    .read = kmsg_read,
    .write = kmsg_write,
    .seek = kmsg_seek,
    .poll = kmsg_poll,
    .is_stream = true,
};

/* ---- lines ---- */

static size_t line_format(const struct log_record *record, char *out)
{
    uint64_t now = record->microseconds;
    size_t n = (size_t)snprintf(out, LINE_SIZE, "<%u>[%5lu.%06lu] ", record->facility << 3 | record->level,
                                now / 1000000, now % 1000000);
    memcpy(out + n, record->text, record->length);
    n += record->length;
    out[n++] = '\n';
    return n;
}

struct line_scratch {
    struct log_record record;
    char line[LINE_SIZE];
};

/* The next line behind the cursor: its length, or 0 at the end. What was overwritten is passed over. */
static size_t line_next(struct log_cursor *cursor, struct line_scratch *scratch)
{
    enum log_read result;
    do
        result = log_read(cursor, &scratch->record);
    while (result == LOG_READ_LOST);
    return result == LOG_READ_RECORD ? line_format(&scratch->record, scratch->line) : 0;
}

/* Bytes of all lines behind the cursor. */
static size_t lines_size(struct log_cursor cursor, struct line_scratch *scratch)
{
    size_t size = 0, n;
    while ((n = line_next(&cursor, scratch)))
        size += n;
    return size;
}

/* Whole lines into the buffer, as many as it takes; the cursor moves behind them. Bytes, or -EFAULT. */
static ssize_type lines_read(struct log_cursor *cursor, const struct buffer *to, struct line_scratch *scratch)
{
    size_t done = 0, n;
    struct log_cursor next = *cursor;
    while ((n = line_next(&next, scratch))) {
        if (n > to->length - done) {
            if (done)
                break;
            n = to->length; /* not even one fits: what does */
        }
        if (buffer_put(to, done, scratch->line, n) < (ssize_type)n)
            return done ? (ssize_type)done : -EFAULT;
        done += n;
        *cursor = next;
    }
    return (ssize_type)done;
}

/* Read at the place that all share: waits for the first line. */
static ssize_type place_read(const struct buffer *to, bool may_sleep)
{
    int error = news_wait(&log_place, may_sleep);
    if (error)
        return error;
    struct line_scratch *scratch = kmalloc(sizeof *scratch);
    if (!scratch)
        return -ENOMEM;
    ssize_type n = lines_read(&log_place, to, scratch);
    kfree(scratch);
    return n;
}

/* ---- /proc/kmsg ---- */

static ssize_type proc_kmsg_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    (void)offset;
    return to->length ? place_read(to, !(file->flags & O_NONBLOCK)) : 0;
}

static short proc_kmsg_poll(struct file *file)
{
    (void)file;
    return has_news(&log_place) ? POLLIN | POLLRDNORM : 0;
}

const struct inode_ops proc_kmsg_ops = {
    .read = proc_kmsg_read,
    .poll = proc_kmsg_poll,
    .destroy = proc_destroy,
    .is_stream = true,
};

/* ---- syslog(2) ---- */

enum syslog_action {
    ACTION_CLOSE,
    ACTION_OPEN,
    ACTION_READ,
    ACTION_READ_ALL,
    ACTION_READ_CLEAR,
    ACTION_CLEAR,
    ACTION_CONSOLE_OFF,
    ACTION_CONSOLE_ON,
    ACTION_CONSOLE_LEVEL,
    ACTION_SIZE_UNREAD,
    ACTION_SIZE_BUFFER,
};

/* The last lines since the log was cleared, as many as fit. */
static int64_t read_last(const struct buffer *to)
{
    struct line_scratch *scratch = kmalloc(sizeof *scratch);
    if (!scratch)
        return -ENOMEM;
    struct log_cursor cursor = clear_place;
    size_t size = lines_size(cursor, scratch);
    while (size > to->length)
        size -= line_next(&cursor, scratch);
    ssize_type n = size ? lines_read(&cursor, to, scratch) : 0;
    kfree(scratch);
    return n;
}

static int64_t size_unread(void)
{
    struct line_scratch *scratch = kmalloc(sizeof *scratch);
    if (!scratch)
        return -ENOMEM;
    size_t size = lines_size(log_place, scratch);
    kfree(scratch);
    return (int64_t)size;
}

static int64_t syslog_read(enum syslog_action action, vaddr_t user, int length)
{
    if (!user || length < 0)
        return -EINVAL;
    if (!length)
        return 0;
    struct buffer to = buffer_user(user, (size_t)length);
    if (action == ACTION_READ)
        return place_read(&to, true);
    int64_t n = read_last(&to);
    if (action == ACTION_READ_CLEAR && n >= 0)
        clear_place = log_end();
    return n;
}

static int64_t syslog_console(enum syslog_action action, int level)
{
    static int level_before_off; /* 0: it is on */
    switch (action) {
    case ACTION_CONSOLE_OFF:
        if (!level_before_off)
            level_before_off = log_console_level();
        log_set_console_level(CONSOLE_LEVEL_LOWEST);
        return 0;
    case ACTION_CONSOLE_ON:
        if (level_before_off)
            log_set_console_level(level_before_off);
        break;
    default:
        if (level < CONSOLE_LEVEL_LOWEST || level > CONSOLE_LEVEL_HIGHEST)
            return -EINVAL;
        log_set_console_level(level);
    }
    level_before_off = 0;
    return 0;
}

/* syslog(2): action, buffer, length. All may read all, as with Linux's dmesg_restrict at 0. */
int64_t sys_syslog(const struct syscall_args *args)
{
    enum syslog_action action = (unsigned)args->arg[0];
    int length = (int)args->arg[2];
    bool may_all = action == ACTION_READ_ALL || action == ACTION_SIZE_BUFFER;
    if (!may_all && !credentials_are_privileged(&current()->credentials))
        return -EPERM;
    switch (action) {
    case ACTION_CLOSE:
    case ACTION_OPEN:
        return 0;
    case ACTION_READ:
    case ACTION_READ_ALL:
    case ACTION_READ_CLEAR:
        return syslog_read(action, args->arg[1], length);
    case ACTION_CLEAR:
        clear_place = log_end();
        return 0;
    case ACTION_CONSOLE_OFF:
    case ACTION_CONSOLE_ON:
    case ACTION_CONSOLE_LEVEL:
        return syslog_console(action, length);
    case ACTION_SIZE_UNREAD:
        return size_unread();
    case ACTION_SIZE_BUFFER:
        return LOG_RING_SIZE;
    default:
        return -EINVAL;
    }
}
