/*
 * The ledger: one counter of pages, `committed`. Contracts stand in commit.h.
 *
 *   - commit_charge(): asks commit_allows(); writes down what is granted. What is refused leaves no trace. A
 *     charge of 0 pages is granted always. More pages than an address space can have (USER_END) are refused
 *     in every mode: the sum must not wrap around.
 *   - commit_refund(): more than what is written down cannot come back: that is a bug (BUG_ON()), and the
 *     sooner it is seen, the better.
 *   - whoever charges has not stopped interrupts, and holds no lock that would keep others out: change the
 *     counter by __atomic_add_fetch() and __atomic_fetch_sub().
 *   - trace_commit(pages, TRACE_GRANTED or TRACE_REFUSED) for each charge, trace_commit(-pages,
 *     TRACE_GRANTED) for each refund.
 *
 * What stands here writes nothing down.
 */
int commit_charge(uint64_t pages, const struct aspace *asker)
{
    lab_missing("commit", "commit_charge");
    return commit_allows(pages, pages, asker) ? 0 : -ENOMEM;
}

void commit_refund(uint64_t pages)
{
    (void)pages;
    lab_missing("commit", "commit_refund");
}

uint64_t commit_total(void)
{
    lab_missing("commit", "commit_total");
    return __atomic_load_n(&committed, __ATOMIC_RELAXED);
}
