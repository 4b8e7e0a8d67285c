// SPDX-License-Identifier: MIT
/*
 * process.h: processes: the table of them, their family, and what each one holds.
 *
 * A process has one thread. pid 1 is init: orphans become its children, signals it does not handle pass it
 * by, and when it ends the machine powers off. The idle process (pid 0) stands outside the table and has no
 * aspace.
 *
 * Locks: process_lock (first in the order; an _irq lock, because the terminal's interrupt sends signals)
 * guards the table, the family links, group and session numbers, pending signals, and the step to ZOMBIE.
 * What belongs to one process alone (usage, limits, name, descriptors, context) is changed by that process
 * only; others may look at numbers under process_lock. `aspace`, `files`, `cwd` and `exe` are set to NULL
 * under process_lock at exit, so whoever wants a reference takes it under that lock.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <linux/resource.h>
#include <sys/queue.h>

#include "arch/x86_64/context.h"
#include "arch/x86_64/cpu.h"
#include "kernel/signal.h"
#include "kernel/wait.h"
#include "mm/aspace.h"
#include "mm/fault.h"

struct file;
struct files;
struct inode;

#define PROCESS_NAME_SIZE 16 /* with its NUL; longer names are cut (prctl(2), PR_SET_NAME) */
#define PID_MAX 32768        /* pids are below it (proc(5), /proc/sys/kernel/pid_max) */
#define INIT_PID 1

enum process_state {
    PROCESS_RUNNABLE,
    PROCESS_SLEEPING,        /* a signal wakes it */
    PROCESS_UNINTERRUPTIBLE, /* only its wait queue wakes it */
    PROCESS_ZOMBIE,          /* ended; its parent has not waited for it */
    PROCESS_DEAD,            /* ended and out of the table; freed once it is off its stack */
};

/* What getrusage(2) tells, for a process or for its waited-for children. */
struct process_usage {
    uint64_t user_ticks, system_ticks; /* of TIMER_HZ */
    struct fault_counts faults;
    uint64_t max_resident; /* pages, as far as noted; see usage_of() */
    uint64_t voluntary_switches, involuntary_switches;
};

struct process {
    int pid, pgid, sid;
    char name[PROCESS_NAME_SIZE];
    enum process_state state; /* the run queue's lock guards its changes */
    int wait_status;          /* as wait4(2) reports it; valid when ZOMBIE */
    int exit_signal;          /* what the parent gets at the end: SIGCHLD, or as clone(2) said; 0: none */
    bool has_execed;          /* setpgid(2) from the parent comes too late */

    struct process *parent; /* NULL: pid 1's */
    TAILQ_HEAD(, process) children; /* oldest first */
    TAILQ_ENTRY(process) sibling;
    TAILQ_ENTRY(process) all;        /* the table, ascending by pid */
    struct wait_queue child_event;   /* a child changed its state, or let go after vfork */
    struct process *vfork_child;     /* the child that this process waits for to exec or exit */

    struct aspace *aspace; /* one reference; NULL: kernel's own process, or zombie */

    struct context context;
    vaddr_t kernel_stack;   /* top */
    struct trapframe *user; /* registers of user mode while in the kernel: at the top of the kernel stack */
    void *fpu;              /* saved while not running */
    vaddr_t fs_base;
    vaddr_t set_child_tid;   /* clone(2), CLONE_CHILD_SETTID: done by the child itself */
    vaddr_t clear_child_tid; /* set_tid_address(2) */

    TAILQ_ENTRY(process) run_link;
    unsigned slice; /* ticks left */

    struct signals *signals;
    struct files *files;
    struct inode *cwd;
    struct inode *exe; /* /proc/PID/exe */
    unsigned umask;

    struct rlimit64 limits[RLIM_NLIMITS];
    struct process_usage usage, child_usage;
    uint64_t start_time; /* nanoseconds since boot */
};

static inline struct process *current(void) { return this_cpu()->process; }

extern struct spinlock process_lock;
TAILQ_HEAD(process_list, process);
extern struct process_list process_table;

/* The process with this pid, zombies included, or NULL. process_lock is held. */
struct process *process_find_locked(int pid);

/* Visit all in pid order with process_lock held (so interrupts are off); visit returns 0 to go on. */
int process_visit(int (*visit)(struct process *process, void *arg), void *arg);

/*
 * A reference to the address space of `pid` for a look at it, or NULL (no such process, zombie, kernel's
 * own).
 */
struct aspace *process_aspace(int pid) __must_check;

/* The letter that ps shows: R S D Z. */
char process_state_letter(const struct process *process);

/* Set the name, cut to fit. */
void process_set_name(struct process *process, const char *name);

/* Processes in the table, zombies included; forks and execs since boot. */
struct process_figures {
    unsigned count;
    uint64_t forks, execs;
};
extern struct process_figures process_figures;

/*
 * A process outside the table: structure, kernel stack, signals and FPU area, nothing else. NULL when
 * memory is out. It starts in first() on its own stack, then goes to user mode with the registers in
 * `user`.
 */
struct process *process_create(void (*first)(void)) __must_check;
/* Free what process_create() took. It is not in the table, not running, and holds no other references. */
void process_free(struct process *process);

/*
 * Give it a pid and enter it into the table as a child of `parent` (NULL for pid 1). 0, or -EAGAIN: no pid
 * is left.
 */
int process_enter(struct process *process, struct process *parent) __must_check;
/* Out of the table and its parent's list. process_lock is held. */
void process_leave_locked(struct process *process);

/*
 * End the current process with this wait status (wait4(2)): exit code << 8, or the number of a signal. May
 * sleep.
 */
void process_exit(int wait_status) __noreturn_fn;

/*
 * The current process lets go of its vfork parent, if one waits: it has an address space of its own, or
 * none.
 */
void process_release_vfork(struct process *process);

/* Does a process group with this number exist in session `sid`? process_lock is held. */
bool process_group_exists_locked(int pgid, int sid);

#endif
