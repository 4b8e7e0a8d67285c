// SPDX-License-Identifier: MIT
/*
 * sched.c: round robin within each priority.
 *
 * The run queue is one list, highest priority first, and within one in the order of their turns.
 *
 * Invariants: a process is in the run queue exactly when it is RUNNABLE and not running; the idle process
 * is never in it. The running process may be marked as sleeping already (it is about to call schedule());
 * waking it then only takes the mark away, so a wake-up that comes between the mark and schedule() is not
 * lost.
 *
 * A process that has ended is freed by whoever runs next, for nobody can free the stack he stands on: as DEAD the whole,
 * as ZOMBIE all that its parent will not ask for.
 *
 * Lock: run_lock (_irq) guards the queue and every process's state, but for the running one's own mark
 * (sched_set_state()). One CPU: `running` is this_cpu()->process.
 */
#include "kernel/sched.h"

#include <linux/sched.h>

#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/machine.h"
#include "kernel/entry.h"
#include "kernel/fs/kmsg.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/rseq.h"
#include "mm/frame.h"
#include "mm/trace.h"

static struct spinlock run_lock = SPINLOCK_INIT;
static TAILQ_HEAD(run_queue, process) run_queue = TAILQ_HEAD_INITIALIZER(run_queue);
static unsigned run_count; /* processes in run_queue */

static struct signals idle_signals; /* none, ever */
static struct process idle = {
    .leader = &idle,
    .signals = &idle_signals,
    .name = "idle",
    .state = PROCESS_RUNNABLE,
    .child_event = WAIT_QUEUE_INIT(idle.child_event),
};
static struct process *switched_from; /* set by schedule() for the process that runs next */

struct sched_ticks sched_ticks;
uint64_t sched_switches;

void sched_init(void)
{
    TAILQ_INIT(&idle.children);
    this_cpu()->process = &idle;
    this_cpu()->fault_counts = &idle.usage.faults;
}

/* ---- the load averages (sched.h) ---- */

#define LOAD_TICKS (5 * TIMER_HZ + 1) /* a tick more than 5 s: out of step with what runs every 5 s */
#define LOAD_ONE (1ul << LOAD_SHIFT)

/* LOAD_ONE / exp(5 s / period) for 1, 5 and 15 minutes. */
static const unsigned long load_decay[3] = { 1884, 2014, 2037 };
unsigned long sched_load[3];

static int is_load(struct process *process)
{
    enum process_state state = READ_ONCE(process->state);

    return state == PROCESS_RUNNABLE || state == PROCESS_KILLABLE || state == PROCESS_UNINTERRUPTIBLE;
}

static void load_update(void)
{
    struct process *process;
    unsigned long active = 0;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all)
        active += is_load(process);
    spin_unlock_irq(&process_lock, irq);
    active *= LOAD_ONE;
    for (unsigned i = 0; i < ARRAY_SIZE(sched_load); i++) {
        unsigned long load = sched_load[i] * load_decay[i] + active * (LOAD_ONE - load_decay[i]);

        sched_load[i] = (load + (active >= sched_load[i] ? LOAD_ONE - 1 : 0)) / LOAD_ONE;
    }
}

static void load_tick(void)
{
    static unsigned ticks;

    if (++ticks < LOAD_TICKS)
        return;
    ticks = 0;
    load_update();
}

/* Behind all of its priority. */
static void enqueue_locked(struct process *process)
{
    struct process *before;

    TAILQ_FOREACH_REVERSE(before, &run_queue, run_queue, run_link)
        if (before->priority >= process->priority)
            break;
    if (before)
        TAILQ_INSERT_AFTER(&run_queue, before, process, run_link);
    else
        TAILQ_INSERT_HEAD(&run_queue, process, run_link);
    run_count++;
}

/*
 * The current process's turn is not over, but for those with more priority, if there are any: then in front of
 * all of its own.
 */
static void enqueue_current_locked(struct process *process)
{
    struct process *behind = TAILQ_FIRST(&run_queue);

    if (!behind || behind->priority <= process->priority) {
        enqueue_locked(process);
        return;
    }
    while (behind && behind->priority > process->priority)
        behind = TAILQ_NEXT(behind, run_link);
    if (behind)
        TAILQ_INSERT_BEFORE(behind, process, run_link);
    else
        TAILQ_INSERT_TAIL(&run_queue, process, run_link);
    run_count++;
}

/* Does somebody with more priority than the running process wait? It gives way before it is in user mode. */
static void preempt_locked(void)
{
    const struct process *first = TAILQ_FIRST(&run_queue);

    if (first && first->priority > current()->priority)
        this_cpu()->return_work |= RETURN_RESCHEDULE;
}

/* The head of the queue, taken out of it, or the idle process. */
static struct process *dequeue_locked(void)
{
    struct process *process = TAILQ_FIRST(&run_queue);

    if (!process)
        return &idle;
    TAILQ_REMOVE(&run_queue, process, run_link);
    run_count--;
    return process;
}

void sched_enqueue(struct process *process)
{
    bool irq = spin_lock_irq(&run_lock);

    ASSERT(process->state == PROCESS_RUNNABLE);
    enqueue_locked(process);
    preempt_locked();
    spin_unlock_irq(&run_lock, irq);
}

/* Make `process` runnable if its state is one of these. Interrupts are off. */
static void wake_from(struct process *process, enum process_state first, enum process_state last)
{
    ASSERT(!interrupts_enabled());
    spin_lock(&run_lock);
    if (process->state >= first && process->state <= last) {
        process->state = PROCESS_RUNNABLE;
        if (process != current()) {
            enqueue_locked(process);
            preempt_locked();
        }
    }
    spin_unlock(&run_lock);
}

void sched_wake(struct process *process)
{
    wake_from(process, PROCESS_SLEEPING, PROCESS_UNINTERRUPTIBLE);
}

void sched_interrupt(struct process *process) { wake_from(process, PROCESS_SLEEPING, PROCESS_SLEEPING); }

void sched_kill(struct process *process) { wake_from(process, PROCESS_SLEEPING, PROCESS_KILLABLE); }

void sched_continue(struct process *process) { wake_from(process, PROCESS_STOPPED, PROCESS_STOPPED); }

#define RR_MILLISECONDS 100

int sched_rr_milliseconds = RR_MILLISECONDS;

void sched_rr_changed(void)
{
    if (sched_rr_milliseconds <= 0)
        sched_rr_milliseconds = RR_MILLISECONDS;
}

unsigned sched_rr_slice(void) { return MAX((unsigned)sched_rr_milliseconds / (1000 / TIMER_HZ), 1u); }

/* Ticks in a slice (sched.h); 0: it has no end. */
static unsigned slice_of(const struct process *process)
{
    if (process->policy == SCHED_FIFO)
        return 0;
    if (process->policy == SCHED_RR)
        return sched_rr_slice();
    if (process->policy == SCHED_IDLE)
        return 1;
    return process->nice > 0 ? 1 : SCHED_SLICE + (unsigned)-process->nice / 2;
}

static bool is_queued_locked(const struct process *process)
{
    const struct process *queued;

    TAILQ_FOREACH(queued, &run_queue, run_link)
        if (queued == process)
            return true;
    return false;
}

void sched_set_policy_locked(struct process *process, int policy, int priority)
{
    bool irq = spin_lock_irq(&run_lock);
    bool is_queued = is_queued_locked(process);

    if (is_queued) {
        TAILQ_REMOVE(&run_queue, process, run_link);
        run_count--;
    }
    process->policy = policy;
    process->priority = priority;
    process->slice = slice_of(process);
    if (is_queued)
        enqueue_locked(process);
    preempt_locked();
    spin_unlock_irq(&run_lock, irq);
}

unsigned sched_runnable(void) { return run_count + (current() != &idle); }

/* The idle process never has a signal. */
static bool signal_needs_delivery(const struct process *process)
{
    return process->signals->unfinished || signal_is_pending(process);
}

uint64_t sched_run_time(const struct process *process)
{
    uint64_t time = process->usage.run_time;

    return process == current() ? time + clock_nanoseconds() - process->run_since : time;
}

uint64_t sched_process_run_time(const struct process *leader)
{
    uint64_t time = leader->ended_usage.run_time;

    for (const struct process *thread = leader; thread; thread = thread_next(thread))
        time += sched_run_time(thread);
    return time;
}

/* The CPU's time so far is `previous`'s, from now on `next`'s. */
static void account_switch(struct process *previous, struct process *next)
{
    uint64_t now = clock_nanoseconds();

    previous->usage.run_time += now - previous->run_since;
    next->run_since = now;
}

/* On the new process's stack: let go of the one that ran before, if it has ended. */
static void finish_switch(void)
{
    struct process *previous = switched_from;

    if (!previous || previous->state < PROCESS_ZOMBIE)
        return;
    switched_from = NULL;
    if (previous->state == PROCESS_DEAD)
        process_free(previous);
    else
        process_shed(previous);
}

/* Who runs here, for those who ask. */
static void cpu_take(struct cpu *cpu, struct process *process)
{
    cpu->process = process;
    cpu->fault_counts = &process->usage.faults;
    cpu->pid = (uint32_t)process->pid;
}

void sched_become(struct process *process)
{
    const struct process *before = current();

    process->run_since = before->run_since;
    process->slice = before->slice;
    cpu_take(this_cpu(), process);
    sched_set_state(PROCESS_RUNNABLE);
}

/*
 * Hand this CPU to `next`: interrupts are off. A process without an address space runs on the tables that are
 * loaded: their owner cannot free them without running, and then it leaves them first (process_exit, exec).
 */
static void switch_to(struct process *previous, struct process *next)
{
    struct cpu *cpu = this_cpu();

    account_switch(previous, next);
    if (previous->fpu)
        fpu_save(previous->fpu);
    if (next->fpu)
        fpu_restore(next->fpu);
    if (next->aspace && next->aspace != cpu->aspace)
        aspace_switch(next->aspace);
    if (unlikely(previous->has_no_tsc != next->has_no_tsc))
        cpu_allow_tsc(!next->has_no_tsc);
    cpu_take(cpu, next);
    cpu->return_work = unlikely(signal_needs_delivery(next)) ? RETURN_SIGNAL : 0;
    if (unlikely(next->rseq | next->held.count))
        cpu->return_work |= (next->rseq ? RETURN_RSEQ : 0) | (next->held.count ? RETURN_FILES : 0);
    if (next->user) {
        cpu_set_kernel_stack(next->kernel_stack);
        cpu_set_fs_base(next->fs_base);
        cpu_set_gs_base(next->gs_base);
    }
    next->slice = slice_of(next);
    switched_from = previous;
    sched_switches++;
    context_switch(&previous->context, &next->context);
    finish_switch();
}

void schedule(void)
{
    struct process *previous = current(), *next;
    bool irq = spin_lock_irq(&run_lock);

    if (previous->state == PROCESS_RUNNABLE && previous != &idle) {
        enqueue_current_locked(previous);
        previous->usage.involuntary_switches += TAILQ_FIRST(&run_queue) != previous;
    } else {
        previous->usage.voluntary_switches++;
    }
    next = dequeue_locked();
    spin_unlock(&run_lock);

    if (next != previous)
        switch_to(previous, next);
    else
        next->slice = slice_of(next);
    interrupts_restore(irq);
}

void sched_yield_slice(void)
{
    __atomic_and_fetch(&this_cpu()->return_work, ~(uint32_t)RETURN_RESCHEDULE, __ATOMIC_RELAXED);
    schedule();
}

void sched_start(void)
{
    finish_switch();
    interrupts_enable();
}

void sched_idle(void)
{
    for (;;) {
        trace_flush();
        while (TAILQ_EMPTY(&run_queue) && frame_make_blank())
            ; /* interrupts are enabled: one that wakes somebody waits for a frame at most */
        interrupts_disable();
        if (TAILQ_EMPTY(&run_queue))
            interrupts_wait();
        interrupts_enable();
        schedule();
    }
}

static void charge_tick(struct process *process, bool user)
{
    if (process == &idle) {
        sched_ticks.idle++;
        return;
    }
    if (user) {
        sched_ticks.user++;
        process->usage.user_ticks++;
    } else {
        sched_ticks.system++;
        process->usage.system_ticks++;
    }
    timers_charge(process, user);
}

/*
 * Nobody can have used a tick whose interrupt did not come: user mode would have been interrupted, and the kernel keeps
 * interrupts off for much less. The machine itself stood still, as virtual ones do.
 */
static void charge_missed(const struct process *process, unsigned ticks)
{
    *(process == &idle ? &sched_ticks.idle : &sched_ticks.stolen) += ticks;
}

uint64_t timer_tick(const struct trapframe *frame, unsigned ticks)
{
    struct process *process = current();

    if (ticks) {
        charge_tick(process, trap_from_user(frame));
        charge_missed(process, ticks - 1);
        if (process->slice && --process->slice == 0)
            this_cpu()->return_work |= RETURN_RESCHEDULE;
        kmsg_tick();
    }
    for (unsigned i = 0; i < ticks; i++)
        load_tick();
    return alarm_expire(clock_nanoseconds());
}

void user_return(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();
    unsigned work = __atomic_exchange_n(&cpu->return_work, 0, __ATOMIC_RELAXED);

    if (work & RETURN_FILES)
        files_let_go();
    if (work & RETURN_RESCHEDULE)
        schedule(); /* the work that this brings comes up again: whoever calls looks once more */
    if ((work & RETURN_RSEQ) && rseq_interrupted(frame))
        signal_force(frame, &(siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL });
    if (signal_needs_delivery(current()))
        signal_deliver(frame);
}
