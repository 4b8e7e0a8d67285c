// SPDX-License-Identifier: MIT
/*
 * stream.h: serial ports as plain byte streams: standard input, output and error of `stdio=stream`.
 */
#ifndef KERNEL_FS_STREAM_H
#define KERNEL_FS_STREAM_H

#include "kernel/fs/inode.h"

/* Take framed input from COM1 from now on. Called once, in place of tty_init(). */
void stream_init(void);

/*
 * An end that reads the framed input of COM1, and one that writes to a port (0 to 3). One reference; NULL: no
 * memory.
 */
struct inode *stream_input_create(void) __must_check;
struct inode *stream_output_create(unsigned port) __must_check;

#endif
