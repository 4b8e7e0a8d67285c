// SPDX-License-Identifier: MIT
/*
 * syscalls.h: the system calls on files, for the table in kernel/syscall.c. Each is as its manual page says.
 */
#ifndef KERNEL_FS_SYSCALLS_H
#define KERNEL_FS_SYSCALLS_H

#include "kernel/syscall.h"

/* sys_file.c */
int64_t sys_read(const struct syscall_args *args);
int64_t sys_write(const struct syscall_args *args);
int64_t sys_readv(const struct syscall_args *args);
int64_t sys_writev(const struct syscall_args *args);
int64_t sys_pread64(const struct syscall_args *args);
int64_t sys_pwrite64(const struct syscall_args *args);
int64_t sys_lseek(const struct syscall_args *args);
int64_t sys_ioctl(const struct syscall_args *args);
int64_t sys_sendfile(const struct syscall_args *args);

/* sys_descriptor.c */
int64_t sys_close(const struct syscall_args *args);
int64_t sys_dup(const struct syscall_args *args);
int64_t sys_dup2(const struct syscall_args *args);
int64_t sys_dup3(const struct syscall_args *args);
int64_t sys_fcntl(const struct syscall_args *args);
int64_t sys_pipe(const struct syscall_args *args);
int64_t sys_pipe2(const struct syscall_args *args);

/* sys_open.c */
int64_t sys_open(const struct syscall_args *args);
int64_t sys_openat(const struct syscall_args *args);
int64_t sys_creat(const struct syscall_args *args);
int64_t sys_umask(const struct syscall_args *args);

/* sys_path.c */
int64_t sys_access(const struct syscall_args *args);
int64_t sys_faccessat(const struct syscall_args *args);
int64_t sys_faccessat2(const struct syscall_args *args);
int64_t sys_readlink(const struct syscall_args *args);
int64_t sys_readlinkat(const struct syscall_args *args);
int64_t sys_getcwd(const struct syscall_args *args);
int64_t sys_chdir(const struct syscall_args *args);
int64_t sys_fchdir(const struct syscall_args *args);

/* sys_getdents.c */
int64_t sys_getdents64(const struct syscall_args *args);

/* sys_stat.c */
int64_t sys_stat(const struct syscall_args *args);
int64_t sys_lstat(const struct syscall_args *args);
int64_t sys_fstat(const struct syscall_args *args);
int64_t sys_newfstatat(const struct syscall_args *args);
int64_t sys_statx(const struct syscall_args *args);

/* poll.c */
int64_t sys_poll(const struct syscall_args *args);

#endif
