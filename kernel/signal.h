// SPDX-License-Identifier: MIT
/*
 * signal.h: signals: what is pending, what is blocked, what a process does about each (signal(7)).
 *
 * A signal is sent by marking it pending and waking the target; it is delivered by the target itself, on
 * its way back to user mode (user_return), where the handler's frame is built on the user stack. A signal
 * that the running instruction itself caused (a fault) is never pending: it is delivered at once, before
 * all others.
 *
 * One instance of each signal is kept, with who sent it and why; further ones of the same number merge into
 * it (for real-time signals Linux would queue each). Stopping and continuing are not built: the stop
 * signals have no effect when their action is the default one.
 *
 * Lock: process_lock for `pending` and `records`; `actions` are changed by their process alone, under
 * process_lock. `blocked` and what follows belongs to the process itself.
 */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <linux/signal.h>

#include "arch/x86_64/trap.h"
#include "kernel/lib/types.h"

#define SIGNAL_COUNT 64 /* numbers 1 to 64 */

typedef uint64_t signal_mask; /* bit n - 1 is signal n, as in sigset_t */

static inline signal_mask signal_bit(int number) { return 1ul << (number - 1); }
static inline bool signal_is_valid(int number) { return number >= 1 && number <= SIGNAL_COUNT; }

/* Signals that can be neither caught nor blocked. */
#define SIGNAL_MASK_ABSOLUTE (1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1))

/* As rt_sigaction(2) passes it to the kernel. */
struct signal_action {
    uint64_t handler; /* SIG_DFL, SIG_IGN or a user address */
    uint64_t flags;   /* SA_* */
    uint64_t restorer;
    signal_mask mask;
};

#define SIGNAL_DEFAULT 0ul /* SIG_DFL */
#define SIGNAL_IGNORE 1ul  /* SIG_IGN */

/* Who sent a pending signal, and why: what becomes of it is a siginfo_t. The sender's user is always root. */
struct signal_record {
    int code; /* SI_USER, SI_TKILL, SI_KERNEL, CLD_* */
    int pid;  /* the sender, or the child */
    int status; /* SIGCHLD: exit code or signal */
    uint32_t user_ticks, system_ticks; /* SIGCHLD */
};

struct signals {
    struct signal_action actions[SIGNAL_COUNT];
    signal_mask pending;
    signal_mask blocked;
    signal_mask saved_blocked; /* to be put back by delivery after rt_sigsuspend(2) */
    bool restore_saved;
    stack_t alternate; /* sigaltstack(2); ss_size 0: none */
    struct signal_record records[SIGNAL_COUNT];
};

struct process;

/* Send it; process_lock is held. A signal that the target ignores leaves no trace. Any context. */
void signal_send_locked(struct process *target, int number, const struct signal_record *record);

/*
 * Send from the kernel itself (SI_KERNEL): to one process, or to all of a group: 0 or -ESRCH. They take
 * process_lock. Any context.
 */
void signal_send_kernel(struct process *target, int number);
int signal_send_group(int pgid, int number);

/* Is there a signal that would end an interruptible sleep? */
bool signal_is_pending(const struct process *process);

/* Does the process ignore this signal, by its action or by default? */
bool signal_is_ignored(const struct process *process, int number);

/* Would this signal be ignored by, or is it blocked in, the process (what a terminal asks before SIGTTIN)? */
bool signal_is_ignored_or_blocked(const struct process *process, int number);

/* Would signal_force() find a handler for it, rather than end the process? */
bool signal_has_handler(const struct process *process, int number);

/*
 * Deliver what is pending for the current process, or restart the call it interrupted. May not return
 * (process_exit).
 */
void signal_deliver(struct trapframe *frame);

/*
 * Deliver a signal that the current instruction caused. Blocked, ignored or without a handler it ends the
 * process, and init, too. May not return.
 */
void signal_force(struct trapframe *frame, const siginfo_t *info);

/* exec: handlers become the default action, the alternate stack goes; what is ignored stays so. */
void signal_reset_for_exec(struct signals *signals);

/* fork: the child has the parent's actions, mask and alternate stack, and nothing pending. */
void signal_inherit(struct signals *child, const struct signals *parent);

/* Change the current process's mask (SIGKILL and SIGSTOP stay out) and note what can be delivered now. */
void signal_set_blocked(signal_mask blocked);

#endif
