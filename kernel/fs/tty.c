// SPDX-License-Identifier: MIT
/*
 * tty.c: the terminal on COM1 as a file: reading, writing, polling; who owns it, and who gets its signals.
 *
 * The receive interrupt runs the line discipline, so ^C works whatever the programs do. While the ring is
 * full and a reader could make room, bytes stay in the port and the host waits. The port then does not
 * interrupt again: whatever makes room (a read, a flush) drains it.
 *
 * Job control (termios(3), POSIX 11.1.4): a process of the terminal's session outside of its foreground
 * group that reads, or changes the modes, or writes under TOSTOP, has its whole group stopped by SIGTTIN or
 * SIGTTOU. There is no modem, so nothing hangs up by itself.
 *
 * Lock: tty.lock (_irq) for all of struct tty. Signals are sent without it: process_lock comes first in the
 * order.
 */
#include "kernel/fs/tty.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/tty_line.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/usercopy.h"

#define TTY_PORT 0
#define TTY_CHUNK 256 /* bytes copied at a time, on the stack */

static struct tty {
    struct spinlock lock;
    struct wait_queue readable, writable;
    struct async_list async; /* readers that are told by signals */
    bool takes_input;
    struct tty_line line;
    struct winsize size; /* all 0: not known, as on any serial line */
    int session, foreground;
} tty = { .lock = SPINLOCK_INIT, .readable = WAIT_QUEUE_INIT(tty.readable),
          .writable = WAIT_QUEUE_INIT(tty.writable) };

int tty_session(void) { return READ_ONCE(tty.session); }
int tty_foreground(void) { return READ_ONCE(tty.foreground); }

static void port_send(const char *text, size_t length) { serial_write(TTY_PORT, text, length); }

/* ---- job control ---- */

static bool is_controlling(void) { return tty.session && tty.session == current()->leader->sid; }

static bool group_is_orphaned(int pgid)
{
    bool irq = spin_lock_irq(&process_lock);
    bool orphaned = process_group_is_orphaned_locked(pgid, NULL);
    spin_unlock_irq(&process_lock, irq);
    return orphaned;
}

/*
 * May the current process do what takes the foreground? 0; -EIO where stopping it would be for ever, or it
 * will not be stopped from reading; else its group is sent `number`, and the call starts anew after that.
 */
static int foreground_check(int number)
{
    struct process *process = current();
    int foreground = tty_foreground(), pgid = process->leader->pgid;
    if (!is_controlling() || !foreground || pgid == foreground)
        return 0;
    if (signal_is_ignored_or_blocked(process, number))
        return number == SIGTTIN ? -EIO : 0;
    if (group_is_orphaned(pgid))
        return -EIO;
    (void)signal_send_group(pgid, number);
    signal_cut_call();
    return -ERESTARTSYS;
}

/* ---- input ---- */

/* Feed the discipline what the port holds, up to a signal: its number, or 0 when nothing is left. */
static int input_fetch(void)
{
    int byte, signal = 0;
    bool irq = spin_lock_irq(&tty.lock);
    while (!signal && tty_line_has_room(&tty.line) && (byte = serial_read(TTY_PORT)) >= 0)
        signal = tty_line_input(&tty.line, (uint8_t)byte);
    spin_unlock_irq(&tty.lock, irq);
    return signal;
}

static void input_drain(void)
{
    unsigned before = tty_line_readable(&tty.line);
    int signal;
    while ((signal = input_fetch()))
        if (tty.foreground)
            (void)signal_send_group(tty.foreground, signal);
    if (!READ_ONCE(tty.line.stopped))
        wake_all(&tty.writable);
    if (!tty_line_readable(&tty.line))
        return;
    wake_all(&tty.readable);
    poll_wake();
    if (tty_line_readable(&tty.line) > before)
        async_notify(&tty.async, POLL_IN);
}

static void input_interrupt(unsigned port)
{
    (void)port;
    input_drain();
}

/* How much a reader wants to see before it goes on; a cooked terminal's whole lines always do. */
static bool input_suffices(void *arg)
{
    const unsigned *wanted = arg;
    unsigned readable = tty_line_readable(&tty.line);
    return readable >= *wanted || (readable && tty.line.termios.c_lflag & ICANON);
}

/* Raw mode with a timer between bytes: once the first is there, wait for more only so long. */
static int input_wait_between(unsigned wanted, uint64_t pause)
{
    unsigned next = 1;
    int error = wait_until(&tty.readable, input_suffices, &next, WAIT_INTERRUPTIBLE, 0);
    while (!error && tty_line_readable(&tty.line) < wanted) {
        next = tty_line_readable(&tty.line) + 1;
        uint64_t deadline = clock_nanoseconds() + pause;
        error = wait_until(&tty.readable, input_suffices, &next, WAIT_INTERRUPTIBLE, deadline);
    }
    return error == -ERESTARTSYS && tty_line_readable(&tty.line) ? 0 : error;
}

/*
 * Wait until a read of `length` bytes may go on: a line is there or, raw, as VMIN and VTIME say (termios(3),
 * the four cases). 0, -ETIMEDOUT (go on with what is there), -EAGAIN, -ERESTARTSYS.
 */
static int input_wait(const struct file *file, size_t length)
{
    const struct termios *termios = &tty.line.termios;
    bool raw = !(termios->c_lflag & ICANON);
    unsigned minimum = raw ? termios->c_cc[VMIN] : 1;
    unsigned wanted = (unsigned)MIN(length, minimum);
    uint64_t pause = raw ? termios->c_cc[VTIME] * 100000000ul : 0;
    if (file->flags & O_NONBLOCK) {
        wanted = 1;
        return input_suffices(&wanted) ? 0 : -EAGAIN;
    }
    if (pause && minimum)
        return input_wait_between(wanted, pause);
    if (pause)
        wanted = 1;
    return wait_until(&tty.readable, input_suffices, &wanted, WAIT_INTERRUPTIBLE,
                      pause ? clock_nanoseconds() + pause : 0);
}

static size_t input_take(uint8_t *bytes, size_t size, bool *over)
{
    bool irq = spin_lock_irq(&tty.lock);
    size_t n = tty_line_take(&tty.line, bytes, size, over);
    spin_unlock_irq(&tty.lock, irq);
    return n;
}

static ssize_type tty_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    uint8_t chunk[TTY_CHUNK];
    size_t done = 0;
    bool over = false;
    (void)offset;
    if (!tty.takes_input || !to->length)
        return 0;
    int error = foreground_check(SIGTTIN);
    if (!error)
        error = input_wait(file, to->length);
    if (error && error != -ETIMEDOUT)
        return error;
    while (!over && done < to->length) {
        size_t n = input_take(chunk, MIN(sizeof chunk, to->length - done), &over);
        ssize_type copied = buffer_put(to, done, chunk, n);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < n)
            break;
    }
    input_drain();
    return (ssize_type)done;
}

/* ---- output ---- */

static bool output_flows(void *arg)
{
    (void)arg;
    return !READ_ONCE(tty.line.stopped);
}

/* ^S holds output back until ^Q. */
static int output_wait(const struct file *file)
{
    if (output_flows(NULL))
        return 0;
    return file->flags & O_NONBLOCK ? -EAGAIN
                                    : wait_until(&tty.writable, output_flows, NULL, WAIT_INTERRUPTIBLE, 0);
}

static ssize_type tty_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    char chunk[TTY_CHUNK];
    size_t done = 0;
    (void)offset;
    int error = tty.line.termios.c_lflag & TOSTOP ? foreground_check(SIGTTOU) : 0;
    while (!error && done < from->length && !(done && signal_is_pending(current()))) {
        error = output_wait(file);
        if (error)
            break;
        size_t n = MIN(sizeof chunk, from->length - done);
        ssize_type copied = buffer_get(from, done, chunk, n);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        bool irq = spin_lock_irq(&tty.lock);
        tty_line_output(&tty.line, chunk, (size_t)copied);
        spin_unlock_irq(&tty.lock, irq);
        done += (size_t)copied;
        if ((size_t)copied < n || !long_call_goes_on())
            break;
    }
    return done ? (ssize_type)done : error;
}

static short tty_poll(struct file *file)
{
    (void)file;
    bool ready = !tty.takes_input || tty_line_readable(&tty.line);
    return (output_flows(NULL) ? POLLOUT | POLLWRNORM : 0) | (ready ? POLLIN | POLLRDNORM : 0);
}

/* Who has said of no owner gets the foreground told, or himself where there is none. */
static int tty_async(struct file *file, int fd)
{
    int error = async_set(&tty.async, file, fd);
    if (error || fd < 0)
        return error;
    if (tty.foreground)
        file_owner_set_default(file, F_OWNER_PGRP, tty.foreground);
    else
        file_owner_set_default(file, F_OWNER_PID, current()->leader->pid);
    return 0;
}

/* ---- modes ---- */

static struct termios modes_now(void)
{
    bool irq = spin_lock_irq(&tty.lock);
    struct termios termios = tty.line.termios;
    spin_unlock_irq(&tty.lock, irq);
    return termios;
}

static int modes_get(uint64_t user)
{
    struct termios termios = modes_now();
    return copy_to_user(user, &termios, sizeof termios);
}

/* The older structure (ioctl_tty(2), TCGETA): the lower halves of the flags, and the first control characters. */
static int modes_get_old(uint64_t user)
{
    struct termios now = modes_now();
    struct termio old = {
        .c_iflag = (uint16_t)now.c_iflag,
        .c_oflag = (uint16_t)now.c_oflag,
        .c_cflag = (uint16_t)now.c_cflag,
        .c_lflag = (uint16_t)now.c_lflag,
        .c_line = now.c_line,
    };
    memcpy(old.c_cc, now.c_cc, sizeof old.c_cc);
    return copy_to_user(user, &old, sizeof old);
}

/* What the older structure does not hold stays as it is. */
static int modes_take_old(uint64_t user, struct termios *termios)
{
    const tcflag_t upper = 0xffff0000;
    struct termio old;
    if (copy_from_user(&old, user, sizeof old))
        return -EFAULT;
    *termios = modes_now();
    termios->c_iflag = (termios->c_iflag & upper) | old.c_iflag;
    termios->c_oflag = (termios->c_oflag & upper) | old.c_oflag;
    termios->c_cflag = (termios->c_cflag & upper) | old.c_cflag;
    termios->c_lflag = (termios->c_lflag & upper) | old.c_lflag;
    termios->c_line = old.c_line;
    memcpy(termios->c_cc, old.c_cc, sizeof old.c_cc);
    return 0;
}

/* Output is not buffered, so "after it has drained" is now. */
static int modes_set(unsigned long command, uint64_t user)
{
    bool is_old = command == TCSETA || command == TCSETAW || command == TCSETAF;
    bool flush = command == TCSETSF || command == TCSETAF;
    struct termios termios;
    if (is_old ? modes_take_old(user, &termios) : copy_from_user(&termios, user, sizeof termios))
        return -EFAULT;
    bool irq = spin_lock_irq(&tty.lock);
    if (flush)
        tty_line_flush(&tty.line);
    tty_line_set(&tty.line, &termios);
    spin_unlock_irq(&tty.lock, irq);
    if (flush)
        input_drain();
    wake_all(&tty.readable);
    wake_all(&tty.writable);
    poll_wake();
    return 0;
}

/* TCXONC: tcflow(3). What concerns input would be said to the other end, which is not asked to stop. */
static int flow_set(uint64_t what)
{
    if (what > TCION)
        return -EINVAL;
    bool irq = spin_lock_irq(&tty.lock);
    if (what == TCOOFF || what == TCOON)
        tty.line.stopped = what == TCOOFF;
    spin_unlock_irq(&tty.lock, irq);
    wake_all(&tty.writable);
    poll_wake();
    return 0;
}

static int size_set(uint64_t user)
{
    struct winsize size;
    if (copy_from_user(&size, user, sizeof size))
        return -EFAULT;
    bool changed = memcmp(&size, &tty.size, sizeof size);
    tty.size = size;
    if (changed && tty.foreground)
        (void)signal_send_group(tty.foreground, SIGWINCH);
    return 0;
}

/* TCFLSH: TCIFLUSH and TCIOFLUSH throw input away; there is never output to throw away. */
static int input_flush(uint64_t what)
{
    if (what > TCIOFLUSH)
        return -EINVAL;
    bool irq = spin_lock_irq(&tty.lock);
    if (what != TCOFLUSH)
        tty_line_flush(&tty.line);
    spin_unlock_irq(&tty.lock, irq);
    input_drain();
    return 0;
}

/* ---- ownership ---- */

/* Does the session that owns the terminal still have its leader? process_lock is held. */
static bool owner_lives_locked(void)
{
    const struct process *leader = tty.session ? process_find_locked(tty.session) : NULL;
    return leader && !process_has_ended(leader);
}

/* TIOCSCTTY: for a session leader; `steal` 1 takes it from a living session (root only, and all are root). */
static int session_take(uint64_t steal)
{
    const struct process *process = current()->leader;
    int error = 0;
    bool irq = spin_lock_irq(&process_lock);
    if (!is_controlling()) {
        if (process->pid != process->sid || (owner_lives_locked() && steal != 1))
            error = -EPERM;
        if (!error) {
            tty.session = process->sid;
            tty.foreground = process->pgid;
        }
    }
    spin_unlock_irq(&process_lock, irq);
    return error;
}

void tty_leave_session(int session)
{
    if (!session || tty.session != session)
        return;
    int group = tty.foreground;
    tty.session = tty.foreground = 0;
    if (group) {
        (void)signal_send_group(group, SIGHUP);
        (void)signal_send_group(group, SIGCONT);
    }
}

/*
 * TIOCNOTTY: only the leader's word counts for the session; nobody else has a terminal of its own to give up.
 */
static int session_leave(void)
{
    if (!is_controlling())
        return -ENOTTY;
    if (current()->leader->pid == current()->leader->sid)
        tty_leave_session(current()->leader->sid);
    return 0;
}

static int foreground_set(uint64_t user)
{
    int group;
    if (!is_controlling())
        return -ENOTTY;
    if (copy_from_user(&group, user, sizeof group))
        return -EFAULT;
    if (group < 0)
        return -EINVAL;
    bool irq = spin_lock_irq(&process_lock);
    bool allowed = process_group_exists_locked(group, tty.session);
    if (allowed)
        tty.foreground = group;
    spin_unlock_irq(&process_lock, irq);
    return allowed ? 0 : -EPERM;
}

static int number_get(uint64_t user, int number)
{
    return copy_to_user(user, &number, sizeof number);
}

/* These change what the foreground sees: from the background they stop (SIGTTOU). */
static bool takes_foreground(unsigned long command)
{
    switch (command) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
    case TIOCSPGRP:
        return true;
    default:
        return false;
    }
}

static int tty_ioctl(struct file *file, unsigned long command, uint64_t argument)
{
    int error = takes_foreground(command) ? foreground_check(SIGTTOU) : 0;
    (void)file;
    if (error)
        return error == -EIO && command == TIOCSPGRP ? -ENOTTY : error;
    switch (command) {
    case TCGETS:
        return modes_get(argument);
    case TCGETA:
        return modes_get_old(argument);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
        return modes_set(command, argument);
    case TCFLSH:
        return input_flush(argument);
    case TCXONC:
        return flow_set(argument);
    case TCSBRK: /* tcdrain(3), or a break, which this line does not carry */
        return 0;
    case TIOCGWINSZ:
        return copy_to_user(argument, &tty.size, sizeof tty.size);
    case TIOCSWINSZ:
        return size_set(argument);
    case TIOCSCTTY:
        return session_take(argument);
    case TIOCNOTTY:
        return session_leave();
    case TIOCGPGRP:
        return is_controlling() ? number_get(argument, tty.foreground) : -ENOTTY;
    case TIOCSPGRP:
        return foreground_set(argument);
    case TIOCGSID:
        return is_controlling() ? number_get(argument, tty.session) : -ENOTTY;
    case FIONREAD:
        return number_get(argument, (int)tty_line_readable(&tty.line));
    default:
        return -ENOTTY;
    }
}

/*
 * A session leader without a terminal that opens a free one gets it, but for /dev/console (tty(4),
 * credentials(7)).
 */
static int tty_open(struct file *file)
{
    bool is_console = file->inode->special == device_encode(5, 1);
    if (!(file->flags & O_NOCTTY) && !is_console && file_is_readable(file) && !tty.session)
        (void)session_take(0); /* who is no leader does not get it */
    return 0;
}

static int tty_own_open(struct file *file)
{
    (void)file;
    return is_controlling() ? 0 : -ENXIO;
}

const struct inode_ops tty_ops = {
    .open = tty_open,
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .async = tty_async,
    .is_stream = true,
};

const struct inode_ops tty_own_ops = {
    .open = tty_own_open,
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .async = tty_async,
    .is_stream = true,
};

void tty_init(enum tty_input input)
{
    tty_line_init(&tty.line, port_send);
    if (input == TTY_WITHOUT_INPUT)
        return;
    tty.takes_input = true;
    serial_on_receive(TTY_PORT, input_interrupt);
}
