// SPDX-License-Identifier: MIT
/*
 * oom_candidates.c: what the OOM killer may ask of processes (mm/oom.c): who there is, and to end one.
 *
 * A look at a process takes process_lock for a moment and leaves with a reference to its address space, so that
 * the killer can weigh it at leisure.
 */
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/aspace.h"

/* `process` is a thread that has the address space of its process. */
static void candidate_fill(struct oom_candidate *candidate, struct process *process)
{
    candidate->pid = process->leader->pid;
    candidate->uid = process->credentials.user.real;
    candidate->oom_score_adj = process->leader->oom_score_adj;
    candidate->is_victim = process->oom_victim;
    candidate->aspace = aspace_get(process->aspace);
    string_copy(candidate->name, process->name, sizeof(candidate->name));
}

unsigned oom_candidates_after(int after, struct oom_candidate *candidates, unsigned room)
{
    struct process *process;
    unsigned count = 0;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        struct process *thread;

        if (count == room)
            break;
        if (process->pid <= after || process->pid == INIT_PID || !process_is_leader(process))
            continue;
        thread = process_with_memory_locked(process);
        if (thread)
            candidate_fill(&candidates[count++], thread);
    }
    spin_unlock_irq(&process_lock, irq);
    return count;
}

bool oom_candidate_current(struct oom_candidate *candidate)
{
    struct process *process = current();

    if (process->aspace)
        candidate_fill(candidate, process);
    return process->aspace;
}

void oom_kill(struct aspace *aspace)
{
    struct process *process;
    bool irq = spin_lock_irq(&process_lock);

    TAILQ_FOREACH(process, &process_table, all) {
        if (process->aspace != aspace)
            continue;
        process->oom_victim = true;
        (void)signal_send_locked(process, SIGKILL, &(struct signal_record){ .si_code = SI_KERNEL }, NULL);
    }
    spin_unlock_irq(&process_lock, irq);
}

bool oom_current_is_dying(void)
{
    const struct process *process = current();
    return process->signals && (process->is_exiting || (process->signals->own.mask & signal_bit(SIGKILL)));
}

bool oom_current_is_victim(void) { return current()->oom_victim; }
