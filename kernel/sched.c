// SPDX-License-Identifier: MIT
/*
 * sched.c: round robin.
 *
 * Invariants: a process is in the run queue exactly when it is RUNNABLE and not running; the idle process
 * is never in it. The running process may be marked as sleeping already (it is about to call schedule());
 * waking it then only takes the mark away, so a wake-up that comes between the mark and schedule() is not
 * lost.
 *
 * A process that has ended as DEAD is freed by whoever runs next: nobody can free the stack he stands on.
 *
 * Lock: run_lock (_irq) guards the queue and every process's state. One CPU: `running` is
 * this_cpu()->process.
 */
#include "kernel/sched.h"

#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/machine.h"
#include "kernel/entry.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

static struct spinlock run_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, process) run_queue = TAILQ_HEAD_INITIALIZER(run_queue);
static unsigned run_count; /* processes in run_queue */

static struct process idle = {
    .name = "idle",
    .state = PROCESS_RUNNABLE,
    .child_event = WAIT_QUEUE_INIT(idle.child_event),
};
static struct process *switched_from; /* set by schedule() for the process that runs next */

struct sched_ticks sched_ticks;

void sched_init(void)
{
    TAILQ_INIT(&idle.children);
    this_cpu()->process = &idle;
    this_cpu()->fault_counts = &idle.usage.faults;
}

static void enqueue_locked(struct process *process)
{
    TAILQ_INSERT_TAIL(&run_queue, process, run_link);
    run_count++;
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
    spin_unlock_irq(&run_lock, irq);
}

/* Make `process` runnable if it sleeps in a state up to `deepest`. */
static void wake_up_to(struct process *process, enum process_state deepest)
{
    bool irq = spin_lock_irq(&run_lock);

    if (process->state > PROCESS_RUNNABLE && process->state <= deepest) {
        process->state = PROCESS_RUNNABLE;
        if (process != current())
            enqueue_locked(process);
    }
    spin_unlock_irq(&run_lock, irq);
}

void sched_wake(struct process *process) { wake_up_to(process, PROCESS_UNINTERRUPTIBLE); }

void sched_interrupt(struct process *process) { wake_up_to(process, PROCESS_SLEEPING); }

void sched_set_state(enum process_state state)
{
    bool irq = spin_lock_irq(&run_lock);

    current()->state = state;
    spin_unlock_irq(&run_lock, irq);
}

unsigned sched_runnable(void) { return run_count + (current() != &idle); }

/* The idle process never has a signal. */
static bool signal_needs_delivery(const struct process *process)
{
    return process->signals && (process->signals->restore_saved || signal_is_pending(process));
}

/* On the new process's stack: let go of the one that ran before. */
static void finish_switch(void)
{
    struct process *previous = switched_from;

    if (previous && previous->state == PROCESS_DEAD) {
        switched_from = NULL;
        process_free(previous);
    }
}

/*
 * Hand this CPU to `next`: interrupts are off. A process without an address space runs on the tables that are
 * loaded: their owner cannot free them without running, and then it leaves them first (process_exit, exec).
 */
static void switch_to(struct process *previous, struct process *next)
{
    struct cpu *cpu = this_cpu();

    if (previous->fpu)
        fpu_save(previous->fpu);
    if (next->fpu)
        fpu_restore(next->fpu);
    if (next->aspace && next->aspace != cpu->aspace)
        aspace_switch(next->aspace);
    cpu->process = next;
    cpu->fault_counts = &next->usage.faults;
    cpu->return_work = signal_needs_delivery(next) ? RETURN_SIGNAL : 0;
    if (next->kernel_stack) {
        cpu_set_kernel_stack(next->kernel_stack);
        cpu_set_fs_base(next->fs_base);
    }
    next->slice = SCHED_SLICE;
    switched_from = previous;
    context_switch(&previous->context, &next->context);
    finish_switch();
}

void schedule(void)
{
    struct process *previous = current(), *next;
    bool irq = spin_lock_irq(&run_lock);

    if (previous->state == PROCESS_RUNNABLE && previous != &idle) {
        enqueue_locked(previous);
        previous->usage.involuntary_switches += TAILQ_FIRST(&run_queue) != previous;
    } else {
        previous->usage.voluntary_switches++;
    }
    next = dequeue_locked();
    spin_unlock(&run_lock);

    if (next != previous)
        switch_to(previous, next);
    else
        next->slice = SCHED_SLICE;
    interrupts_restore(irq);
}

void sched_start(void)
{
    finish_switch();
    interrupts_enable();
}

void sched_idle(void)
{
    for (;;) {
        interrupts_disable();
        if (TAILQ_EMPTY(&run_queue))
            interrupts_wait();
        interrupts_enable();
        schedule();
    }
}

void timer_tick(const struct trapframe *frame)
{
    struct process *process = current();

    if (process == &idle) {
        sched_ticks.idle++;
    } else if (trap_from_user(frame)) {
        sched_ticks.user++;
        process->usage.user_ticks++;
    } else {
        sched_ticks.system++;
        process->usage.system_ticks++;
    }
    if (process->slice && --process->slice == 0)
        this_cpu()->return_work |= RETURN_RESCHEDULE;
    wait_expire(clock_nanoseconds());
}

void user_return(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();
    unsigned work = __atomic_exchange_n(&cpu->return_work, 0, __ATOMIC_RELAXED);

    if (work & RETURN_RESCHEDULE)
        schedule();
    if (signal_needs_delivery(current()))
        signal_deliver(frame);
}
