// SPDX-License-Identifier: MIT
/*
 * oom_report.c: the autopsy, in Linux's words (its mm/oom_kill.c and show_mem print these lines), so that what reads
 * Linux's log reads this one. There is one zone, named Normal, with one watermark (min, low and high are the same);
 * pages have no age (all count as active), and there is no swap: such figures are 0 because they are. What nobody
 * can tell at such a moment (how much is locked) is left out.
 */
#include "mm/oom_report.h"

#include "arch/x86_64/machine.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/lib/version.h"
#include "mm/aspace.h"
#include "mm/census.h"
#include "mm/frame.h"
#include "mm/oom.h"

#define KB_PER_PAGE (PAGE_SIZE >> 10)

/* Linux's name for what a fault wants: a zeroed page for user memory. */
#define USER_PAGE_REQUEST "gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0"

static uint64_t resident_sum(const struct aspace_usage *usage)
{
    return usage->resident[RESIDENT_ANON] + usage->resident[RESIDENT_FILE] + usage->resident[RESIDENT_SHM];
}

/* The buddy lists: "1*4kB 0*8kB … = 2540kB". */
static void report_buddy(const struct frame_figures *figures)
{
    char line[256];
    int length = 0;

    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        length += snprintf(line + length, sizeof(line) - (size_t)length, "%lu*%lukB ", figures->free_blocks[order],
                           KB_PER_PAGE << order);
    log_warn("Node 0 Normal: %s= %lukB", line, figures->free * KB_PER_PAGE);
}

/* The same in kB, for the one node and for its one zone. */
static void report_node(const struct frame_figures *figures, uint64_t mapped)
{
    const uint64_t *kind = figures->by_kind;
    uint64_t free = figures->free * KB_PER_PAGE, watermark = frame_reserve() * KB_PER_PAGE;
    uint64_t anon = kind[FRAME_ANON] * KB_PER_PAGE, file = kind[FRAME_FILE] * KB_PER_PAGE;

    log_warn("Node 0 active_anon:%lukB inactive_anon:0kB active_file:%lukB inactive_file:0kB unevictable:0kB "
             "isolated(anon):0kB isolated(file):0kB mapped:%lukB dirty:0kB writeback:0kB shmem:%lukB "
             "writeback_tmp:0kB kernel_stack:%lukB pagetables:%lukB sec_pagetables:0kB all_unreclaimable? yes",
             anon, file, mapped * KB_PER_PAGE, kind[FRAME_SHM] * KB_PER_PAGE,
             kind[FRAME_STACK] * KB_PER_PAGE, kind[FRAME_TABLE] * KB_PER_PAGE);
    log_warn("Node 0 Normal free:%lukB boost:0kB min:%lukB low:%lukB high:%lukB reserved_highatomic:0KB "
             "active_anon:%lukB inactive_anon:0kB active_file:%lukB inactive_file:0kB unevictable:0kB "
             "writepending:0kB present:%lukB managed:%lukB bounce:0kB free_pcp:0kB local_pcp:0kB "
             "free_cma:0kB",
             free, watermark, watermark, watermark, anon, file, frame_count * KB_PER_PAGE,
             figures->total * KB_PER_PAGE);
    log_warn("lowmem_reserve[]: 0 0");
}

static void report_memory(void)
{
    struct frame_figures figures;

    frame_figures(&figures);
    const uint64_t *kind = figures.by_kind;
    uint64_t cached = kind[FRAME_FILE] + kind[FRAME_SHM], mapped = frames_mapped(cached);
    log_warn("Mem-Info:");
    log_warn("active_anon:%lu inactive_anon:0 isolated_anon:0", kind[FRAME_ANON]);
    log_warn(" active_file:%lu inactive_file:0 isolated_file:0", kind[FRAME_FILE]);
    log_warn(" unevictable:0 dirty:0 writeback:0");
    log_warn(" slab_reclaimable:0 slab_unreclaimable:%lu", kind[FRAME_SLAB]);
    log_warn(" mapped:%lu shmem:%lu pagetables:%lu", mapped, kind[FRAME_SHM], kind[FRAME_TABLE]);
    log_warn(" sec_pagetables:0 bounce:0");
    log_warn(" kernel_misc_reclaimable:0");
    log_warn(" free:%lu free_pcp:0 free_cma:0", figures.free);
    report_node(&figures, mapped);
    report_buddy(&figures);
    log_warn("Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB");
    log_warn("%lu total pagecache pages", cached);
    log_warn("0 pages in swap cache");
    log_warn("Free swap  = 0kB");
    log_warn("Total swap = 0kB");
    log_warn("%lu pages RAM", frame_count);
    log_warn("0 pages HighMem/MovableOnly");
    log_warn("%lu pages reserved", frame_count - figures.total);
}

static void report_task(struct oom_candidate *candidate, void *arg)
{
    struct aspace_usage usage;

    (void)arg;
    aspace_usage(candidate->aspace, &usage);
    log_warn("[%7d] %5u %5d %8lu %8lu %8lu %8lu         %5d %s", candidate->pid, candidate->uid, candidate->pid,
             usage.total, resident_sum(&usage), (usage.tables - 1) * PAGE_SIZE, 0ul, candidate->oom_score_adj,
             candidate->name);
}

static void report_tasks(void)
{
    log_warn("Tasks state (memory values in pages):");
    log_warn("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name");
    oom_visit_candidates(report_task, NULL);
}

/*
 * Of many kills in a row only REPORT_BURST in each REPORT_WINDOW are told in full, as Linux does it; the others have their
 * kill line alone. One kill at a time, so no lock.
 */
#define REPORT_WINDOW 5000000000ul /* nanoseconds */
#define REPORT_BURST 10

static bool report_in_full;

static bool report_is_due(void)
{
    static uint64_t window_start, told, suppressed;
    uint64_t now = clock_nanoseconds();

    if (!told || now - window_start > REPORT_WINDOW) {
        if (suppressed)
            log_warn("oom_kill_process: %lu callbacks suppressed", suppressed);
        window_start = now;
        told = suppressed = 0;
    }
    if (told == REPORT_BURST && !oom_policy.panic_on_oom) {
        suppressed++;
        return false;
    }
    told += told < REPORT_BURST;
    return true;
}

void oom_report_begin(const struct oom_candidate *asking)
{
    report_in_full = report_is_due();
    if (!report_in_full)
        return;
    log_warn("%s invoked oom-killer: " USER_PAGE_REQUEST ", oom_score_adj=%d", asking->name, asking->oom_score_adj);
    log_warn("CPU: 0 PID: %d Comm: %s Not tainted %s", asking->pid, asking->name, KERNEL_RELEASE " " KERNEL_VERSION);
    report_memory();
    if (oom_policy.oom_dump_tasks)
        report_tasks();
}

/* lab oom: begin */
void oom_report_kill(const struct oom_candidate *chosen, bool by_asking)
{
    struct aspace_usage usage;

    aspace_usage(chosen->aspace, &usage);
    if (report_in_full)
        log_warn("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,"
                 "task=%s,pid=%d,uid=%u",
                 chosen->name, chosen->pid, chosen->uid);
    log_err("Out of memory%s: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, shmem-rss:%lukB, "
            "UID:%u pgtables:%lukB oom_score_adj:%d",
            by_asking ? " (oom_kill_allocating_task)" : "", chosen->pid, chosen->name, usage.total * KB_PER_PAGE,
            usage.resident[RESIDENT_ANON] * KB_PER_PAGE, usage.resident[RESIDENT_FILE] * KB_PER_PAGE,
            usage.resident[RESIDENT_SHM] * KB_PER_PAGE, chosen->uid, (usage.tables - 1) * KB_PER_PAGE,
            chosen->oom_score_adj);
}

void oom_report_reaped(const struct oom_candidate *victim)
{
    struct aspace_usage usage;

    aspace_usage(victim->aspace, &usage);
    log_info("oom_reaper: reaped process %d (%s), now anon-rss:%lukB, file-rss:%lukB, shmem-rss:%lukB", victim->pid,
             victim->name, usage.resident[RESIDENT_ANON] * KB_PER_PAGE, usage.resident[RESIDENT_FILE] * KB_PER_PAGE,
             usage.resident[RESIDENT_SHM] * KB_PER_PAGE);
}
/* lab oom: instead report.c */
