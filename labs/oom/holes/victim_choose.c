/*
 * Who is to die? The heaviest (victim_select()); or, if oom_policy.oom_kill_allocating_task says so, the one
 * that asks, whatever its size: unless that may not be killed, being init (INIT_PID) or SCORE_ADJ_NEVER. Then
 * the heaviest after all. Returned with a reference of its own to the address space (aspace_get()): `asking`
 * keeps its.
 */
static struct oom_candidate victim_choose(const struct oom_candidate *asking)
{
    (void)asking;
    if (oom_policy.oom_kill_allocating_task)
        lab_missing("oom", "victim_choose");
    return victim_select();
}
