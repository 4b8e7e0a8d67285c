// SPDX-License-Identifier: MIT
/*
 * tty_line.c: the line discipline (termios(3): canonical and noncanonical mode, input, output and local
 * flags).
 */
#include "kernel/fs/tty_line.h"

#include <asm/signal.h>

#include "kernel/lib/string.h"

#define TAB_STOP 8
#define END_OF_FILE '\0' /* a marked NUL; a typed NUL is never marked */

static bool has_local(const struct tty_line *line, tcflag_t flag) { return line->termios.c_lflag & flag; }

/* Is `byte` this control character? 0 in c_cc switches it off. */
static bool is_control(const struct tty_line *line, uint8_t byte, unsigned which)
{
    return byte && line->termios.c_cc[which] == byte;
}

void tty_line_init(struct tty_line *line, void (*send)(const char *text, size_t length))
{
    static const cc_t control[NCCS] = {
        [VINTR] = 0x03,  [VQUIT] = 0x1c,   [VERASE] = 0x7f,   [VKILL] = 0x15,  [VEOF] = 0x04,
        [VMIN] = 1,      [VSUSP] = 0x1a,   [VSTART] = 0x11,   [VSTOP] = 0x13,  [VWERASE] = 0x17,
        [VLNEXT] = 0x16, [VREPRINT] = 0x12, [VDISCARD] = 0x0f,
    };
    *line = (struct tty_line){ .send = send };
    line->termios.c_iflag = ICRNL | IXON;
    line->termios.c_oflag = OPOST | ONLCR;
    line->termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
    line->termios.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
    memcpy(line->termios.c_cc, control, sizeof control);
}

/* ---- marks ---- */

static bool mark_test(const struct tty_line *line, unsigned position)
{
    return line->marks[position % RING_SIZE / 64] >> (position % 64) & 1;
}

static void mark_set(struct tty_line *line, unsigned position)
{
    line->marks[position % RING_SIZE / 64] |= 1ul << (position % 64);
}

static void mark_clear(struct tty_line *line, unsigned position)
{
    line->marks[position % RING_SIZE / 64] &= ~(1ul << (position % 64));
}

/* ---- output ---- */

/* The column behind `byte` when the cursor stands at `column`. */
static unsigned column_after(unsigned column, uint8_t byte)
{
    if (byte == '\r' || byte == '\n')
        return 0;
    if (byte == '\b')
        return column ? column - 1 : 0;
    if (byte == '\t')
        return (column / TAB_STOP + 1) * TAB_STOP;
    return column + (byte >= 0x20 && byte != 0x7f);
}

void tty_line_output(struct tty_line *line, const char *text, size_t length)
{
    bool returns = (line->termios.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
    size_t sent = 0;
    for (size_t i = 0; i < length; i++) {
        line->column = column_after(line->column, (uint8_t)text[i]);
        if (text[i] != '\n' || !returns)
            continue;
        line->send(text + sent, i - sent);
        line->send("\r", 1);
        sent = i;
    }
    line->send(text + sent, length - sent);
}

/* ---- echo ---- */

/* Is it shown as ^X? */
static bool is_caret(const struct tty_line *line, uint8_t byte)
{
    return has_local(line, ECHOCTL) && (byte < 0x20 || byte == 0x7f) && byte != '\t' && byte != '\n';
}

static void echo(struct tty_line *line, uint8_t byte)
{
    char caret[2] = { '^', (char)(byte ^ 0x40) };
    if (!has_local(line, ECHO) && !(byte == '\n' && has_local(line, ECHONL) && has_local(line, ICANON)))
        return;
    if (is_caret(line, byte))
        tty_line_output(line, caret, 2);
    else
        tty_line_output(line, (const char *)&byte, 1);
}

/* Where the cursor stands behind the edited line as it is now. */
static unsigned edited_column(struct tty_line *line)
{
    unsigned column = line->line_column;
    for (unsigned at = line->committed; at != line->input.end; at++) {
        uint8_t byte = *ring_at(&line->input, at);
        column = is_caret(line, byte) ? column + 2 : column_after(column, byte);
    }
    return column;
}

/* Wipe the last character of the edited line, from the line and from the screen. */
static void erase_one(struct tty_line *line)
{
    unsigned before = edited_column(line);
    line->input.end--;
    if (!has_local(line, ECHO) || !has_local(line, ECHOE))
        return;
    for (unsigned after = edited_column(line); before > after; before--)
        tty_line_output(line, "\b \b", 3);
}

static bool is_edited(const struct tty_line *line) { return line->input.end != line->committed; }

/* The last word, and the blanks behind it. */
static void erase_word(struct tty_line *line)
{
    bool in_word = false;
    while (is_edited(line)) {
        uint8_t last = *ring_at(&line->input, line->input.end - 1);
        bool blank = last == ' ' || last == '\t';
        if (blank && in_word)
            break;
        in_word |= !blank;
        erase_one(line);
    }
}

static void erase_line(struct tty_line *line)
{
    if (has_local(line, ECHOKE) && has_local(line, ECHOE)) {
        while (is_edited(line))
            erase_one(line);
        return;
    }
    line->input.end = line->committed;
    echo(line, line->termios.c_cc[VKILL]);
    if (has_local(line, ECHOK))
        echo(line, '\n');
}

/* ---- input ---- */

/* Commit the edited line with `byte` as its last. */
static void line_commit(struct tty_line *line, uint8_t byte)
{
    mark_set(line, line->input.end);
    ring_put(&line->input, byte);
    line->committed = line->input.end;
}

/* Backspace too: terminals do not agree on what that key sends. */
static bool is_erase(const struct tty_line *line, uint8_t byte)
{
    return is_control(line, byte, VERASE) || (byte == '\b' && line->termios.c_cc[VERASE] == 0x7f);
}

static void edited_add(struct tty_line *line, uint8_t byte)
{
    if (ring_room(&line->input) > 1) {
        if (!is_edited(line))
            line->line_column = line->column;
        ring_put(&line->input, byte);
        echo(line, byte);
    } else if (has_local(line, ECHO)) {
        tty_line_output(line, "\a", 1);
    }
}

/*
 * A byte in canonical mode. The last place of the ring is kept for what ends the line; other bytes ring the
 * bell then.
 */
static void canonical_input(struct tty_line *line, uint8_t byte)
{
    bool extended = has_local(line, IEXTEN);
    if (extended && is_control(line, byte, VLNEXT)) {
        line->literal = true;
        if (has_local(line, ECHO) && has_local(line, ECHOCTL))
            tty_line_output(line, "^\b", 2);
    } else if (is_erase(line, byte)) {
        if (is_edited(line))
            erase_one(line);
    } else if (is_control(line, byte, VKILL)) {
        erase_line(line);
    } else if (extended && is_control(line, byte, VWERASE)) {
        erase_word(line);
    } else if (is_control(line, byte, VEOF)) {
        line_commit(line, END_OF_FILE);
    } else if (byte == '\n' || is_control(line, byte, VEOL) || (extended && is_control(line, byte, VEOL2))) {
        echo(line, byte);
        line_commit(line, byte);
    } else {
        edited_add(line, byte);
    }
}

static int signal_for(const struct tty_line *line, uint8_t byte)
{
    if (!has_local(line, ISIG))
        return 0;
    if (is_control(line, byte, VINTR))
        return SIGINT;
    if (is_control(line, byte, VQUIT))
        return SIGQUIT;
    return is_control(line, byte, VSUSP) ? SIGTSTP : 0;
}

/* The byte after the input modes, or -1: it is ignored. */
static int input_map(const struct tty_line *line, uint8_t byte)
{
    tcflag_t flags = line->termios.c_iflag;
    if (flags & ISTRIP)
        byte &= 0x7f;
    if (byte == '\r')
        return flags & IGNCR ? -1 : flags & ICRNL ? '\n' : byte;
    if (byte == '\n' && flags & INLCR)
        return '\r';
    return byte;
}

/* VSTOP and VSTART hold back programs' output and let it go; is `byte` one of them, and so used up? */
static bool flow_control(struct tty_line *line, uint8_t byte)
{
    if (!(line->termios.c_iflag & IXON))
        return false;
    bool is_stop = is_control(line, byte, VSTOP), is_start = is_control(line, byte, VSTART);
    if (is_start || (line->termios.c_iflag & IXANY && !is_stop))
        line->stopped = false;
    if (is_stop && !is_start)
        line->stopped = true;
    return is_stop || is_start;
}

/* The byte behind VLNEXT. */
static void literal_input(struct tty_line *line, uint8_t byte)
{
    line->literal = false;
    edited_add(line, byte);
}

int tty_line_input(struct tty_line *line, uint8_t raw)
{
    if (line->literal && has_local(line, ICANON)) {
        literal_input(line, raw);
        return 0;
    }
    int byte = input_map(line, raw);
    if (byte < 0 || flow_control(line, (uint8_t)byte))
        return 0;
    int signal = signal_for(line, (uint8_t)byte);
    if (signal) {
        line->stopped = false;
        if (!has_local(line, NOFLSH))
            tty_line_flush(line);
        echo(line, (uint8_t)byte);
        return signal;
    }
    if (has_local(line, ICANON)) {
        canonical_input(line, (uint8_t)byte);
        return 0;
    }
    ring_put(&line->input, (uint8_t)byte);
    line->committed = line->input.end;
    echo(line, (uint8_t)byte);
    return 0;
}

/* A cooked terminal whose only line is not complete takes bytes for ever: no reader could make room. */
bool tty_line_has_room(const struct tty_line *line)
{
    return ring_room(&line->input) > 1 || (has_local(line, ICANON) && line->committed == line->input.start);
}

/* ---- reading ---- */

unsigned tty_line_readable(const struct tty_line *line) { return line->committed - line->input.start; }

static bool at_end_of_file(struct tty_line *line)
{
    unsigned start = line->input.start;
    return tty_line_readable(line) && mark_test(line, start) && *ring_at(&line->input, start) == END_OF_FILE;
}

static uint8_t take_byte(struct tty_line *line, bool *marked)
{
    *marked = mark_test(line, line->input.start);
    mark_clear(line, line->input.start);
    return ring_get(&line->input);
}

size_t tty_line_take(struct tty_line *line, uint8_t *bytes, size_t size, bool *over)
{
    bool canonical = has_local(line, ICANON);
    size_t n = 0;
    *over = false;
    while (n < size && !*over && tty_line_readable(line)) {
        bool ends_file = canonical && at_end_of_file(line), marked;
        uint8_t byte = take_byte(line, &marked);
        if (!ends_file)
            bytes[n++] = byte;
        *over = canonical && marked;
    }
    /* An end of file right behind the last byte belongs to this read: the next one is not to find it. */
    if (canonical && n && !*over && at_end_of_file(line)) {
        (void)take_byte(line, over);
    }
    *over |= !tty_line_readable(line);
    return n;
}

/* ---- modes ---- */

/*
 * Between the modes input is kept: for a raw terminal all of it is readable; for a cooked one what is there
 * becomes a line of its own.
 */
static void mode_changed(struct tty_line *line)
{
    memset(line->marks, 0, sizeof line->marks);
    line->committed = line->input.end;
    if (has_local(line, ICANON) && tty_line_readable(line))
        mark_set(line, line->input.end - 1);
}

void tty_line_set(struct tty_line *line, const struct termios *termios)
{
    bool changed = (line->termios.c_lflag ^ termios->c_lflag) & ICANON;
    line->termios = *termios;
    line->literal = false;
    if (!(termios->c_iflag & IXON))
        line->stopped = false;
    if (changed)
        mode_changed(line);
}

void tty_line_flush(struct tty_line *line)
{
    memset(line->marks, 0, sizeof line->marks);
    line->input.start = line->input.end;
    line->committed = line->input.end;
}
