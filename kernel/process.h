// SPDX-License-Identifier: MIT
/*
 * process.h: processes: the table of them, their family, and what each one holds.
 *
 * A process is one thread, or several that share its memory (clone(2), CLONE_THREAD). A struct process is a thread. The
 * first one is the leader, and its struct also holds what the threads have in common, in fields of their own below;
 * the others reach it by `leader`. A thread's number is its `pid`, the leader's is the process's. A leader that ends
 * before the others stays as a zombie, which nobody is told of until the last one has gone; any other thread goes
 * without a trace. A thread that calls execve(2) ends the others and becomes the leader (process_take_lead()).
 *
 * pid 1 is init: orphans become its children, signals it does not handle pass it
 * by, and when it ends the machine powers off. The idle process (pid 0) stands outside the table and has no
 * aspace. A kernel thread (kthread.h) is a process that never goes to user mode: no aspace, no files, no
 * parent, and signals pass it by.
 *
 * Locks: process_lock (first in the order; an _irq lock, because the terminal's interrupt sends signals)
 * guards the table, the family links, the lists of threads, group and session numbers, pending signals, and the step to
 * ZOMBIE. What belongs to one thread alone (usage, name, descriptors, context) is changed by that thread
 * only; others may look at numbers under process_lock. `aspace`, `files`, `standpoint` and `exe` are set to NULL
 * under process_lock at exit, so whoever wants a reference takes it under that lock.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <linux/resource.h>
#include <sys/queue.h>

#include "arch/x86_64/context.h"
#include "arch/x86_64/cpu.h"
#include "kernel/credentials.h"
#include "kernel/fs/descriptor.h"
#include "kernel/signal.h"
#include "kernel/timer.h"
#include "kernel/wait.h"
#include "mm/aspace.h"
#include "mm/fault.h"

struct inode;
struct standpoint;

#define PROCESS_NAME_SIZE 16 /* with its NUL; longer names are cut (prctl(2), PR_SET_NAME) */
#define PID_MAX 32768        /* pids are below it (proc(5), /proc/sys/kernel/pid_max) */
#define INIT_PID 1
#define FILES_MAX (1ul << 20) /* RLIMIT_NOFILE cannot be set higher (proc(5), /proc/sys/fs/nr_open) */

enum process_state {
    PROCESS_RUNNABLE,
    PROCESS_SLEEPING,        /* a signal wakes it */
    PROCESS_KILLABLE,        /* a signal that ends it wakes it */
    PROCESS_UNINTERRUPTIBLE, /* only its wait queue wakes it */
    PROCESS_STOPPED,         /* by a stop signal: SIGCONT or SIGKILL wakes it */
    PROCESS_ZOMBIE,          /* a leader that has ended; its process's parent has not waited for it */
    PROCESS_DEAD,            /* ended and out of the table; freed once it is off its stack */
};

/* What getrusage(2) tells, for a process or for its waited-for children. */
struct process_usage {
    uint64_t user_ticks, system_ticks; /* of TIMER_HZ */
    uint64_t run_time;                 /* nanoseconds on the CPU, up to the last switch: sched_run_time() */
    struct fault_counts faults;
    uint64_t max_resident; /* pages, as far as noted; see usage_of() */
    uint64_t voluntary_switches, involuntary_switches;
};

/* How a sleep that a stop and SIGCONT interrupted goes on (restart_syscall(2)). */
struct restart {
    int64_t (*resume)(struct restart *restart);
    uint64_t deadline; /* nanoseconds since boot */
    vaddr_t remaining; /* where to tell what is left when a handler cuts it short; 0: nowhere */
    uint64_t arg[3];   /* of the call that sleeps, for its resume() */
};

struct process {
    /* ---- the thread's own ---- */

    int pid;
    struct process *leader; /* of its process; maybe itself */
    LIST_ENTRY(process) thread_link;
    TAILQ_ENTRY(process) all; /* the table, ascending by pid */
    char name[PROCESS_NAME_SIZE];
    enum process_state state; /* the run queue's lock guards its changes */
    bool is_kernel;           /* a kernel thread */
    bool is_exiting;          /* thread_exit() has begun */

    struct credentials credentials;
    int nice;          /* -20 to 19: the length of its slice (sched.h) */
    int policy;        /* SCHED_* */
    int priority;      /* 1 to 99 for SCHED_FIFO and SCHED_RR (whoever has more runs first), else 0 */
    bool resets_on_fork; /* SCHED_RESET_ON_FORK */
    int death_signal;  /* prctl(2), PR_SET_PDEATHSIG: what it gets when its parent ends; 0: none */
    bool has_no_new_privileges; /* prctl(2) */
    unsigned persona;           /* personality(2) */
    bool has_no_tsc;      /* PR_SET_TSC: its CPU's time-stamp counter is not its to read */
    uint64_t timer_slack; /* PR_SET_TIMERSLACK, nanoseconds: leave to be late that is not made use of */

    struct process *vfork_child;     /* the child that this thread waits for to exec or exit */
    struct process *vfork_parent;    /* and the other way round */

    struct aspace *aspace; /* one reference; NULL: kernel thread, or ended */
    bool oom_victim;       /* chosen to die; may use the reserve of frames */

    struct context context;
    vaddr_t kernel_stack;   /* top */
    struct trapframe *user; /* registers of user mode while in the kernel: at the top of the kernel stack */
    void *fpu;              /* saved while not running */
    vaddr_t fs_base, gs_base;
    vaddr_t set_child_tid;   /* clone(2), CLONE_CHILD_SETTID: done by the child itself */
    vaddr_t clear_child_tid; /* set_tid_address(2) */
    vaddr_t robust_list;     /* set_robust_list(2) */
    vaddr_t rseq;            /* rseq(2); 0: none */
    uint32_t rseq_signature;
    struct restart restart;

    TAILQ_ENTRY(process) run_link;
    unsigned slice;     /* ticks left */
    uint64_t run_since; /* nanoseconds since boot: when it got the CPU */

    struct signals *signals;
    struct files *files;
    struct held_files held; /* for the system call that it is in (descriptor.h) */
    struct standpoint *standpoint;
    struct inode *exe; /* /proc/PID/exe */

    struct process_usage usage;
    uint64_t start_time; /* nanoseconds since boot */

    /* ---- the process's: in the leader; 0 in all other threads, but for `child_event` ---- */

    int pgid, sid;
    LIST_HEAD(, process) threads; /* the living ones but the leader */
    struct process *exec_thread;  /* ends all others, to run a program */
    bool had_threads;             /* there are or were others than the leader */
    bool is_ending;               /* process_exit() has begun: `wait_status` is settled */
    int wait_status;              /* as wait4(2) reports it; valid when it has ended */
    int exit_signal; /* what the parent gets at the end: SIGCHLD, or as clone(2) said; 0: none */
    bool has_execed; /* setpgid(2) from the parent comes too late */

    /* Job control (process_lock). The last two: wait4(2) has not told the parent yet. */
    int stop_signal;  /* from the signal that stops it until it goes on; 0: none */
    bool is_stopping; /* not all threads are STOPPED yet */
    bool stop_unreported, continue_unreported;

    struct process *parent;        /* a leader, too; NULL: pid 1's */
    struct process *parent_thread; /* the one that made it, or while that is gone another one of the parent */
    TAILQ_HEAD(, process) children; /* oldest first */
    TAILQ_ENTRY(process) sibling;
    LIST_HEAD(, pidfd) pidfds;     /* descriptors that mean this process (pidfd.h) */
    struct wait_queue child_event; /* a child changed its state; or, each thread's own, let go after vfork */

    bool is_dumpable, is_subreaper; /* prctl(2) */
    bool has_no_huge_pages; /* PR_SET_THP_DISABLE: kept to be told again, since there are none */
    unsigned barriers;      /* membarrier(2): what it has registered for */
    int oom_score_adj;     /* /proc/PID/oom_score_adj: -1000 (never) to 1000; fork inherits it, exec keeps it */
    int oom_score_adj_min; /* the lowest that the unprivileged may set: what a privileged process set last */
    struct process_timers timers;
    struct rlimit64 limits[RLIM_NLIMITS];
    struct process_usage child_usage, ended_usage; /* of waited-for children, of threads that have ended */
};

#define TIMER_SLACK_DEFAULT 50000 /* nanoseconds, as on Linux: what a slack of 0 means */
static inline uint64_t process_timer_slack(const struct process *process)
{
    return process->timer_slack ? process->timer_slack : TIMER_SLACK_DEFAULT;
}

static inline struct process *current(void) { return this_cpu()->process; }

static inline bool process_is_leader(const struct process *process) { return process->leader == process; }

/* for (thread = leader; thread; thread = thread_next(thread)): all of a process, process_lock is held. */
static inline struct process *thread_next(const struct process *thread)
{
    return process_is_leader(thread) ? LIST_FIRST(&thread->threads) : LIST_NEXT(thread, thread_link);
}

/* A thread of this leader's process that has not begun to end, the leader first; or NULL. process_lock is held. */
static inline struct process *thread_living(const struct process *leader)
{
    const struct process *thread = leader;

    while (thread && thread->is_exiting)
        thread = thread_next(thread);
    return (struct process *)thread;
}

/* Have all threads of this leader's process ended? process_lock is held. */
static inline bool process_has_ended(const struct process *leader)
{
    return leader->state >= PROCESS_ZOMBIE && LIST_EMPTY(&leader->threads);
}

extern struct spinlock process_lock;
TAILQ_HEAD(process_list, process);
extern struct process_list process_table;

/* The process with this pid, zombies included, or NULL. process_lock is held. */
struct process *process_find_locked(int pid);

/* Visit all in pid order with process_lock held (so interrupts are off); visit returns 0 to go on. */
int process_visit(int (*visit)(struct process *process, void *arg), void *arg);

/* One of its threads that still has the address space, or NULL. process_lock is held. */
struct process *process_with_memory_locked(struct process *process);

/*
 * A reference to the address space of `pid` for a look at it, or NULL (no such process, zombie, kernel's
 * own).
 */
struct aspace *process_aspace(int pid) __must_check;

/* The letter that ps shows: R S D T Z. */
char process_state_letter(const struct process *process);

/* Set the name, cut to fit. */
void process_set_name(struct process *process, const char *name);

/* Processes in the table, zombies included; forks and execs since boot. */
struct process_figures {
    unsigned count;
    uint64_t forks, execs;
    int last_pid; /* given out last */
};
extern struct process_figures process_figures;

/* /proc/sys/kernel/threads-max: as many may there be at one time (`count`); set at boot. */
extern int process_limit;

/* The CPU is known. Called once, before the first process is made. */
void process_init(void);

/*
 * A process outside the table: structure, kernel stack, signals, FPU area, the time of its start, nothing
 * else. The reference on the actions is its own, or is put when this fails. NULL when memory is out, or there are no
 * actions. The FPU area is the caller's to fill. It starts in first() on its own stack, then goes to user mode with the
 * registers in `user`.
 */
struct process *process_create(void (*first)(void), struct signal_actions *actions) __must_check;
/* The same without user mode: it starts in entry(arg), which begins with sched_start() and never returns. */
struct process *process_create_kernel(void (*entry)(void *arg), void *arg) __must_check;
/* Free what it needs for running alone: it never will again. It is not the current one. Interrupts may be off. */
void process_shed(struct process *process);
/* Free what these two took. It is not in the table, not running, and holds no other references. */
void process_free(struct process *process);

/*
 * Give it a pid, or the one that it has been made with, and enter it into the table as a child of `parent`, in the
 * caller's group (NULL for pid 1, the leader of its own group and session, and for kernel threads, which have neither).
 * 0; -EAGAIN: no pid is left; -EEXIST: the wanted one is in use.
 */
int process_enter(struct process *process, struct process *parent) __must_check;
/* The same as a thread of `leader`'s process. -EAGAIN also if that is about to end. */
int process_enter_thread(struct process *thread, struct process *leader) __must_check;
/* Out of the table and its parent's list, or its process's. process_lock is held. */
void process_leave_locked(struct process *process);

/*
 * End the current process, all its threads, with this wait status (wait4(2)): exit code << 8, or the number of a
 * signal. May sleep.
 */
void process_exit(int wait_status) __noreturn_fn;
/* The same by this signal, leaving a core where there shall be one (core.h); the first thread's signal counts. */
void process_exit_by_signal(int signal) __noreturn_fn;

/*
 * execve(2): the current thread is alone from now on, and the leader. The others end, which is waited for. 0, or
 * -EINTR where it has to end itself. Callers ask current() again afterwards: it may be another struct (thread.c).
 */
int process_take_lead(void) __must_check;

/*
 * May the current process look into, or change, this one (ptrace(2), "access mode checking"): the same user,
 * or privileged? process_lock is held.
 */
bool process_may_access_locked(const struct process *process);

/*
 * May the current process look into this one's memory and files (ptrace(2), PTRACE_MODE_READ_FSCREDS)? Itself
 * always; else the same user, and what has not changed its ids; or privileged. process_lock is held.
 */
bool process_may_look_locked(const struct process *process);

/* Processes of this real user, zombies included (RLIMIT_NPROC). Takes process_lock. */
unsigned process_count_of_user(uint32_t user);

/*
 * The current process lets go of its vfork parent, if one waits: it has an address space of its own, or
 * none.
 */
void process_release_vfork(struct process *process);

/* ---- what the OOM killer asks (mm/oom.c; implemented in oom_candidates.c) ---- */

/* A process with an address space, as it was when it was looked at. */
struct oom_candidate {
    int pid;
    unsigned uid;
    char name[PROCESS_NAME_SIZE];
    int oom_score_adj;
    bool is_victim;        /* chosen before, and not gone yet */
    struct aspace *aspace; /* one reference, for the caller to put */
};

/*
 * Those with the lowest pids above `after` that are neither init nor the kernel's own, in that order: how many of at
 * most `room`. Each call walks the table, so ask for many.
 */
unsigned oom_candidates_after(int after, struct oom_candidate *candidates, unsigned room);
/* The same for the current process; true also for init. */
bool oom_candidate_current(struct oom_candidate *candidate);

/* SIGKILL to every process that runs in this address space; they may use the reserve of frames from now on. */
void oom_kill(struct aspace *aspace);

/* Is the current process about to end by a SIGKILL? Any context. */
bool oom_current_is_dying(void);
/* Has the current process been chosen by oom_kill()? Any context. */
bool oom_current_is_victim(void);

/* Does a process group with this number exist in session `sid`? process_lock is held. */
bool process_group_exists_locked(int pgid, int sid);

/*
 * Is a process group orphaned (POSIX, 3.269): no member has a parent in another group of the same session?
 * `leaving` (may be NULL) does not count: it is about to end. process_lock is held.
 */
bool process_group_is_orphaned_locked(int pgid, const struct process *leaving);

#endif
