// SPDX-License-Identifier: MIT
/*
 * proc_status.c: /proc/PID/status: a process in words (proc(5)).
 *
 * A line is there where its figure is true; what is not built (namespaces, capabilities, huge pages, seccomp)
 * has none.
 */
#include <linux/mman.h>

#include "kernel/fs/proc_view.h"
#include "mm/aspace.h"

static const char *state_word(char letter)
{
    switch (letter) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'D':
        return "disk sleep";
    case 'T':
        return "stopped";
    case 'Z':
        return "zombie";
    default:
        return "dead";
    }
}

/* A name may hold anything: a newline and a backslash are escaped, so that a line stays a line. */
static void status_name(struct text *text, const char *name)
{
    text_string(text, "Name:\t");
    for (; *name; name++) {
        if (*name == '\n')
            text_string(text, "\\n");
        else if (*name == '\\')
            text_string(text, "\\\\");
        else
            text_write(text, name, 1);
    }
    text_string(text, "\n");
}

static void status_ids(struct text *text, const char *label, const struct identity *identity)
{
    text_printf(text, "%s:\t%u\t%u\t%u\t%u\n", label, identity->real, identity->effective, identity->saved,
                identity->filesystem);
}

static void status_identity(struct text *text, const struct proc_view *view)
{
    status_name(text, view->name);
    if (!view->is_zombie)
        text_printf(text, "Umask:\t%04o\n", view->umask);
    text_printf(text, "State:\t%c (%s)\n", view->letter, state_word(view->letter));
    text_printf(text, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", view->tgid, view->pid, view->ppid);
    status_ids(text, "Uid", &view->credentials.user);
    status_ids(text, "Gid", &view->credentials.group);
    text_printf(text, "FDSize:\t%u\nGroups:\t", view->descriptors);
    const struct group_list *groups = view->credentials.groups;
    for (unsigned i = 0; groups && i < groups->count; i++)
        text_printf(text, i ? " %u" : "%u", groups->ids[i]);
    text_string(text, " \n");
}

static void status_pages(struct text *text, const char *label, uint64_t pages)
{
    text_printf(text, "%s:\t%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

/* Executable and not writable (VmLib is what of that is not the program's own). */
static int count_executable(struct aspace *aspace, struct vma *vma, void *pages)
{
    (void)aspace;
    if (vma->prot & PROT_EXEC && !(vma->prot & PROT_WRITE) && !(vma->flags & VMA_GROWSDOWN))
        *(uint64_t *)pages += vma_pages(vma);
    return 0;
}

static uint64_t library_pages(const struct proc_view *view)
{
    uint64_t pages = 0;
    (void)aspace_visit(view->aspace, count_executable, &pages);
    return pages - MIN(pages, view->usage.text);
}

static void status_memory(struct text *text, const struct proc_view *view)
{
    const struct aspace_usage *usage = &view->usage;
    status_pages(text, "VmPeak", usage->peak_total);
    status_pages(text, "VmSize", usage->total);
    status_pages(text, "VmLck", usage->locked);
    status_pages(text, "VmPin", 0);
    status_pages(text, "VmHWM", usage->peak_resident);
    status_pages(text, "VmRSS", proc_view_resident(view));
    status_pages(text, "RssAnon", usage->resident[RESIDENT_ANON]);
    status_pages(text, "RssFile", usage->resident[RESIDENT_FILE]);
    status_pages(text, "RssShmem", usage->resident[RESIDENT_SHM]);
    status_pages(text, "VmData", usage->data);
    status_pages(text, "VmStk", usage->stack);
    status_pages(text, "VmExe", usage->text);
    status_pages(text, "VmLib", library_pages(view));
    status_pages(text, "VmPTE", usage->tables - 1); /* Linux does not count the root */
    status_pages(text, "VmSwap", 0);
}

static void status_signals(struct text *text, const struct proc_view *view)
{
    text_printf(text, "SigQ:\t%u/%lu\n", view->queued, view->queue_limit);
    text_printf(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", view->pending, view->shared);
    text_printf(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", view->blocked, view->ignored,
                view->caught);
}

int proc_status_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    status_identity(text, &view);
    if (view.aspace)
        status_memory(text, &view);
    text_printf(text, "Threads:\t%u\n", view.threads);
    status_signals(text, &view);
    text_printf(text, "NoNewPrivs:\t%d\n", view.has_no_new_privileges);
    text_string(text, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    text_printf(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                view.thread.voluntary_switches, view.thread.involuntary_switches);
    proc_view_release(&view);
    return 0;
}
