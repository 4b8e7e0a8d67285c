/*
 * One candidate comes along (oom_visit_candidates() shows them all, in the order of their pids). Is it to be
 * chosen rather than the one that is?
 *
 * Contract: in the end election->chosen is the one with the most points, and election->most its points, which
 * are the least number there is at first. Of equals the youngest is chosen. Who may not be killed
 * (SCORE_ADJ_NEVER), and who has been chosen before and is not gone yet (is_victim), is not considered. A
 * candidate comes with a reference to its address space, which the caller puts: who keeps the candidate keeps
 * its reference, and leaves candidate->aspace NULL. Who is no longer chosen is put (candidate_put()).
 *
 * What stands here takes the first that comes, whatever its owner says.
 */
static void candidate_weigh(struct oom_candidate *candidate, void *arg)
{
    struct election *election = arg;

    lab_missing("oom", "candidate_weigh");
    if (candidate->is_victim || election->chosen.aspace)
        return;
    election->chosen = *candidate;
    candidate->aspace = NULL;
}
