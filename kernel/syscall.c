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
    [__NR_flock] = sys_flock,
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
    [__NR_chroot] = sys_chroot,
    [__NR_getdents] = sys_getdents,
    [__NR_getdents64] = sys_getdents64,
    [__NR_stat] = sys_stat,
    [__NR_lstat] = sys_lstat,
    [__NR_fstat] = sys_fstat,
    [__NR_newfstatat] = sys_newfstatat,
    [__NR_statx] = sys_statx,
    [__NR_copy_file_range] = sys_copy_file_range,
    [__NR_memfd_create] = sys_memfd_create,
    [__NR_preadv] = sys_preadv,
    [__NR_pwritev] = sys_pwritev,
    [__NR_preadv2] = sys_preadv2,
    [__NR_pwritev2] = sys_pwritev2,
    [__NR_statfs] = sys_statfs,
    [__NR_fstatfs] = sys_fstatfs,
    [__NR_mkdir] = sys_mkdir,
    [__NR_mkdirat] = sys_mkdirat,
    [__NR_mknod] = sys_mknod,
    [__NR_mknodat] = sys_mknodat,
    [__NR_symlink] = sys_symlink,
    [__NR_symlinkat] = sys_symlinkat,
    [__NR_link] = sys_link,
    [__NR_linkat] = sys_linkat,
    [__NR_unlink] = sys_unlink,
    [__NR_unlinkat] = sys_unlinkat,
    [__NR_rmdir] = sys_rmdir,
    [__NR_rename] = sys_rename,
    [__NR_renameat] = sys_renameat,
    [__NR_renameat2] = sys_renameat2,
    [__NR_chmod] = sys_chmod,
    [__NR_fchmod] = sys_fchmod,
    [__NR_fchmodat] = sys_fchmodat,
    [__NR_chown] = sys_chown,
    [__NR_lchown] = sys_lchown,
    [__NR_fchown] = sys_fchown,
    [__NR_fchownat] = sys_fchownat,
    [__NR_utime] = sys_utime,
    [__NR_utimes] = sys_utimes,
    [__NR_futimesat] = sys_futimesat,
    [__NR_utimensat] = sys_utimensat,
    [__NR_truncate] = sys_truncate,
    [__NR_ftruncate] = sys_ftruncate,
    [__NR_fallocate] = sys_fallocate,
    [__NR_fsync] = sys_fsync,
    [__NR_sync] = sys_sync,
    [__NR_syncfs] = sys_syncfs,
    [__NR_sync_file_range] = sys_sync_file_range,
    [__NR_fadvise64] = sys_fadvise64,
    [__NR_readahead] = sys_readahead,
    [__NR_ppoll] = sys_ppoll,
    [__NR_select] = sys_select,
    [__NR_pselect6] = sys_pselect6,
    [__NR_fdatasync] = sys_fsync,

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
    [__NR_clone3] = sys_clone3,
    [__NR_waitid] = sys_waitid,
    [__NR_futex] = sys_futex,
    [__NR_pidfd_open] = sys_pidfd_open,
    [__NR_pidfd_send_signal] = sys_pidfd_send_signal,
    [__NR_rseq] = sys_rseq,
    [__NR_get_robust_list] = sys_get_robust_list,
    [__NR_setuid] = sys_setuid,
    [__NR_setgid] = sys_setgid,
    [__NR_setreuid] = sys_setreuid,
    [__NR_setregid] = sys_setregid,
    [__NR_setresuid] = sys_setresuid,
    [__NR_setresgid] = sys_setresgid,
    [__NR_setfsuid] = sys_setfsuid,
    [__NR_setfsgid] = sys_setfsgid,
    [__NR_setgroups] = sys_setgroups,
    [__NR_sched_getaffinity] = sys_sched_getaffinity,
    [__NR_sched_setaffinity] = sys_sched_setaffinity,
    [__NR_sched_getscheduler] = sys_sched_getscheduler,
    [__NR_sched_setscheduler] = sys_sched_setscheduler,
    [__NR_sched_getparam] = sys_sched_getparam,
    [__NR_sched_setparam] = sys_sched_setparam,
    [__NR_sched_get_priority_max] = sys_sched_get_priority_max,
    [__NR_sched_get_priority_min] = sys_sched_get_priority_min,
    [__NR_sched_rr_get_interval] = sys_sched_rr_get_interval,
    [__NR_getpriority] = sys_getpriority,
    [__NR_setpriority] = sys_setpriority,
    [__NR_getcpu] = sys_getcpu,
    [__NR_membarrier] = sys_membarrier,
    [__NR_personality] = sys_personality,

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
    [__NR_rt_sigtimedwait] = sys_rt_sigtimedwait,
    [__NR_rt_sigqueueinfo] = sys_rt_sigqueueinfo,
    [__NR_rt_tgsigqueueinfo] = sys_rt_tgsigqueueinfo,
    [__NR_restart_syscall] = sys_restart_syscall,

    /* time */
    [__NR_nanosleep] = sys_nanosleep,
    [__NR_clock_nanosleep] = sys_clock_nanosleep,
    [__NR_clock_gettime] = sys_clock_gettime,
    [__NR_clock_getres] = sys_clock_getres,
    [__NR_clock_settime] = sys_clock_settime,
    [__NR_gettimeofday] = sys_gettimeofday,
    [__NR_settimeofday] = sys_settimeofday,
    [__NR_time] = sys_time,
    [__NR_times] = sys_times,
    [__NR_alarm] = sys_alarm,
    [__NR_getitimer] = sys_getitimer,
    [__NR_setitimer] = sys_setitimer,
    [__NR_timer_create] = sys_timer_create,
    [__NR_timer_settime] = sys_timer_settime,
    [__NR_timer_gettime] = sys_timer_gettime,
    [__NR_timer_getoverrun] = sys_timer_getoverrun,
    [__NR_timer_delete] = sys_timer_delete,

    /* the machine */
    [__NR_uname] = sys_uname,
    [__NR_syslog] = sys_syslog,
    [__NR_getrandom] = sys_getrandom,
    [__NR_reboot] = sys_reboot,
    [__NR_sysinfo] = sys_sysinfo,
    [__NR_sethostname] = sys_sethostname,
    [__NR_setdomainname] = sys_setdomainname,
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
