// SPDX-License-Identifier: MIT
/*
 * syscalls.h: the system calls that kernel/ itself offers; those on files are in kernel/fs/syscalls.h.
 *
 * Each is described by its man page in section 2; a comment at its definition names its arguments.
 */
#ifndef KERNEL_SYSCALLS_H
#define KERNEL_SYSCALLS_H

#include "kernel/syscall.h"

/* fork.c, exec.c, exit.c */
int64_t sys_fork(const struct syscall_args *args);
int64_t sys_vfork(const struct syscall_args *args);
int64_t sys_clone(const struct syscall_args *args);
int64_t sys_execve(const struct syscall_args *args);
int64_t sys_exit(const struct syscall_args *args);
int64_t sys_exit_group(const struct syscall_args *args);
int64_t sys_wait4(const struct syscall_args *args);

/* usage.c */
int64_t sys_getrusage(const struct syscall_args *args);

/* sys_process.c */
int64_t sys_getpid(const struct syscall_args *args);
int64_t sys_gettid(const struct syscall_args *args);
int64_t sys_getppid(const struct syscall_args *args);
int64_t sys_setpgid(const struct syscall_args *args);
int64_t sys_getpgid(const struct syscall_args *args);
int64_t sys_getpgrp(const struct syscall_args *args);
int64_t sys_setsid(const struct syscall_args *args);
int64_t sys_getsid(const struct syscall_args *args);
int64_t sys_sched_yield(const struct syscall_args *args);
int64_t sys_set_tid_address(const struct syscall_args *args);
int64_t sys_set_robust_list(const struct syscall_args *args);
int64_t sys_arch_prctl(const struct syscall_args *args);
int64_t sys_prctl(const struct syscall_args *args);
int64_t sys_getuid(const struct syscall_args *args);
int64_t sys_geteuid(const struct syscall_args *args);
int64_t sys_getgid(const struct syscall_args *args);
int64_t sys_getegid(const struct syscall_args *args);
int64_t sys_getresuid(const struct syscall_args *args);
int64_t sys_getresgid(const struct syscall_args *args);
int64_t sys_getgroups(const struct syscall_args *args);

/* sys_signal.c */
int64_t sys_rt_sigaction(const struct syscall_args *args);
int64_t sys_rt_sigprocmask(const struct syscall_args *args);
int64_t sys_rt_sigpending(const struct syscall_args *args);
int64_t sys_rt_sigsuspend(const struct syscall_args *args);
int64_t sys_rt_sigreturn(const struct syscall_args *args);
int64_t sys_sigaltstack(const struct syscall_args *args);
int64_t sys_kill(const struct syscall_args *args);
int64_t sys_tkill(const struct syscall_args *args);
int64_t sys_tgkill(const struct syscall_args *args);
int64_t sys_pause(const struct syscall_args *args);

/* sys_memory.c */
int64_t sys_mmap(const struct syscall_args *args);
int64_t sys_munmap(const struct syscall_args *args);
int64_t sys_mprotect(const struct syscall_args *args);
int64_t sys_mremap(const struct syscall_args *args);
int64_t sys_madvise(const struct syscall_args *args);
int64_t sys_mlock(const struct syscall_args *args);
int64_t sys_mlock2(const struct syscall_args *args);
int64_t sys_munlock(const struct syscall_args *args);
int64_t sys_mlockall(const struct syscall_args *args);
int64_t sys_munlockall(const struct syscall_args *args);
int64_t sys_mincore(const struct syscall_args *args);
int64_t sys_msync(const struct syscall_args *args);
int64_t sys_brk(const struct syscall_args *args);

/* sys_time.c */
int64_t sys_nanosleep(const struct syscall_args *args);
int64_t sys_clock_nanosleep(const struct syscall_args *args);
int64_t sys_clock_gettime(const struct syscall_args *args);
int64_t sys_clock_getres(const struct syscall_args *args);
int64_t sys_gettimeofday(const struct syscall_args *args);
int64_t sys_time(const struct syscall_args *args);
int64_t sys_times(const struct syscall_args *args);

/* sys_system.c */
int64_t sys_uname(const struct syscall_args *args);
int64_t sys_getrandom(const struct syscall_args *args);
int64_t sys_prlimit64(const struct syscall_args *args);
int64_t sys_getrlimit(const struct syscall_args *args);
int64_t sys_setrlimit(const struct syscall_args *args);
int64_t sys_reboot(const struct syscall_args *args);

#endif
