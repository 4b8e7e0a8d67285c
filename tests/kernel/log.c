// SPDX-License-Identifier: MIT
/*
 * log.c: tests of the log's ring: records come back as they were written, in order, and the oldest go first.
 */
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

static struct log_record record;
static char long_text[LOG_TEXT_MAX + 100];

static bool record_is(const char *text)
{
    return record.length == strlen(text) && !memcmp(record.text, text, record.length);
}

KTEST(log, a_record_comes_back_as_it_was_written)
{
    struct log_cursor cursor = log_end();
    EXPECT_EQUAL(log_read(&cursor, &record), LOG_READ_END);
    log_write(LOG_DEBUG, "test %d", 1);
    log_write_text(LOG_DEBUG, 3, "ends\n", 5);
    uint64_t first = cursor.sequence;
    REQUIRE(log_read(&cursor, &record) == LOG_READ_RECORD);
    EXPECT(record_is("test 1"));
    EXPECT_EQUAL(record.level, LOG_DEBUG);
    EXPECT_EQUAL(record.facility, LOG_KERNEL);
    EXPECT_EQUAL(record.sequence, first);
    uint64_t before = record.microseconds;
    REQUIRE(log_read(&cursor, &record) == LOG_READ_RECORD);
    EXPECT(record_is("ends"));
    EXPECT_EQUAL(record.facility, 3);
    EXPECT_EQUAL(record.sequence, first + 1);
    EXPECT(record.microseconds >= before);
    EXPECT_EQUAL(log_read(&cursor, &record), LOG_READ_END);
}

KTEST(log, what_is_too_long_is_cut)
{
    struct log_cursor cursor = log_end();
    memset(long_text, 'x', sizeof long_text - 1);
    log_write(LOG_DEBUG, "%s", long_text);
    REQUIRE(log_read(&cursor, &record) == LOG_READ_RECORD);
    EXPECT_EQUAL(record.length, LOG_TEXT_MAX);
    log_write_text(LOG_DEBUG, LOG_USER, "", 0);
    REQUIRE(log_read(&cursor, &record) == LOG_READ_RECORD);
    EXPECT_EQUAL(record.length, 0);
}

/* Round the ring with records of all lengths; a reader left behind is told and finds the oldest one whole. */
KTEST(log, the_oldest_go_first)
{
    struct log_cursor start = log_end(), cursor = start;
    unsigned written = 0, length = 0;
    for (size_t bytes = 0; bytes < 3 * LOG_RING_SIZE; bytes += length, written++) {
        length = written * 7 % LOG_TEXT_MAX;
        memset(long_text, 'a' + (int)(written % 26), length);
        log_write_text(LOG_DEBUG, LOG_USER, long_text, length);
    }
    EXPECT_EQUAL(log_read(&cursor, &record), LOG_READ_LOST);
    EXPECT(cursor.sequence > start.sequence && cursor.sequence == log_oldest().sequence);
    while (log_read(&cursor, &record) == LOG_READ_RECORD) {
        unsigned number = (unsigned)(record.sequence - start.sequence);
        length = number * 7 % LOG_TEXT_MAX;
        EXPECT_EQUAL(record.length, length);
        if (length)
            EXPECT(record.text[0] == 'a' + (int)(number % 26) && record.text[length - 1] == record.text[0]);
    }
    EXPECT_EQUAL(cursor.sequence, start.sequence + written);
}
