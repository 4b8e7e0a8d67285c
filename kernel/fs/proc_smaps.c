// SPDX-License-Identifier: MIT
/*
 * proc_smaps.c: /proc/PID/smaps and smaps_rollup: what the pages of each mapping are (proc(5)).
 *
 * All mappings are shown under one hold of the address space's mutex, and the mappers of shared pages are
 * counted once for all of them, so that a file is one state. There are no huge pages and there is no swap:
 * those lines say 0.
 */
#include <linux/mman.h>

#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "mm/aspace.h"
#include "mm/mappers.h"

struct smaps {
    struct text *text;
    struct mappers *mappers; /* NULL: to be counted at the first mapping, for then the mutex is held */
    struct vma_usage sum;    /* smaps_rollup */
    uint64_t share_locked;
    vaddr_t start, end;
};

static void line_kib(struct text *text, const char *label, uint64_t kib)
{
    text_printf(text, "%-16s%8lu kB\n", label, kib);
}

static void line_pages(struct text *text, const char *label, uint64_t pages)
{
    line_kib(text, label, pages << (PAGE_SHIFT - 10));
}

static void line_share(struct text *text, const char *label, uint64_t share)
{
    line_kib(text, label, share >> (PSS_SHIFT + 10));
}

static uint64_t usage_share(const struct vma_usage *usage)
{
    return usage->share[RESIDENT_ANON] + usage->share[RESIDENT_FILE] + usage->share[RESIDENT_SHM];
}

static void pages_show(struct text *text, const struct vma_usage *usage, uint64_t share_locked)
{
    static const char *const absent[] = { "AnonHugePages:",  "ShmemPmdMapped:",  "FilePmdMapped:",
                                          "Shared_Hugetlb:", "Private_Hugetlb:", "Swap:", "SwapPss:" };
    line_pages(text, "Shared_Clean:", usage->shared_clean);
    line_pages(text, "Shared_Dirty:", usage->shared_dirty);
    line_pages(text, "Private_Clean:", usage->private_clean);
    line_pages(text, "Private_Dirty:", usage->private_dirty);
    line_pages(text, "Referenced:", usage->referenced);
    line_pages(text, "Anonymous:", usage->anonymous);
    line_pages(text, "LazyFree:", usage->lazy_free);
    for (unsigned i = 0; i < ARRAY_SIZE(absent); i++)
        line_kib(text, absent[i], 0);
    line_share(text, "Locked:", share_locked);
}

/* The two-letter codes of proc(5), each followed by a space. */
static void flags_show(struct text *text, const struct vma *vma)
{
    static const struct {
        unsigned flag;
        const char *code;
    } codes[] = {
        { VMA_GROWSDOWN, "gd " }, { VMA_LOCKED, "lo " },     { VMA_SEQUENTIAL, "sr " },
        { VMA_RANDOM, "rr " },    { VMA_DONTFORK, "dc " },   { VMA_LOCK_ONFAULT, "?? " }, /* as Linux 6.1 shows it */
        { VMA_ACCOUNTED, "ac " },
        { VMA_NORESERVE, "nr " }, { VMA_WIPEONFORK, "wf " }, { VMA_DONTDUMP, "dd " },
    };
    /* As on Linux, a mapping that can never be written is shared in name only. */
    bool is_written = (vma->flags & (VMA_SHARED | VMA_NEVER_WRITE)) == VMA_SHARED;

    text_printf(text, "VmFlags: %s%s%s%smr %s%s%s", vma->prot & PROT_READ ? "rd " : "",
                vma->prot & PROT_WRITE ? "wr " : "", vma->prot & PROT_EXEC ? "ex " : "",
                is_written ? "sh " : "", vma->flags & VMA_NEVER_WRITE ? "" : "mw ",
                vma->flags & VMA_NEVER_EXEC ? "" : "me ",
                vma->flags & VMA_SHARED ? "ms " : "");
    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
        if (vma->flags & codes[i].flag)
            text_string(text, codes[i].code);
    text_string(text, "\n");
}

/* The figures of a mapping. 0 or -ENOMEM. */
static int smaps_count(struct smaps *smaps, struct aspace *aspace, const struct vma *vma,
                       struct vma_usage *usage)
{
    if (!smaps->mappers)
        smaps->mappers = mappers_count();
    if (!smaps->mappers)
        return -ENOMEM;
    vma_usage_locked(aspace, vma, smaps->mappers, usage);
    return 0;
}

static int smaps_visit(struct aspace *aspace, struct vma *vma, void *arg)
{
    struct smaps *smaps = arg;
    struct text *text = smaps->text;
    struct vma_usage usage;
    int error = smaps_count(smaps, aspace, vma, &usage);
    if (error)
        return error;
    proc_maps_line(text, aspace, vma);
    line_pages(text, "Size:", vma_pages(vma));
    line_pages(text, "KernelPageSize:", 1);
    line_pages(text, "MMUPageSize:", 1);
    line_pages(text, "Rss:", usage.resident);
    line_share(text, "Pss:", usage_share(&usage));
    line_share(text, "Pss_Dirty:", usage.share_dirty);
    pages_show(text, &usage, vma->flags & VMA_LOCKED ? usage_share(&usage) : 0);
    text_string(text, "THPeligible:    0\n");
    flags_show(text, vma);
    return 0;
}

static int rollup_visit(struct aspace *aspace, struct vma *vma, void *arg)
{
    struct smaps *smaps = arg;
    struct vma_usage *sum = &smaps->sum, usage;
    int error = smaps_count(smaps, aspace, vma, &usage);
    if (error)
        return error;
    if (!smaps->end)
        smaps->start = vma->start;
    smaps->end = vma->end;
    smaps->share_locked += vma->flags & VMA_LOCKED ? usage_share(&usage) : 0;
    sum->resident += usage.resident;
    sum->anonymous += usage.anonymous;
    sum->referenced += usage.referenced;
    sum->lazy_free += usage.lazy_free;
    sum->shared_clean += usage.shared_clean;
    sum->shared_dirty += usage.shared_dirty;
    sum->private_clean += usage.private_clean;
    sum->private_dirty += usage.private_dirty;
    sum->share_dirty += usage.share_dirty;
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        sum->share[kind] += usage.share[kind];
    return 0;
}

static int smaps_walk(struct smaps *smaps, const struct proc_id *id,
                      int (*visit)(struct aspace *aspace, struct vma *vma, void *arg))
{
    struct aspace *aspace;
    int error = proc_aspace(id, &aspace);
    if (error || !aspace)
        return error;
    error = aspace_visit(aspace, visit, smaps);
    if (smaps->mappers)
        mappers_free(smaps->mappers);
    aspace_put(aspace);
    return error;
}

int proc_smaps_show(struct text *text, const struct proc_id *id)
{
    struct smaps smaps = { .text = text };
    return smaps_walk(&smaps, id, smaps_visit);
}

int proc_smaps_rollup_show(struct text *text, const struct proc_id *id)
{
    struct smaps smaps = { .text = text };
    const struct vma_usage *sum = &smaps.sum;
    int error = smaps_walk(&smaps, id, rollup_visit);
    if (error)
        return error;
    if (!smaps.end)
        return -ESRCH; /* no memory: a zombie, or the kernel's own (as Linux says) */
    text_printf(text, "%08lx-%08lx ---p 00000000 00:00 0 %26s[rollup]\n", smaps.start, smaps.end, "");
    line_pages(text, "Rss:", sum->resident);
    line_share(text, "Pss:", usage_share(sum));
    line_share(text, "Pss_Dirty:", sum->share_dirty);
    line_share(text, "Pss_Anon:", sum->share[RESIDENT_ANON]);
    line_share(text, "Pss_File:", sum->share[RESIDENT_FILE]);
    line_share(text, "Pss_Shmem:", sum->share[RESIDENT_SHM]);
    pages_show(text, sum, smaps.share_locked);
    return 0;
}
