// SPDX-License-Identifier: MIT
/*
 * tty_line.h: a terminal's line discipline: from keys to lines, signals and echo. Inside of tty.h.
 *
 * Input waits in a ring in three parts: [start, committed) is for readers; [committed, end) is the line that
 * is still edited, always empty in raw mode. `marks` has a bit at the last byte of each complete line. A
 * marked NUL is not a byte but an end of file: it is what ^D becomes.
 *
 * Nothing here sleeps or locks: the caller holds the terminal's lock.
 */
#ifndef KERNEL_FS_TTY_LINE_H
#define KERNEL_FS_TTY_LINE_H

#include <asm/termios.h>

#include "kernel/fs/ring.h"

struct tty_line {
    struct termios termios;
    struct ring input;
    unsigned committed;
    uint64_t marks[RING_SIZE / 64];
    void (*send)(const char *text, size_t length); /* to the device */
    unsigned column;      /* of the cursor, as far as output and echo tell */
    unsigned line_column; /* where the edited line began */
    bool literal;         /* VLNEXT: the next byte means nothing but itself */
    bool stopped;         /* VSTOP: programs' output waits for VSTART */
};

/* Cooked, as Linux's terminals begin. */
void tty_line_init(struct tty_line *line, void (*send)(const char *text, size_t length));

/* May the next byte come? If not, readers are to make room first. */
bool tty_line_has_room(const struct tty_line *line);

/* One byte from the device: edits, commits, echoes. Returns the signal that it stands for, or 0. */
int tty_line_input(struct tty_line *line, uint8_t byte);

/* Bytes from a program to the device, through the output modes. */
void tty_line_output(struct tty_line *line, const char *text, size_t length);

/* Bytes that a read could take now; for a cooked terminal an end of file counts as one. */
unsigned tty_line_readable(const struct tty_line *line);

/* Take at most `size` bytes; *over: the read ends with them (a line is complete, or nothing is left). */
size_t tty_line_take(struct tty_line *line, uint8_t *bytes, size_t size, bool *over);

/*
 * Change the modes; input that waits is kept. Flags that mean nothing to this line (speed, parity, delays)
 * are kept and shown, and have no effect. The ones that have: ISTRIP IGNCR ICRNL INLCR, OPOST
 * ONLCR, IXON IXANY, ISIG ICANON ECHO ECHOE ECHOK ECHOKE ECHONL ECHOCTL NOFLSH IEXTEN.
 */
void tty_line_set(struct tty_line *line, const struct termios *termios);

/* Throw away all input. */
void tty_line_flush(struct tty_line *line);

#endif
