// SPDX-License-Identifier: MIT
/*
 * syscall.c: the table of system calls.
 */
#include "kernel/syscall.h"

#include <asm/unistd.h>

#include "kernel/entry.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"

#define SYSCALL_NUMBERS 512 /* Linux's own end below this (those of x32 begin there) */

static const syscall_handler syscall_table[SYSCALL_NUMBERS] = {
    /* files */
    [__NR_read] = sys_read,
    [__NR_write] = sys_write,
    [__NR_readv] = sys_readv,
    [__NR_writev] = sys_writev,
    [__NR_pread64] = sys_pread64,
    [__NR_pwrite64] = sys_pwrite64,
    [__NR_lseek] = sys_lseek,
    [__NR_ioctl] = sys_ioctl,
    [__NR_sendfile] = sys_sendfile,
    [__NR_open] = sys_open,
    [__NR_openat] = sys_openat,
    [__NR_creat] = sys_creat,
    [__NR_close] = sys_close,
    [__NR_dup] = sys_dup,
    [__NR_dup2] = sys_dup2,
    [__NR_dup3] = sys_dup3,
    [__NR_fcntl] = sys_fcntl,
    [__NR_pipe] = sys_pipe,
    [__NR_pipe2] = sys_pipe2,
    [__NR_poll] = sys_poll,
    [__NR_umask] = sys_umask,
    [__NR_access] = sys_access,
    [__NR_faccessat] = sys_faccessat,
    [__NR_faccessat2] = sys_faccessat2,
    [__NR_readlink] = sys_readlink,
    [__NR_readlinkat] = sys_readlinkat,
    [__NR_getcwd] = sys_getcwd,
    [__NR_chdir] = sys_chdir,
    [__NR_fchdir] = sys_fchdir,
    [__NR_getdents64] = sys_getdents64,
    [__NR_stat] = sys_stat,
    [__NR_lstat] = sys_lstat,
    [__NR_fstat] = sys_fstat,
    [__NR_newfstatat] = sys_newfstatat,
    [__NR_statx] = sys_statx,

    /* memory */
    [__NR_mmap] = sys_mmap,
    [__NR_munmap] = sys_munmap,
    [__NR_mprotect] = sys_mprotect,
    [__NR_mremap] = sys_mremap,
    [__NR_madvise] = sys_madvise,
    [__NR_mlock] = sys_mlock,
    [__NR_mlock2] = sys_mlock2,
    [__NR_munlock] = sys_munlock,
    [__NR_mlockall] = sys_mlockall,
    [__NR_munlockall] = sys_munlockall,
    [__NR_mincore] = sys_mincore,
    [__NR_msync] = sys_msync,
    [__NR_brk] = sys_brk,

    /* processes */
    [__NR_fork] = sys_fork,
    [__NR_vfork] = sys_vfork,
    [__NR_clone] = sys_clone,
    [__NR_execve] = sys_execve,
    [__NR_exit] = sys_exit,
    [__NR_exit_group] = sys_exit_group,
    [__NR_wait4] = sys_wait4,
    [__NR_getpid] = sys_getpid,
    [__NR_gettid] = sys_gettid,
    [__NR_getppid] = sys_getppid,
    [__NR_setpgid] = sys_setpgid,
    [__NR_getpgid] = sys_getpgid,
    [__NR_getpgrp] = sys_getpgrp,
    [__NR_setsid] = sys_setsid,
    [__NR_getsid] = sys_getsid,
    [__NR_sched_yield] = sys_sched_yield,
    [__NR_set_tid_address] = sys_set_tid_address,
    [__NR_set_robust_list] = sys_set_robust_list,
    [__NR_arch_prctl] = sys_arch_prctl,
    [__NR_prctl] = sys_prctl,
    [__NR_getuid] = sys_getuid,
    [__NR_geteuid] = sys_geteuid,
    [__NR_getgid] = sys_getgid,
    [__NR_getegid] = sys_getegid,
    [__NR_getresuid] = sys_getresuid,
    [__NR_getresgid] = sys_getresgid,
    [__NR_getgroups] = sys_getgroups,
    [__NR_getrusage] = sys_getrusage,
    [__NR_prlimit64] = sys_prlimit64,
    [__NR_getrlimit] = sys_getrlimit,
    [__NR_setrlimit] = sys_setrlimit,

    /* signals */
    [__NR_rt_sigaction] = sys_rt_sigaction,
    [__NR_rt_sigprocmask] = sys_rt_sigprocmask,
    [__NR_rt_sigpending] = sys_rt_sigpending,
    [__NR_rt_sigsuspend] = sys_rt_sigsuspend,
    [__NR_rt_sigreturn] = sys_rt_sigreturn,
    [__NR_sigaltstack] = sys_sigaltstack,
    [__NR_kill] = sys_kill,
    [__NR_tkill] = sys_tkill,
    [__NR_tgkill] = sys_tgkill,
    [__NR_pause] = sys_pause,

    /* time */
    [__NR_nanosleep] = sys_nanosleep,
    [__NR_clock_nanosleep] = sys_clock_nanosleep,
    [__NR_clock_gettime] = sys_clock_gettime,
    [__NR_clock_getres] = sys_clock_getres,
    [__NR_gettimeofday] = sys_gettimeofday,
    [__NR_time] = sys_time,
    [__NR_times] = sys_times,

    /* the machine */
    [__NR_uname] = sys_uname,
    [__NR_getrandom] = sys_getrandom,
    [__NR_reboot] = sys_reboot,
};

/* ENOSYS, and a line in the log the first time; numbers beyond the table are nobody's, and are not logged. */
static int64_t syscall_unknown(uint64_t number)
{
    static bool logged[SYSCALL_NUMBERS];

    if (number < SYSCALL_NUMBERS && !logged[number]) {
        logged[number] = true;
        log_info("system call %lu is not built (asked for by %s[%d])", number, current()->name,
                 current()->pid);
    }
    return -ENOSYS;
}

void syscall_dispatch(struct trapframe *frame)
{
    const struct syscall_args args = {
        .arg = { frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 },
        .frame = frame,
    };
    uint64_t number = frame->error; /* as called: see trap.h */
    syscall_handler handler = number < SYSCALL_NUMBERS ? syscall_table[number] : NULL;

    frame->rax = (uint64_t)(likely(handler) ? handler(&args) : syscall_unknown(number));
}
