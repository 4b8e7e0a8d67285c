// SPDX-License-Identifier: MIT
/*
 * descriptor.h: descriptor tables: from the small numbers a program knows to open files.
 *
 * fork copies the table, sharing the open files; with CLONE_FILES two processes have one. Kernel code is not
 * preempted, so the table has no lock: whoever sleeps looks up its slot again. /proc reads other processes' tables
 * under process_lock, which is why a process that ends takes its pointer to the table away before files_put().
 *
 * The table's reference keeps a file for as long as the call that looked it up. Of a shared table that is not true: the
 * other process may close the descriptor while this one sleeps. There files_get() holds the file for the process,
 * until it goes back to user mode or ends (files_let_go()).
 */
#ifndef KERNEL_FS_DESCRIPTOR_H
#define KERNEL_FS_DESCRIPTOR_H

#include "kernel/lib/types.h"

struct file;
struct files;

/* An empty table, or NULL. */
struct files *files_create(void) __must_check;
/* A copy that refers to the same open files, or NULL. */
struct files *files_clone(const struct files *files) __must_check;
/* The same table for one process more, to be given up by files_put(). */
struct files *files_share(struct files *files);
bool files_are_shared(const struct files *files);
/* One process less has it. After the last one everything is closed and the table freed. May sleep. */
void files_put(struct files *files);
/* execve(2): close what is marked so. May sleep. */
void files_close_on_exec(struct files *files);
/* Slots, used or not: FDSize in /proc/PID/status. */
unsigned files_capacity(const struct files *files);

/*
 * The file behind a slot of any process's table, or NULL: for /proc, which holds process_lock and takes its own
 * reference before it lets go.
 */
struct file *files_peek(const struct files *files, unsigned fd);
bool files_peek_closes_on_exec(const struct files *files, unsigned fd);

/* All below are about the current process's table, but for files_install_in(). */

/* The open file behind a descriptor, or NULL. It stays for the rest of the system call, without a reference to put. */
struct file *files_get(int fd);

/* A few of them at a time, for each process (see above). */
#define HELD_FILES_MAX 4
struct held_files {
    struct file *files[HELD_FILES_MAX];
    unsigned count;
};
/* The system call is over: put what it held. May sleep. */
void files_let_go(void);

/*
 * Give the file the lowest free descriptor from `from` on. The caller's reference goes to the table, or is
 * put when this fails. The descriptor, -EMFILE (RLIMIT_NOFILE), -EINVAL (`from` at or beyond it), -ENOMEM.
 */
int files_install(struct file *file, int from, bool close_on_exec) __must_check;
int files_install_in(struct files *files, struct file *file, int from, bool close_on_exec,
                     uint64_t limit) __must_check;

/*
 * dup2(2): the file becomes descriptor `fd`, closing what was there. References as above. fd, -EBADF,
 * -ENOMEM.
 */
int files_replace(struct file *file, int fd, bool close_on_exec) __must_check;

/* Is a descriptor free? 0 or -EMFILE: to be asked before anything is made that would then be left over. */
int files_check_free(void) __must_check;

/* 0 or -EBADF. May sleep. */
int files_close(int fd) __must_check;

/* close_range(2): close, or mark to be closed by execve(2), all that are open from first to last. Closing may sleep. */
void files_close_range(unsigned first, unsigned last);
void files_close_range_on_exec(unsigned first, unsigned last);

/* The current process has a table of its own from now on. 0 or -ENOMEM. May sleep. */
int files_unshare(void) __must_check;

/* FD_CLOEXEC of an open descriptor. */
bool files_closes_on_exec(int fd);
void files_set_close_on_exec(int fd, bool close_on_exec);

#endif
