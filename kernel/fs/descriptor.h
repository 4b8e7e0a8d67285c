// SPDX-License-Identifier: MIT
/*
 * descriptor.h: descriptor tables: from the small numbers a program knows to open files.
 *
 * A process has one table of its own; fork copies it, sharing the open files. Only its process touches it, so
 * it has no lock; /proc reads files_capacity() of others under process_lock, which is why a process that ends
 * takes its pointer to the table away before files_put().
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
/* Close everything and free the table. May sleep. */
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

/* The open file behind a descriptor without a reference (the table holds one), or NULL. */
struct file *files_get(int fd);

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

/* FD_CLOEXEC of an open descriptor. */
bool files_closes_on_exec(int fd);
void files_set_close_on_exec(int fd, bool close_on_exec);

#endif
