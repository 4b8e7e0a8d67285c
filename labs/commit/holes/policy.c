/*
 * The policy: what may be promised. commit.h tells the three modes.
 *
 * commit_limit(), in pages: overcommit_kbytes if that is not 0, else overcommit_ratio percent of RAM
 * (frame_total_count()).
 *
 * commit_allows(): may `total` pages be promised in all, `pages` of them now? `asker` is who asks; NULL:
 * nobody in particular.
 *   - COMMIT_ALWAYS: yes.
 *   - COMMIT_HEURISTIC: the sum does not matter; the one request may not be larger than RAM.
 *   - COMMIT_NEVER: the total, with what the asker must leave for others, stays below commit_limit(). The
 *     limit itself is not reached. Who asks leaves user_reserve_kbytes, but no more than a 32nd of its size
 *     (asker->vmas.pages); who is unprivileged leaves admin_reserve_kbytes as well. Nobody in particular
 *     leaves nothing. The policy's variables are in KiB. No lock; nobody sleeps.
 *
 * What stands here grants everything.
 */
uint64_t commit_limit(void)
{
    lab_missing("commit", "commit_limit");
    return frame_total_count();
}

static bool commit_allows(uint64_t total, uint64_t pages, const struct aspace *asker)
{
    (void)total, (void)pages, (void)asker;
    lab_missing("commit", "commit_allows");
    return true;
}
