/*
 * Kill `chosen`, whose reference goes along. True: its memory is back, and the current process may try again;
 * false: it was the current process itself.
 *
 * Contract, in this order:
 *   - trace_oom(TRACE_OOM_KILL, chosen->aspace, chosen->pid, chosen->name) and oom_report_kill(): the figures
 *     in the log are those from before; oom_kills counts.
 *   - oom_kill(): every process in that address space gets SIGKILL.
 *   - If it is the current process (whose address space is this_cpu()->aspace), that is all: the reference is
 *     put, and nobody waits. Its fault fails, and it dies on its way out.
 *   - Else the reaper gets the victim, reference included: `victim` changes under oom_lock, and whoever
 *     sleeps on reaper_work is woken. From then on the reference is the reaper's.
 *   - Wait on reaper_done until the reaper is through (reaping_is_over()), uninterruptibly; no lock is held.
 *     wait_until() is in kernel/wait.h.
 *   - sleep_until() for VICTIM_TIME from now: what is not private comes back when the victim ends. A signal
 *     that cuts this short is seen to at the next attempt.
 *
 * What stands here kills, tells nobody, and hopes that the victim soon ends by itself.
 */
static bool victim_kill(struct oom_candidate *chosen)
{
    bool is_self = chosen->aspace == this_cpu()->aspace;

    lab_missing("oom", "victim_kill");
    oom_kill(chosen->aspace);
    candidate_put(chosen);
    if (is_self)
        return false;
    int interrupted = sleep_until(clock_nanoseconds() + VICTIM_TIME);
    (void)interrupted;
    return true;
}
