/*
 * What would the end of a process give back, and what does its owner think of that?
 *
 * oom_points(): the pages it has (usage->resident[], of every kind), its page tables (usage->tables, but for
 * the root: Linux does not count that one), and `oom_score_adj` thousandths of RAM: that is oom_score_adj
 * times (frame_total_count() / 1000), divided first. It may be below 0.
 *
 * oom_score(), /proc/PID/oom_score: two thirds of (1000 + points * 1000 / RAM), all in whole numbers, divided
 * in this order; never below 0. For a process that may not be killed (SCORE_ADJ_NEVER) it is 0.
 * aspace_usage() tells the usage; it takes the address space's mutex.
 *
 * What stands here finds all alike.
 */
static int64_t oom_points(const struct aspace_usage *usage, int oom_score_adj)
{
    (void)usage, (void)oom_score_adj;
    lab_missing("oom", "oom_points");
    return 0;
}

unsigned oom_score(struct aspace *aspace, int oom_score_adj)
{
    struct aspace_usage usage;

    aspace_usage(aspace, &usage);
    lab_missing("oom", "oom_score");
    return (unsigned)oom_points(&usage, oom_score_adj);
}
