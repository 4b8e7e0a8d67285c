// SPDX-License-Identifier: MIT
/*
 * proc_process.c: the files of /proc/PID (proc(5)).
 *
 * What belongs to the process is copied under process_lock into a view; its address space is then asked at
 * leisure, for that may sleep. A line or number is there only where it is true; numbers whose place Linux
 * fixes but which have no meaning here are 0.
 */
#include "arch/x86_64/machine.h"
#include "kernel/fs/descriptor.h"
#include "kernel/fs/path.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

/* One process at one moment. */
struct view {
    int pid, ppid, pgid, sid;
    int exit_signal, wait_status;
    char name[PROCESS_NAME_SIZE];
    char letter;
    bool is_zombie;
    unsigned umask, descriptors;
    uint64_t start_time, resident_limit;
    signal_mask pending, blocked, ignored, caught;
    struct process_usage own, children;
    struct aspace *aspace;     /* one reference, or NULL */
    struct aspace_usage usage; /* all 0 without an aspace */
};

static void view_signals(struct view *view, const struct signals *signals)
{
    if (!signals)
        return;
    view->pending = signals->pending;
    view->blocked = signals->blocked;
    for (int number = 1; number <= SIGNAL_COUNT; number++) {
        uint64_t handler = signals->actions[number - 1].handler;
        if (handler == SIGNAL_IGNORE)
            view->ignored |= signal_bit(number);
        else if (handler != SIGNAL_DEFAULT)
            view->caught |= signal_bit(number);
    }
}

static void view_copy(struct view *view, const struct process *process)
{
    *view = (struct view){
        .pid = process->pid,
        .ppid = process->parent ? process->parent->pid : 0,
        .pgid = process->pgid,
        .sid = process->sid,
        .exit_signal = process->exit_signal,
        .wait_status = process->wait_status,
        .letter = process_state_letter(process),
        .is_zombie = process->state == PROCESS_ZOMBIE,
        .umask = process->umask,
        .descriptors = process->files ? files_capacity(process->files) : 0,
        .start_time = process->start_time,
        .resident_limit = process->limits[RLIMIT_RSS].rlim_cur,
        .own = process->usage,
        .children = process->child_usage,
        .aspace = process->aspace ? aspace_get(process->aspace) : NULL,
    };
    string_copy(view->name, process->name, sizeof view->name);
    view_signals(view, process->signals);
}

/* 0, to be followed by view_release(), or -ESRCH. */
static int view_take(struct view *view, const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    if (process)
        view_copy(view, process);
    spin_unlock_irq(&process_lock, irq);
    if (!process)
        return -ESRCH;
    if (view->aspace)
        aspace_usage(view->aspace, &view->usage);
    return 0;
}

static void view_release(struct view *view)
{
    if (view->aspace)
        aspace_put(view->aspace);
}

static uint64_t usage_resident(const struct aspace_usage *usage)
{
    uint64_t pages = 0;
    for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
        pages += usage->resident[kind];
    return pages;
}

/* ---- stat and statm ---- */

/* Fields 3 to 25 of proc(5). The terminal is ttyS0, device 4:64. */
static void stat_counts(struct text *text, const struct view *view)
{
    bool has_tty = tty_session() && tty_session() == view->sid;
    text_printf(text, " %c %d %d %d %u %d 0", view->letter, view->ppid, view->pgid, view->sid,
                has_tty ? device_encode(4, 64) : 0, has_tty ? tty_foreground() : -1);
    text_printf(text, " %lu %lu %lu %lu", fault_minor(&view->own.faults), fault_minor(&view->children.faults),
                fault_major(&view->own.faults), fault_major(&view->children.faults));
    text_printf(text, " %lu %lu %lu %lu", view->own.user_ticks, view->own.system_ticks,
                view->children.user_ticks, view->children.system_ticks);
    text_printf(text, " 20 0 1 0 %lu", view->start_time / (1000000000 / TIMER_HZ));
    text_printf(text, " %lu %lu %lu", view->usage.total << PAGE_SHIFT, usage_resident(&view->usage),
                view->resident_limit);
}

static int stat_show(struct text *text, const struct proc_id *id)
{
    static const struct aspace no_aspace;
    struct view view;
    int error = view_take(&view, id);
    if (error)
        return error;
    const struct aspace *aspace = view.aspace ? view.aspace : &no_aspace;
    text_printf(text, "%d (", view.pid);
    text_string(text, view.name);
    text_string(text, ")");
    stat_counts(text, &view);
    text_printf(text, " %lu %lu %lu 0 0", aspace->code_start, aspace->code_end, aspace->stack_start);
    text_printf(text, " %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0", view.pending, view.blocked, view.ignored,
                view.caught, view.exit_signal);
    text_printf(text, " %lu %lu %lu %lu %lu %lu %lu %d\n", aspace->data_start, aspace->data_end,
                aspace->brk_start, aspace->arg_start, aspace->arg_end, aspace->env_start, aspace->env_end,
                view.is_zombie ? view.wait_status : 0);
    view_release(&view);
    return 0;
}

static int statm_show(struct text *text, const struct proc_id *id)
{
    struct view view;
    int error = view_take(&view, id);
    if (error)
        return error;
    const struct aspace_usage *usage = &view.usage;
    text_printf(text, "%lu %lu %lu %lu 0 %lu 0\n", usage->total, usage_resident(usage),
                usage->resident[RESIDENT_FILE] + usage->resident[RESIDENT_SHM], usage->text,
                usage->data + usage->stack);
    view_release(&view);
    return 0;
}

/* ---- status ---- */

static const char *state_word(char letter)
{
    switch (letter) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'D':
        return "disk sleep";
    case 'Z':
        return "zombie";
    default:
        return "dead";
    }
}

static void status_identity(struct text *text, const struct view *view)
{
    text_printf(text, "Name:\t%s\n", view->name);
    if (!view->is_zombie)
        text_printf(text, "Umask:\t%04o\n", view->umask);
    text_printf(text, "State:\t%c (%s)\n", view->letter, state_word(view->letter));
    text_printf(text, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", view->pid, view->pid, view->ppid);
    text_string(text, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
    text_printf(text, "FDSize:\t%u\nGroups:\t \n", view->descriptors);
}

static void status_pages(struct text *text, const char *label, uint64_t pages)
{
    text_printf(text, "%s:\t%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

static void status_memory(struct text *text, const struct aspace_usage *usage)
{
    status_pages(text, "VmPeak", usage->peak_total);
    status_pages(text, "VmSize", usage->total);
    status_pages(text, "VmHWM", usage->peak_resident);
    status_pages(text, "VmRSS", usage_resident(usage));
    status_pages(text, "RssAnon", usage->resident[RESIDENT_ANON]);
    status_pages(text, "RssFile", usage->resident[RESIDENT_FILE]);
    status_pages(text, "RssShmem", usage->resident[RESIDENT_SHM]);
    status_pages(text, "VmData", usage->data);
    status_pages(text, "VmStk", usage->stack);
    status_pages(text, "VmExe", usage->text);
    status_pages(text, "VmPTE", usage->tables - 1); /* Linux does not count the root */
}

static int status_show(struct text *text, const struct proc_id *id)
{
    struct view view;
    int error = view_take(&view, id);
    if (error)
        return error;
    status_identity(text, &view);
    if (view.aspace)
        status_memory(text, &view.usage);
    text_printf(text, "Threads:\t1\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n", 0ul, view.pending);
    text_printf(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", view.blocked, view.ignored,
                view.caught);
    text_printf(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                view.own.voluntary_switches, view.own.involuntary_switches);
    view_release(&view);
    return 0;
}

static int comm_show(struct text *text, const struct proc_id *id)
{
    struct view view;
    int error = view_take(&view, id);
    if (error)
        return error;
    text_printf(text, "%s\n", view.name);
    view_release(&view);
    return 0;
}

/* ---- strings on the process's own stack ---- */

/* The bytes [start, end) of its memory; as far as they can be read. */
static int memory_show(struct text *text, struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    char *page = kmalloc(PAGE_SIZE);
    if (!page)
        return -ENOMEM;
    while (start < end) {
        size_t n = MIN(end - start, PAGE_SIZE - page_offset(start));
        if (aspace_read(aspace, start, page, n))
            break;
        text_write(text, page, n);
        start += n;
    }
    kfree(page);
    return 0;
}

static int cmdline_show(struct text *text, const struct proc_id *id)
{
    struct aspace *aspace;
    int error = proc_aspace(id, &aspace);
    if (error || !aspace)
        return error;
    error = memory_show(text, aspace, aspace->arg_start, aspace->arg_end);
    aspace_put(aspace);
    return error;
}

static int environ_show(struct text *text, const struct proc_id *id)
{
    struct aspace *aspace;
    int error = proc_aspace(id, &aspace);
    if (error || !aspace)
        return error;
    error = memory_show(text, aspace, aspace->env_start, aspace->env_end);
    aspace_put(aspace);
    return error;
}

/* ---- links ---- */

enum process_link { LINK_CWD, LINK_EXE };

/* The inode that a process holds, with a reference; NULL: it holds none, or is gone. */
static struct inode *link_target(const struct inode *inode, enum process_link which)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(proc_id_of(inode));
    struct inode *target = !process ? NULL : which == LINK_EXE ? process->exe : process->cwd;
    if (target)
        inode_get(target);
    spin_unlock_irq(&process_lock, irq);
    return target;
}

static ssize_type link_text(const struct inode *inode, enum process_link which, char *text, size_t size)
{
    struct inode *target = link_target(inode, which);
    if (!target)
        return -ENOENT;
    ssize_type length = path_of(target, text, size);
    inode_put(target);
    return length;
}

static ssize_type exe_readlink(struct inode *inode, char *target, size_t size)
{
    return link_text(inode, LINK_EXE, target, size);
}

static ssize_type cwd_readlink(struct inode *inode, char *target, size_t size)
{
    return link_text(inode, LINK_CWD, target, size);
}

static ssize_type root_readlink(struct inode *inode, char *target, size_t size)
{
    (void)inode;
    return string_copy(target, "/", size) < size ? 1 : -ENAMETOOLONG;
}

static struct inode *exe_follow(struct inode *inode) { return link_target(inode, LINK_EXE); }
static struct inode *cwd_follow(struct inode *inode) { return link_target(inode, LINK_CWD); }

static const struct inode_ops exe_ops = {
    .readlink = exe_readlink,
    .follow = exe_follow,
    .destroy = proc_destroy,
};

static const struct inode_ops cwd_ops = {
    .readlink = cwd_readlink,
    .follow = cwd_follow,
    .destroy = proc_destroy,
};

static const struct inode_ops root_ops = { .readlink = root_readlink, .destroy = proc_destroy };

const struct proc_entry proc_process_entries[] = {
    { "cmdline", S_IFREG | 0444, cmdline_show, NULL },
    { "comm", S_IFREG | 0444, comm_show, NULL },
    { "cwd", S_IFLNK | 0777, NULL, &cwd_ops },
    { "environ", S_IFREG | 0400, environ_show, NULL },
    { "exe", S_IFLNK | 0777, NULL, &exe_ops },
    { "maps", S_IFREG | 0444, proc_maps_show, NULL },
    { "pagemap", S_IFREG | 0400, NULL, &proc_pagemap_ops },
    { "root", S_IFLNK | 0777, NULL, &root_ops },
    { "smaps", S_IFREG | 0444, proc_smaps_show, NULL },
    { "stat", S_IFREG | 0444, stat_show, NULL },
    { "statm", S_IFREG | 0444, statm_show, NULL },
    { "status", S_IFREG | 0444, status_show, NULL },
    { NULL, 0, NULL, NULL },
};
