// SPDX-License-Identifier: MIT
/*
 * tty_line.c: tests of the line discipline: keys go in, lines, signals and echo come out.
 */
#include "kernel/fs/tty_line.h"

#include <asm/signal.h>

#include "kernel/lib/string.h"
#include "kernel/selftest.h"

static struct tty_line line; /* too large for the stack */
static char screen[128];
static size_t shown;

static void show(const char *text, size_t length)
{
    for (size_t i = 0; i < length && shown < sizeof(screen) - 1; i++)
        screen[shown++] = text[i];
    screen[shown] = '\0';
}

static void start(void)
{
    tty_line_init(&line, show);
    shown = 0;
    screen[0] = '\0';
}

/* Type the keys; the last signal that one of them stands for, or 0. */
static int type(const char *keys)
{
    int signal = 0;

    for (; *keys; keys++) {
        int number = tty_line_input(&line, (uint8_t)*keys);
        signal = number ? number : signal;
    }
    return signal;
}

/* What a read of `size` bytes gives, as a string. */
static const char *take(size_t size)
{
    static char text[64];
    bool over = false;

    text[tty_line_take(&line, (uint8_t *)text, MIN(size, sizeof(text) - 1), &over)] = '\0';
    return text;
}

static void set_local(tcflag_t set, tcflag_t clear)
{
    struct termios termios = line.termios;

    termios.c_lflag = (termios.c_lflag | set) & ~clear;
    tty_line_set(&line, &termios);
}

KTEST(tty, a_line_is_readable_when_it_ends)
{
    start();
    type("ab");
    EXPECT_EQUAL(tty_line_readable(&line), 0);
    type("c\r");
    EXPECT_TEXT(take(60), "abc\n");
    EXPECT_TEXT(screen, "abc\r\n");
}

KTEST(tty, a_read_ends_with_the_line)
{
    start();
    type("one\rtwo\r");
    EXPECT_TEXT(take(2), "on");
    EXPECT_TEXT(take(60), "e\n");
    EXPECT_TEXT(take(60), "two\n");
    EXPECT_EQUAL(tty_line_readable(&line), 0);
}

KTEST(tty, keys_that_edit)
{
    start();
    type("ax\177b\r");
    EXPECT_TEXT(take(60), "ab\n");
    EXPECT_TEXT(screen, "ax\b \bb\r\n");
    type("\177one two  \027three\r"); /* erasing an empty line does nothing; ^W takes a word */
    EXPECT_TEXT(take(60), "one three\n");
    type("gone\025kept\r"); /* ^U takes the line */
    EXPECT_TEXT(take(60), "kept\n");
}

KTEST(tty, erasing_goes_back_as_far_as_the_screen_went)
{
    start();
    type("\001\t");
    EXPECT_TEXT(screen, "^A\t");
    type("\177");
    EXPECT_TEXT(screen, "^A\t\b \b\b \b\b \b\b \b\b \b\b \b"); /* from column 8 to column 2 */
    type("\177\r");
    EXPECT_TEXT(take(60), "\n");
}

KTEST(tty, end_of_file)
{
    start();
    type("par\004");
    EXPECT_TEXT(take(3), "par"); /* exactly as long as the buffer: the mark goes with it */
    EXPECT_EQUAL(tty_line_readable(&line), 0);
    type("\004");
    EXPECT_EQUAL(tty_line_readable(&line), 1);
    EXPECT_TEXT(take(60), "");
    EXPECT_EQUAL(tty_line_readable(&line), 0);
}

KTEST(tty, signals_flush_the_line)
{
    start();
    EXPECT_EQUAL(type("typed\003"), SIGINT);
    EXPECT_TEXT(screen, "typed^C");
    EXPECT_EQUAL(type("\034"), SIGQUIT);
    type("x\r");
    EXPECT_TEXT(take(60), "x\n");
    set_local(0, ISIG);
    EXPECT_EQUAL(type("\003"), 0);
}

KTEST(tty, raw_bytes_come_at_once)
{
    start();
    set_local(0, ICANON | ECHO | ISIG);
    type("a\003\177");
    EXPECT_TEXT(take(60), "a\003\177");
    EXPECT_TEXT(screen, "");
}

KTEST(tty, input_outlives_a_change_of_mode)
{
    start();
    type("half");
    set_local(0, ICANON);
    EXPECT_TEXT(take(2), "ha");
    set_local(ICANON, 0);
    EXPECT_TEXT(take(60), "lf");
}

KTEST(tty, a_full_line_still_ends)
{
    start();
    set_local(0, ECHO);
    for (unsigned i = 0; i < 2 * RING_SIZE; i++)
        tty_line_input(&line, 'x');
    EXPECT(tty_line_has_room(&line)); /* no reader could make room: the rest is dropped */
    type("\r");
    EXPECT_EQUAL(tty_line_readable(&line), RING_SIZE);
    EXPECT(!tty_line_has_room(&line));
    (void)take(10);
    EXPECT(tty_line_has_room(&line));
}
