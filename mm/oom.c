// SPDX-License-Identifier: MIT
/*
 * oom.c: who dies, how, and what the log says about it.
 *
 * The order of events: the killer (a fault in some process) weighs all candidates, tells the log, and kills the
 * heaviest. If that is another process, the reaper takes its private pages at once, whether it can run or not, while the killer
 * waits; then the killer's fault is tried again. There is one killer at a time, and one victim: others who find no
 * memory meanwhile wait for their turn, sleeping until it comes, however many they are.
 *
 * Wording and figures of the log are Linux's, so that what reads Linux's log reads ours.
 *
 * Locks: `victim` changes under oom_lock; no lock is held while weighing, waiting or reaping (but the mutex of the address space looked
 * at).
 */
#include "mm/oom.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/wait.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/oom_report.h"
#include "mm/range.h"
#include "mm/reclaim.h"
#include "mm/trace.h"

#define SCORE_ADJ_NEVER (-1000)
#define VICTIM_TIME 1000000ul /* nanoseconds; waiting takes at least until the next tick */

struct oom_policy oom_policy = { .oom_dump_tasks = 1 };
uint64_t oom_kills;

static struct spinlock oom_lock = SPINLOCK_INIT;
static struct oom_candidate victim; /* whom the reaper works on; aspace NULL: no one */
static bool turn_is_taken; /* changes without sleeping in between, so there is no lock */
static struct wait_queue turns = WAIT_QUEUE_INIT(turns);
static struct wait_queue reaper_work = WAIT_QUEUE_INIT(reaper_work), reaper_done = WAIT_QUEUE_INIT(reaper_done);

/* ---- the weight ---- */

/* lab oom: begin */
/* Pages that its end would give back, and what its owner thinks of that, in thousandths of RAM. */
static int64_t oom_points(const struct aspace_usage *usage, int oom_score_adj)
{
    int64_t total = (int64_t)frame_total_count(), resident = 0;

    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        resident += (int64_t)usage->resident[kind];
    return resident + (int64_t)usage->tables - 1 + oom_score_adj * (total / 1000); /* Linux does not count the root */
}

unsigned oom_score(struct aspace *aspace, int oom_score_adj)
{
    struct aspace_usage usage;

    if (oom_score_adj == SCORE_ADJ_NEVER)
        return 0;
    aspace_usage(aspace, &usage);
    int64_t points = oom_points(&usage, oom_score_adj), total = (int64_t)frame_total_count();
    int64_t score = (1000 + points * 1000 / total) * 2 / 3;
    return score > 0 ? (unsigned)score : 0;
}
/* lab oom: instead weight.c */

static void candidate_put(struct oom_candidate *candidate)
{
    if (candidate->aspace)
        aspace_put(candidate->aspace);
    candidate->aspace = NULL;
}

#define CANDIDATES_AT_ONCE 32

void oom_visit_candidates(void (*visit)(struct oom_candidate *candidate, void *arg), void *arg)
{
    struct oom_candidate candidates[CANDIDATES_AT_ONCE];
    unsigned count;
    int pid = 0;

    do {
        count = oom_candidates_after(pid, candidates, CANDIDATES_AT_ONCE);
        for (unsigned i = 0; i < count; i++) {
            pid = candidates[i].pid;
            visit(&candidates[i], arg);
            candidate_put(&candidates[i]);
        }
    } while (count == CANDIDATES_AT_ONCE);
}

struct election {
    struct oom_candidate chosen;
    int64_t most; /* its points */
};

/* lab oom: begin */
/* Of equals the youngest wins. */
static void candidate_weigh(struct oom_candidate *candidate, void *arg)
{
    struct election *election = arg;
    struct aspace_usage usage;

    if (candidate->oom_score_adj == SCORE_ADJ_NEVER || candidate->is_victim)
        return;
    aspace_usage(candidate->aspace, &usage);
    int64_t points = oom_points(&usage, candidate->oom_score_adj);
    if (points < election->most)
        return;
    candidate_put(&election->chosen);
    election->chosen = *candidate;
    election->most = points;
    candidate->aspace = NULL; /* the reference has gone along */
}
/* lab oom: instead candidate_weigh.c */

/* The heaviest process, with a reference to its address space; aspace NULL: none may be killed. */
static struct oom_candidate victim_select(void)
{
    struct election election = { .most = INT64_MIN };

    oom_visit_candidates(candidate_weigh, &election);
    return election.chosen;
}

/* ---- the kill ---- */

static bool reaping_is_over(void *arg)
{
    (void)arg;
    return !READ_ONCE(victim.aspace);
}

/* lab oom: begin */
/* Wait until the reaper has done with the victim. */
static void reaping_await(void)
{
    int error = wait_until(&reaper_done, reaping_is_over, NULL, WAIT_UNINTERRUPTIBLE, 0);
    BUG_ON(error, "uninterruptible wait gave %d", error);
}

/* Hand the victim, reference included, to the reaper. */
static void reaper_start(const struct oom_candidate *chosen)
{
    spin_lock(&oom_lock);
    victim = *chosen;
    spin_unlock(&oom_lock);
    wake_all(&reaper_work);
}

/* Kill `chosen` (its reference goes along). True: its memory is back; false: it was the current process. */
static bool victim_kill(struct oom_candidate *chosen)
{
    bool is_self = chosen->aspace == this_cpu()->aspace;

    trace_oom(TRACE_OOM_KILL, chosen->aspace, chosen->pid, chosen->name);
    oom_report_kill(chosen, oom_policy.oom_kill_allocating_task);
    oom_kills++;
    oom_kill(chosen->aspace);
    if (is_self) {
        candidate_put(chosen);
        return false;
    }
    reaper_start(chosen);
    reaping_await();
    /* What is not private comes back when it ends. A signal that cuts the wait short is seen to at the next attempt. */
    int interrupted = sleep_until(clock_nanoseconds() + VICTIM_TIME);
    (void)interrupted;
    return true;
}
/* lab oom: instead victim_kill.c */

/* lab oom: begin */
/* The allocating process if the policy says so and it may be killed, else the heaviest. */
static struct oom_candidate victim_choose(const struct oom_candidate *asking)
{
    bool asking_may_die = asking->pid != INIT_PID && asking->oom_score_adj != SCORE_ADJ_NEVER;

    if (!oom_policy.oom_kill_allocating_task || !asking_may_die)
        return victim_select();
    struct oom_candidate self = *asking;
    aspace_get(self.aspace);
    return self;
}
/* lab oom: instead victim_choose.c */

static bool turn_is_mine(void *arg)
{
    (void)arg;
    if (turn_is_taken || !wait_is_first(&turns))
        return false;
    turn_is_taken = true;
    return true;
}

enum oom_turn oom_turn_begin(void)
{
    if (oom_current_is_dying())
        return OOM_TURN_REFUSED;
    if (!turn_is_taken && !wait_is_wanted(&turns)) {
        turn_is_taken = true;
        return OOM_TURN_AT_ONCE;
    }
    if (!wait_until(&turns, turn_is_mine, NULL, WAIT_KILLABLE, 0))
        return OOM_TURN_AFTER_OTHERS;
    wake_first(&turns); /* it may have been our turn */
    return OOM_TURN_REFUSED;
}

void oom_turn_end(void)
{
    turn_is_taken = false;
    wake_first(&turns);
}

bool oom_make_room(void)
{
    struct oom_candidate asking;

    if (oom_current_is_dying())
        return false;
    if (reclaim_lazy_free())
        return true;
    if (!oom_candidate_current(&asking)) /* a self-test, in an address space of no process */
        return false;
    trace_oom(TRACE_OOM_INVOKED, asking.aspace, asking.pid, asking.name);
    oom_report_begin(&asking);
    if (oom_policy.panic_on_oom)
        panic("Out of memory: system-wide panic_on_oom is enabled");
    struct oom_candidate chosen = victim_choose(&asking);
    candidate_put(&asking);
    if (!chosen.aspace) {
        log_warn("Out of memory and no killable processes...");
        panic("System is deadlocked on memory");
    }
    return victim_kill(&chosen);
}

bool oom_may_use_reserve(void) { return oom_current_is_victim(); }

/* ---- the reaper ---- */

/* What was there may be gone: a fresh page would be a lie. */
static enum fault_kind reaped_fault(struct fault_page *page)
{
    (void)page;
    return FAULT_OOM;
}

const struct vma_ops reaped_ops = { .name = "reaped", .fault = reaped_fault };

/* lab oom: begin */
/* Take the pages that only the victim sees; its promises stay until it ends, but are not kept any more. */
static void aspace_reap(struct aspace *aspace)
{
    struct vma *vma;

    mutex_lock(&aspace->lock);
    TAILQ_FOREACH(vma, &aspace->vmas.list, link) {
        if (vma->flags & VMA_SHARED)
            continue;
        vma->ops = &reaped_ops;
        if (!pagetable_prepare_release(&aspace->tree, vma->start, vma->end))
            range_release_pages(aspace, vma->start, vma->end);
    }
    mutex_unlock(&aspace->lock);
}
/* lab oom: instead aspace_reap.c */

static bool reaper_has_work(void *arg) { return !reaping_is_over(arg); }

void oom_reaper(void *arg)
{
    for (;;) {
        /* Interruptible, so that it is no load; no signal reaches a kernel thread. */
        int error = wait_until(&reaper_work, reaper_has_work, arg, WAIT_INTERRUPTIBLE, 0);
        BUG_ON(error, "a kernel thread's wait gave %d", error);
        aspace_reap(victim.aspace);
        trace_oom(TRACE_OOM_REAPED, victim.aspace, victim.pid, victim.name);
        oom_report_reaped(&victim);
        aspace_put(victim.aspace);
        spin_lock(&oom_lock);
        victim.aspace = NULL;
        spin_unlock(&oom_lock);
        wake_all(&reaper_done);
    }
}
