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
int64_t sys_execveat(const struct syscall_args *args);
int64_t sys_exit(const struct syscall_args *args);
int64_t sys_exit_group(const struct syscall_args *args);
int64_t sys_clone3(const struct syscall_args *args);

/* sys_unshare.c */
int64_t sys_unshare(const struct syscall_args *args);

/* futex.c */
int64_t sys_futex(const struct syscall_args *args);

/* pidfd.c, sys_kill.c */
int64_t sys_pidfd_open(const struct syscall_args *args);
int64_t sys_pidfd_send_signal(const struct syscall_args *args);

/* rseq.c */
int64_t sys_rseq(const struct syscall_args *args);

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
int64_t sys_set_tid_address(const struct syscall_args *args);
int64_t sys_set_robust_list(const struct syscall_args *args);
int64_t sys_get_robust_list(const struct syscall_args *args);

/* sys_signal.c */
int64_t sys_rt_sigaction(const struct syscall_args *args);
int64_t sys_rt_sigprocmask(const struct syscall_args *args);
int64_t sys_rt_sigpending(const struct syscall_args *args);
int64_t sys_rt_sigsuspend(const struct syscall_args *args);
int64_t sys_rt_sigreturn(const struct syscall_args *args);
int64_t sys_sigaltstack(const struct syscall_args *args);
int64_t sys_pause(const struct syscall_args *args);
int64_t sys_rt_sigtimedwait(const struct syscall_args *args);

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

/* sys_shm.c */
int64_t sys_shmget(const struct syscall_args *args);
int64_t sys_shmat(const struct syscall_args *args);
int64_t sys_shmctl(const struct syscall_args *args);
int64_t sys_shmdt(const struct syscall_args *args);

/* sys_remote.c */
int64_t sys_process_vm_readv(const struct syscall_args *args);
int64_t sys_process_vm_writev(const struct syscall_args *args);

/* sys_time.c */
int64_t sys_nanosleep(const struct syscall_args *args);
int64_t sys_clock_nanosleep(const struct syscall_args *args);
int64_t sys_clock_gettime(const struct syscall_args *args);
int64_t sys_clock_getres(const struct syscall_args *args);
int64_t sys_clock_settime(const struct syscall_args *args);
int64_t sys_settimeofday(const struct syscall_args *args);
int64_t sys_gettimeofday(const struct syscall_args *args);
int64_t sys_time(const struct syscall_args *args);
int64_t sys_times(const struct syscall_args *args);
int64_t sys_restart_syscall(const struct syscall_args *args);

/* sys_system.c */
int64_t sys_uname(const struct syscall_args *args);
int64_t sys_getrandom(const struct syscall_args *args);
int64_t sys_reboot(const struct syscall_args *args);
int64_t sys_sysinfo(const struct syscall_args *args);
int64_t sys_sethostname(const struct syscall_args *args);
int64_t sys_setdomainname(const struct syscall_args *args);

/* sys_wait.c */
int64_t sys_wait4(const struct syscall_args *args);
int64_t sys_waitid(const struct syscall_args *args);

/* sys_sched.c */
int64_t sys_sched_yield(const struct syscall_args *args);
int64_t sys_sched_getaffinity(const struct syscall_args *args);
int64_t sys_sched_setaffinity(const struct syscall_args *args);
int64_t sys_sched_getscheduler(const struct syscall_args *args);
int64_t sys_sched_setscheduler(const struct syscall_args *args);
int64_t sys_sched_getparam(const struct syscall_args *args);
int64_t sys_sched_setparam(const struct syscall_args *args);
int64_t sys_sched_get_priority_max(const struct syscall_args *args);
int64_t sys_sched_get_priority_min(const struct syscall_args *args);
int64_t sys_sched_rr_get_interval(const struct syscall_args *args);
int64_t sys_getpriority(const struct syscall_args *args);
int64_t sys_setpriority(const struct syscall_args *args);
int64_t sys_getcpu(const struct syscall_args *args);
int64_t sys_membarrier(const struct syscall_args *args);

/* sys_prctl.c */
int64_t sys_arch_prctl(const struct syscall_args *args);
int64_t sys_prctl(const struct syscall_args *args);
int64_t sys_personality(const struct syscall_args *args);

/* credentials.c */
int64_t sys_getuid(const struct syscall_args *args);
int64_t sys_geteuid(const struct syscall_args *args);
int64_t sys_getgid(const struct syscall_args *args);
int64_t sys_getegid(const struct syscall_args *args);
int64_t sys_getresuid(const struct syscall_args *args);
int64_t sys_getresgid(const struct syscall_args *args);
int64_t sys_getgroups(const struct syscall_args *args);
int64_t sys_setuid(const struct syscall_args *args);
int64_t sys_setgid(const struct syscall_args *args);
int64_t sys_setreuid(const struct syscall_args *args);
int64_t sys_setregid(const struct syscall_args *args);
int64_t sys_setresuid(const struct syscall_args *args);
int64_t sys_setresgid(const struct syscall_args *args);
int64_t sys_setfsuid(const struct syscall_args *args);
int64_t sys_setfsgid(const struct syscall_args *args);
int64_t sys_setgroups(const struct syscall_args *args);

/* sys_kill.c */
int64_t sys_kill(const struct syscall_args *args);
int64_t sys_tkill(const struct syscall_args *args);
int64_t sys_tgkill(const struct syscall_args *args);
int64_t sys_rt_sigqueueinfo(const struct syscall_args *args);
int64_t sys_rt_tgsigqueueinfo(const struct syscall_args *args);

/* sys_itimer.c */
int64_t sys_alarm(const struct syscall_args *args);
int64_t sys_getitimer(const struct syscall_args *args);
int64_t sys_setitimer(const struct syscall_args *args);

/* posix_timer.c */
int64_t sys_timer_create(const struct syscall_args *args);
int64_t sys_timer_settime(const struct syscall_args *args);
int64_t sys_timer_gettime(const struct syscall_args *args);
int64_t sys_timer_getoverrun(const struct syscall_args *args);
int64_t sys_timer_delete(const struct syscall_args *args);

/* sys_limits.c */
int64_t sys_prlimit64(const struct syscall_args *args);
int64_t sys_getrlimit(const struct syscall_args *args);
int64_t sys_setrlimit(const struct syscall_args *args);

#endif
