// SPDX-License-Identifier: MIT
/*
 * signal.h: signals: what is pending, what is blocked, what a process does about each (signal(7)).
 *
 * A signal is sent by marking it pending and waking the target; it is delivered by the target itself, on
 * its way back to user mode (user_return), where the handler's frame is built on the user stack. A signal
 * that the running instruction itself caused (a fault) is never pending: it is delivered at once, before
 * all others.
 *
 * Of a standard signal (below SIGNAL_REAL_TIME) one instance is kept, with who sent it and why; further ones
 * merge into it. Real-time signals queue, each with its own record, in the order in which they were sent;
 * RLIMIT_SIGPENDING bounds how many all processes of a user have in their queues. A queue entry is made
 * before process_lock is taken (the stock), since it needs memory.
 *
 * A signal for a process waits in its leader's `shared`, and one of the threads that do not block it takes it; a signal
 * for one thread (tgkill(2), or by its own doing) waits in that one's `own`. SIGKILL is for all threads at once. Whoever
 * goes to user mode first takes what is `shared`, not only the one that was woken for it; a call that it has cut short
 * elsewhere is restarted.
 *
 * Stopping: a stop signal with its default action puts each thread to PROCESS_STOPPED: the one that takes it at once, the
 * others by a SIGSTOP of their own; SIGCONT lets all go on the moment it is sent, whatever its action is. Pending stop
 * signals and SIGCONT drive each other out.
 *
 * Lock: process_lock for what is pending; `actions` are changed
 * under process_lock by a process that has them. `blocked` and what follows belongs to the thread itself.
 */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <linux/signal.h>
#include <sys/queue.h>

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

#define SIGNAL_REAL_TIME 32 /* SIGRTMIN as the kernel counts: from here on signals queue */

/*
 * Who sent a pending signal, and why: siginfo_t without its padding. si_signo need not be set; the sender
 * (kill(2)), the child (SIGCHLD), the value (sigqueue(3)) or the timer lie where siginfo_t has them.
 */
struct signal_record {
    __SIGINFO;
};

/* One queued real-time signal. */
struct signal_entry {
    struct signal_record record;
    bool is_kept;   /* a timer's own: not freed when it is delivered (timer_create(2)) */
    bool is_queued; /* in a queue now */
    TAILQ_ENTRY(signal_entry) link;
};
TAILQ_HEAD(signal_queue, signal_entry);

/* What is to be delivered. */
struct pending {
    signal_mask mask;
    unsigned queued;           /* entries in the queue */
    struct signal_queue queue; /* real-time signals, oldest first */
    struct signal_record records[SIGNAL_REAL_TIME - 1]; /* of the standard signals in `mask` */
};

/* What to do about each. With CLONE_SIGHAND two processes, and always all threads of one, have the same. Most are never set: nobody copies those. */
struct signal_actions {
    uint32_t refs;
    signal_mask set;                       /* for these an action has been set */
    struct signal_action of[SIGNAL_COUNT]; /* of signal n: [n - 1]; of one that is not in `set` it means nothing */
};

static inline const struct signal_action *signal_action_of(const struct signal_actions *actions, int number)
{
    static const struct signal_action never_set = { .handler = SIGNAL_DEFAULT };

    return actions->set & signal_bit(number) ? &actions->of[number - 1] : &never_set;
}

/*
 * A signal that cut a call short may be gone before it is delivered: another thread took it, or SIGCONT drove it out.
 * The call has to be restarted all the same.
 */
enum signal_unfinished { SIGNAL_MASK_SAVED = 1, SIGNAL_CALL_CUT = 2 };

struct signals {
    struct signal_actions *actions; /* one reference */
    signal_mask blocked;
    signal_mask saved_blocked; /* to be put back by delivery after rt_sigsuspend(2) */
    unsigned unfinished;       /* what delivery has to see to even where no signal is left: enum signal_unfinished */
    signal_mask awaited; /* what rt_sigtimedwait(2) sleeps for: wakes it though it is blocked */
    stack_t alternate;   /* sigaltstack(2); ss_size 0: none */
    struct pending own;    /* for this thread */
    struct pending shared; /* for the process: the leader's is in use */
};

struct process;

/* Make a queue entry, without process_lock: NULL when memory is out. And free one that no queue holds. */
struct signal_entry *signal_entry_create(void) __must_check;
void signal_entry_free(struct signal_entry *entry);

/*
 * Send it to the process that `target` is a thread of; process_lock is held. A signal that the target ignores leaves no trace. Any context. `entry` is
 * for a real-time signal (else NULL): true says that it is in the queue now, false that it is still the
 * caller's. Without one a real-time signal is only marked as pending, and its record is lost, as in Linux
 * when memory is out.
 */
bool signal_send_locked(struct process *target, int number, const struct signal_record *record,
                        struct signal_entry *entry);
/* The same to one thread alone. */
bool signal_send_thread_locked(struct process *thread, int number, const struct signal_record *record,
                               struct signal_entry *entry);

/* SIGKILL for one thread, without a word about the others. process_lock is held. */
void signal_kill_thread_locked(struct process *thread);

/*
 * This thread will not take these signals, should they be pending for its process: another one shall. process_lock is
 * held.
 */
void signal_retarget_locked(const struct process *thread, signal_mask numbers);

/* Is it pending, for this thread or its process? process_lock is held, or the answer may be late. */
bool signal_waits(const struct process *thread, int number);

/* Entries in the queues of all processes of this real user (RLIMIT_SIGPENDING). process_lock is held. */
unsigned signal_queued_of_user_locked(uint32_t user);

/*
 * Send from the kernel itself (SI_KERNEL): to one process, or to all of a group: 0 or -ESRCH. They take
 * process_lock. Any context.
 */
void signal_send_kernel(struct process *target, int number);
/* To the current thread as if it had sent it itself, which is how SIGPIPE and SIGXFSZ look (SI_USER). */
void signal_send_self(int number);
int signal_send_group(int pgid, int number);

/* Is there a signal that this thread could take, which ends an interruptible sleep? */
bool signal_is_pending(const struct process *process);

/* A signal cuts the current thread's call short: it goes to user mode by way of signal_deliver(). */
void signal_cut_call(void);

/* Is there one that will end the process, so that what the thread does for it in the kernel is in vain? */
bool signal_is_fatal_pending(const struct process *process);

/* Take the thread's next pending signal out of `wanted`, with its siginfo. Its number, or 0. process_lock is held. */
int signal_take_locked(struct process *process, signal_mask wanted, struct signal_record *record);

/* Forget what is pending of these, for the process and all its threads. process_lock is held. */
void signal_discard_locked(struct process *process, signal_mask numbers);

/* The siginfo_t that a record stands for. */
siginfo_t signal_info_of(int number, const struct signal_record *record);

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

/* Handlers become the default action, what is ignored stays so (clone3(2), CLONE_CLEAR_SIGHAND; exec). */
void signal_reset_actions(struct signals *signals);

/* fork: the child has the parent's mask and alternate stack. */
void signal_inherit(struct signals *child, const struct signals *parent);

/* Actions for one process: all the default one, or a copy. NULL: memory is out. */
struct signal_actions *signal_actions_create(void) __must_check;
struct signal_actions *signal_actions_clone(const struct signal_actions *actions) __must_check;
/* The same for one process more. */
struct signal_actions *signal_actions_share(struct signal_actions *actions);
bool signal_actions_are_shared(const struct signal_actions *actions);
/* One process less has them; the last one frees them. */
void signal_actions_put(struct signal_actions *actions);

/* A new process's: these actions, whose reference it takes over, and nothing pending. */
void signal_init(struct signals *signals, struct signal_actions *actions);
/* Give up the actions and what is still queued. */
void signal_release(struct signals *signals);

/*
 * exec: what is a thread's own moves to another struct: its mask, and what is pending for it alone. process_lock is
 * held.
 */
void signal_move(struct signals *to, struct signals *from);

/* exec: these actions, whose reference it takes over, in place of those that were shared. */
void signal_exchange_actions(struct signals *signals, struct signal_actions *actions);

/* Change the current thread's mask (SIGKILL and SIGSTOP stay out) and note what can be delivered now. */
void signal_set_blocked(signal_mask blocked);

#endif
