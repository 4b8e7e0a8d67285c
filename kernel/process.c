// SPDX-License-Identifier: MIT
/*
 * process.c: the table of processes, their numbers, their making and unmaking.
 *
 * Finding a pid walks the table: fine for the hundreds of processes that a teaching machine has. Giving out
 * a new pid does not, until the numbers have gone round once.
 */
#include "kernel/process.h"

#include "arch/x86_64/machine.h"
#include "kernel/job.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/pidfd.h"
#include "kernel/sched.h"
#include "mm/kstack.h"
#include "mm/slab.h"

#define PID_FIRST_AGAIN 300 /* once round, low numbers stay with those who have them (as in Linux) */

struct spinlock process_lock = SPINLOCK_INIT;
struct process_list process_table = TAILQ_HEAD_INITIALIZER(process_table);
struct process_figures process_figures;
int process_limit;

static struct slab_cache process_cache = SLAB_CACHE_INIT(process_cache, "process", struct process);
static struct slab_cache signals_cache = SLAB_CACHE_INIT(signals_cache, "signals", struct signals);
static struct slab_cache fpu_cache = SLAB_CACHE_INIT(fpu_cache, "fpu", char); /* process_init() knows the size */

#define FPU_ALIGN 64 /* of an area (SDM 1, 13.4); a slab's objects begin so aligned */

static int last_pid; /* process_lock */
static bool pids_out_of_order; /* numbers above last_pid may be in use */

struct process *process_find_locked(int pid)
{
    struct process *process;

    ASSERT(spin_is_held(&process_lock));
    TAILQ_FOREACH(process, &process_table, all)
        if (process->pid >= pid)
            return process->pid == pid ? process : NULL;
    return NULL;
}

int process_visit(int (*visit)(struct process *process, void *arg), void *arg)
{
    struct process *process;
    int result = 0;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        result = visit(process, arg);
        if (result)
            break;
    }
    spin_unlock_irq(&process_lock, irq);
    return result;
}

struct process *process_with_memory_locked(struct process *process)
{
    struct process *thread = process->leader;

    ASSERT(spin_is_held(&process_lock));
    while (thread && !thread->aspace)
        thread = thread_next(thread);
    return thread;
}

struct aspace *process_aspace(int pid)
{
    struct aspace *aspace = NULL;
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = process_find_locked(pid);

    if (process)
        process = process_with_memory_locked(process);
    if (process)
        aspace = aspace_get(process->aspace);
    spin_unlock_irq(&process_lock, irq);
    return aspace;
}

bool process_group_exists_locked(int pgid, int sid)
{
    struct process *process;

    ASSERT(spin_is_held(&process_lock));
    TAILQ_FOREACH(process, &process_table, all)
        if (process->pgid == pgid && process->sid == sid)
            return true;
    return false;
}

bool process_group_is_orphaned_locked(int pgid, const struct process *leaving)
{
    const struct process *process, *parent;

    ASSERT(spin_is_held(&process_lock));
    TAILQ_FOREACH(process, &process_table, all) {
        parent = process->parent;
        if (process->pgid != pgid || process == leaving || process_has_ended(process) || !parent ||
            parent->pid == INIT_PID)
            continue;
        if (parent->pgid != pgid && parent->sid == process->sid)
            return false;
    }
    return true;
}

bool process_may_access_locked(const struct process *process)
{
    const struct credentials *mine = &current()->credentials, *its = &process->credentials;

    if (process->leader == current()->leader || credentials_are_privileged(mine))
        return true;
    return mine->user.real == its->user.real && mine->user.real == its->user.effective &&
           mine->user.real == its->user.saved && mine->group.real == its->group.real &&
           mine->group.real == its->group.effective && mine->group.real == its->group.saved;
}

bool process_may_look_locked(const struct process *process)
{
    const struct credentials *mine = &current()->credentials, *its = &process->credentials;
    uint32_t user = mine->user.filesystem, group = mine->group.filesystem;

    if (process->leader == current()->leader || credentials_are_privileged(mine))
        return true;
    return process->leader->is_dumpable && user == its->user.real && user == its->user.effective &&
           user == its->user.saved && group == its->group.real && group == its->group.effective &&
           group == its->group.saved;
}

unsigned process_count_of_user(uint32_t user)
{
    const struct process *process;
    unsigned count = 0;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all)
        count += process->credentials.user.real == user;
    spin_unlock_irq(&process_lock, irq);
    return count;
}

char process_state_letter(const struct process *process)
{
    static const char letters[] = {
        [PROCESS_RUNNABLE] = 'R',
        [PROCESS_SLEEPING] = 'S',
        [PROCESS_KILLABLE] = 'D',
        [PROCESS_UNINTERRUPTIBLE] = 'D',
        [PROCESS_STOPPED] = 'T',
        [PROCESS_ZOMBIE] = 'Z',
        [PROCESS_DEAD] = 'X',
    };
    return letters[process->state];
}

void process_set_name(struct process *process, const char *name)
{
    string_copy(process->name, name, sizeof(process->name));
}

void process_init(void) { fpu_cache.size = align_up(fpu_size(), FPU_ALIGN); }

/* What every process has, kernel threads too. NULL: memory is out, and the actions are the caller's. */
static struct process *create_bare(struct signal_actions *actions)
{
    struct process *process = slab_alloc(&process_cache);

    if (!process)
        return NULL;
    process->signals = slab_alloc_unset(&signals_cache); /* signal_init() sets it */
    if (!process->signals)
        goto out_process;
    process->kernel_stack = kstack_alloc();
    if (!process->kernel_stack)
        goto out_signals;
    process->leader = process;
    signal_init(process->signals, actions);
    timers_init(&process->timers);
    TAILQ_INIT(&process->children);
    wait_queue_init(&process->child_event);
    process->start_time = clock_nanoseconds();
    return process;

out_signals:
    slab_free(&signals_cache, process->signals);
out_process:
    slab_free(&process_cache, process);
    return NULL;
}

/* The same with actions whose reference is given up when this fails; NULL fails. */
static struct process *create(struct signal_actions *actions)
{
    struct process *process = actions ? create_bare(actions) : NULL;

    if (actions && !process)
        signal_actions_put(actions);
    return process;
}

struct process *process_create(void (*first)(void), struct signal_actions *actions)
{
    struct process *process = create(actions);

    if (!process)
        return NULL;
    process->fpu = slab_alloc_unset(&fpu_cache);
    if (!process->fpu) {
        process_free(process);
        return NULL;
    }
    fpu_clear_area(process->fpu);
    process->user = context_init_user(&process->context, process->kernel_stack, first);
    process->is_dumpable = true;
    return process;
}

struct process *process_create_kernel(void (*entry)(void *arg), void *arg)
{
    struct process *process = create(signal_actions_create());

    if (!process)
        return NULL;
    context_init(&process->context, process->kernel_stack, entry, arg);
    process->is_kernel = true;
    return process;
}

void process_shed(struct process *process)
{
    if (process->kernel_stack)
        kstack_free(process->kernel_stack);
    if (process->fpu)
        slab_free(&fpu_cache, process->fpu);
    process->kernel_stack = 0;
    process->user = NULL;
    process->fpu = NULL;
}

void process_free(struct process *process)
{
    ASSERT(process != current() && !process->aspace && !process->files && !process->standpoint && !process->exe);
    ASSERT(!process->timers.real.armed && LIST_EMPTY(&process->timers.posix) && LIST_EMPTY(&process->threads));
    signal_release(process->signals);
    group_list_put(process->credentials.groups);
    process_shed(process);
    slab_free(&signals_cache, process->signals);
    slab_free(&process_cache, process);
}

/* Group and session keep the number of a leader that is gone. */
static bool pid_in_use_locked(int pid)
{
    struct process *process;

    TAILQ_FOREACH(process, &process_table, all)
        if (process->pid == pid || process->pgid == pid || process->sid == pid)
            return true;
    return false;
}

static int choose_pid_locked(void)
{
    for (int tries = 0; tries < PID_MAX; tries++) {
        if (++last_pid >= PID_MAX) {
            last_pid = PID_FIRST_AGAIN;
            pids_out_of_order = true;
        }
        if (!pids_out_of_order || !pid_in_use_locked(last_pid))
            return last_pid;
    }
    return -EAGAIN;
}

/* Into the table, which ascends by pid. New numbers are nearly always the highest: look from the end. */
static void insert_locked(struct process *process)
{
    struct process *lower;

    TAILQ_FOREACH_REVERSE(lower, &process_table, process_list, all)
        if (lower->pid < process->pid)
            break;
    if (lower)
        TAILQ_INSERT_AFTER(&process_table, lower, process, all);
    else
        TAILQ_INSERT_HEAD(&process_table, process, all);
    process_figures.count++;
}

/* Into the table with a number: 0, -EAGAIN, -EEXIST. */
static int enter_locked(struct process *process)
{
    int pid = process->pid;

    if (!pid)
        pid = choose_pid_locked();
    else if (pid_in_use_locked(pid))
        pid = -EEXIST;
    if (pid < 0)
        return pid;
    process->pid = pid;
    insert_locked(process);
    pids_out_of_order |= pid > last_pid;
    process_figures.last_pid = pid;
    return 0;
}

int process_enter(struct process *process, struct process *parent)
{
    bool irq = spin_lock_irq(&process_lock);
    int error = enter_locked(process), alone = process->is_kernel ? 0 : process->pid;

    if (!error) {
        process->pgid = parent ? current()->leader->pgid : alone;
        process->sid = parent ? current()->leader->sid : alone;
        process->parent = parent;
        process->parent_thread = parent == current()->leader ? current() : parent;
        if (parent)
            TAILQ_INSERT_TAIL(&parent->children, process, sibling);
    }
    spin_unlock_irq(&process_lock, irq);
    return error;
}

int process_enter_thread(struct process *thread, struct process *leader)
{
    bool irq = spin_lock_irq(&process_lock);
    int error = leader->is_ending || leader->exec_thread ? -EAGAIN : enter_locked(thread);

    if (!error) {
        thread->leader = leader;
        leader->had_threads = true;
        LIST_INSERT_HEAD(&leader->threads, thread, thread_link);
        if (leader->stop_signal)
            job_stop_thread_locked(thread);
    }
    spin_unlock_irq(&process_lock, irq);
    return error;
}

void process_leave_locked(struct process *process)
{
    ASSERT(spin_is_held(&process_lock));
    ASSERT(TAILQ_EMPTY(&process->children));
    pidfd_forget_locked(process);
    TAILQ_REMOVE(&process_table, process, all);
    if (!process_is_leader(process))
        LIST_REMOVE(process, thread_link);
    if (process->parent)
        TAILQ_REMOVE(&process->parent->children, process, sibling);
    process_figures.count--;
}
