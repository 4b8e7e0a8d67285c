/*
 * Two lines in the log, in Linux's words, which tools read. Figures from aspace_usage(), in KiB (KB_PER_PAGE);
 * pgtables without the root.
 *
 * oom_report_kill(), by log_err(), one line (shown here as two):
 *     Out of memory: Killed process 12 (name) total-vm:4096kB, anon-rss:100kB, file-rss:40kB, shmem-rss:0kB,
 *     UID:0 pgtables:28kB oom_score_adj:0
 * With `by_asking` it begins with `Out of memory (oom_kill_allocating_task): Killed process`. Before it, by log_warn()
 * and only if report_in_full, one line again:
 *     oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,
 *     task=name,pid=12,uid=0      (no space after the commas)
 *
 * oom_report_reaped(), by log_info(), what is left after the reaper:
 *     oom_reaper: reaped process 12 (name), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
 */
void oom_report_kill(const struct oom_candidate *chosen, bool by_asking)
{
    (void)chosen, (void)by_asking;
    lab_missing("oom", "oom_report_kill");
}

void oom_report_reaped(const struct oom_candidate *victim)
{
    (void)victim;
    lab_missing("oom", "oom_report_reaped");
}
