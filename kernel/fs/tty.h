// SPDX-License-Identifier: MIT
/*
 * tty.h: the terminal on COM1 (ttyS0, /dev/console, /dev/tty), cooked and raw (termios(3), ioctl_tty(2)).
 */
#ifndef KERNEL_FS_TTY_H
#define KERNEL_FS_TTY_H

#include "kernel/fs/inode.h"

/* Of /dev/console and /dev/ttyS0. */
extern const struct inode_ops tty_ops;
/* Of /dev/tty: the same terminal, for processes whose controlling terminal it is (others: ENXIO). */
extern const struct inode_ops tty_own_ops;

/* Where stdio=stream has the port's input, the terminal only writes, and reading it gives end of file. */
enum tty_input { TTY_WITH_INPUT, TTY_WITHOUT_INPUT };

/* Called once, before any terminal is opened. */
void tty_init(enum tty_input input);

/* The session that the terminal controls and its foreground process group; 0: none. */
int tty_session(void);
int tty_foreground(void);

/*
 * The leader of this session lets the terminal go, or has ended: the foreground group gets SIGHUP and
 * SIGCONT, and the terminal is free. Nothing happens where it is another session's. Takes process_lock.
 */
void tty_leave_session(int session);

#endif
