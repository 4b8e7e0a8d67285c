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
int64_t sys_preadv(const struct syscall_args *args);
int64_t sys_pwritev(const struct syscall_args *args);
int64_t sys_preadv2(const struct syscall_args *args);
int64_t sys_pwritev2(const struct syscall_args *args);
int64_t sys_copy_file_range(const struct syscall_args *args);

/* sys_mount.c */
int64_t sys_mount(const struct syscall_args *args);
int64_t sys_umount2(const struct syscall_args *args);

/* sys_fcntl.c */
int64_t sys_fcntl(const struct syscall_args *args);

/* sys_descriptor.c */
int64_t sys_close(const struct syscall_args *args);
int64_t sys_dup(const struct syscall_args *args);
int64_t sys_dup2(const struct syscall_args *args);
int64_t sys_dup3(const struct syscall_args *args);
int64_t sys_close_range(const struct syscall_args *args);
int64_t sys_pipe(const struct syscall_args *args);
int64_t sys_pipe2(const struct syscall_args *args);

/* sys_open.c */
int64_t sys_open(const struct syscall_args *args);
int64_t sys_openat(const struct syscall_args *args);
int64_t sys_openat2(const struct syscall_args *args);
int64_t sys_creat(const struct syscall_args *args);
int64_t sys_memfd_create(const struct syscall_args *args);
int64_t sys_umask(const struct syscall_args *args);

/* sys_path.c */
int64_t sys_access(const struct syscall_args *args);
int64_t sys_faccessat(const struct syscall_args *args);
int64_t sys_faccessat2(const struct syscall_args *args);
int64_t sys_readlink(const struct syscall_args *args);
int64_t sys_readlinkat(const struct syscall_args *args);
int64_t sys_getcwd(const struct syscall_args *args);
int64_t sys_chdir(const struct syscall_args *args);
int64_t sys_chroot(const struct syscall_args *args);
int64_t sys_fchdir(const struct syscall_args *args);

/* sys_getdents.c */
int64_t sys_getdents(const struct syscall_args *args);
int64_t sys_getdents64(const struct syscall_args *args);

/* sys_stat.c */
int64_t sys_stat(const struct syscall_args *args);
int64_t sys_lstat(const struct syscall_args *args);
int64_t sys_fstat(const struct syscall_args *args);
int64_t sys_newfstatat(const struct syscall_args *args);
int64_t sys_statx(const struct syscall_args *args);
int64_t sys_statfs(const struct syscall_args *args);
int64_t sys_fstatfs(const struct syscall_args *args);

/* sys_link.c */
int64_t sys_mkdir(const struct syscall_args *args);
int64_t sys_mkdirat(const struct syscall_args *args);
int64_t sys_mknod(const struct syscall_args *args);
int64_t sys_mknodat(const struct syscall_args *args);
int64_t sys_symlink(const struct syscall_args *args);
int64_t sys_symlinkat(const struct syscall_args *args);
int64_t sys_link(const struct syscall_args *args);
int64_t sys_linkat(const struct syscall_args *args);
int64_t sys_unlink(const struct syscall_args *args);
int64_t sys_unlinkat(const struct syscall_args *args);
int64_t sys_rmdir(const struct syscall_args *args);
int64_t sys_rename(const struct syscall_args *args);
int64_t sys_renameat(const struct syscall_args *args);
int64_t sys_renameat2(const struct syscall_args *args);

/* sys_attribute.c */
int64_t sys_chmod(const struct syscall_args *args);
int64_t sys_fchmod(const struct syscall_args *args);
int64_t sys_fchmodat(const struct syscall_args *args);
int64_t sys_chown(const struct syscall_args *args);
int64_t sys_lchown(const struct syscall_args *args);
int64_t sys_fchown(const struct syscall_args *args);
int64_t sys_fchownat(const struct syscall_args *args);
int64_t sys_utime(const struct syscall_args *args);
int64_t sys_utimes(const struct syscall_args *args);
int64_t sys_futimesat(const struct syscall_args *args);
int64_t sys_utimensat(const struct syscall_args *args);
int64_t sys_truncate(const struct syscall_args *args);
int64_t sys_ftruncate(const struct syscall_args *args);
int64_t sys_fallocate(const struct syscall_args *args);

/* sys_xattr.c */
int64_t sys_getxattr(const struct syscall_args *args);
int64_t sys_lgetxattr(const struct syscall_args *args);
int64_t sys_fgetxattr(const struct syscall_args *args);
int64_t sys_setxattr(const struct syscall_args *args);
int64_t sys_lsetxattr(const struct syscall_args *args);
int64_t sys_fsetxattr(const struct syscall_args *args);
int64_t sys_removexattr(const struct syscall_args *args);
int64_t sys_lremovexattr(const struct syscall_args *args);
int64_t sys_fremovexattr(const struct syscall_args *args);
int64_t sys_listxattr(const struct syscall_args *args);
int64_t sys_llistxattr(const struct syscall_args *args);
int64_t sys_flistxattr(const struct syscall_args *args);

/* sys_lock.c */
int64_t sys_flock(const struct syscall_args *args);

/* sys_sync.c */
int64_t sys_fsync(const struct syscall_args *args);
int64_t sys_sync(const struct syscall_args *args);
int64_t sys_syncfs(const struct syscall_args *args);
int64_t sys_sync_file_range(const struct syscall_args *args);
int64_t sys_fadvise64(const struct syscall_args *args);
int64_t sys_readahead(const struct syscall_args *args);

/* poll.c */
int64_t sys_poll(const struct syscall_args *args);
int64_t sys_ppoll(const struct syscall_args *args);

/* select.c */
int64_t sys_select(const struct syscall_args *args);
int64_t sys_pselect6(const struct syscall_args *args);

/* kmsg.c */
int64_t sys_syslog(const struct syscall_args *args);

#endif
