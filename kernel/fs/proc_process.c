// SPDX-License-Identifier: MIT
/*
 * proc_process.c: the files of /proc/PID (proc(5)): the table of them, and those that need no source of their
 * own.
 *
 * A line or number is there only where it is true; numbers whose place Linux fixes but which have no meaning
 * here are 0.
 */
#include "arch/x86_64/machine.h"
#include "kernel/fs/descriptor.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/path.h"
#include "kernel/fs/proc_view.h"
#include "kernel/fs/standpoint.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

/* ---- stat and statm ---- */

/* Fields 3 to 25 of proc(5). The terminal is ttyS0, device 4:64. */
static void stat_counts(struct text *text, const struct proc_view *view)
{
    bool has_tty = tty_session() && tty_session() == view->sid;
    text_printf(text, " %c %d %d %d %u %d 0", view->letter, view->ppid, view->pgid, view->sid,
                has_tty ? device_encode(4, 64) : 0, has_tty ? tty_foreground() : -1);
    text_printf(text, " %lu %lu %lu %lu", fault_minor(&view->own.faults), fault_minor(&view->children.faults),
                fault_major(&view->own.faults), fault_major(&view->children.faults));
    text_printf(text, " %lu %lu %lu %lu", view->own.user_ticks, view->own.system_ticks,
                view->children.user_ticks, view->children.system_ticks);
    text_printf(text, " %d %d %u 0 %lu", view->priority ? -1 - view->priority : 20 + view->nice, view->nice,
                view->threads, view->start_time / (1000000000 / TIMER_HZ));
    text_printf(text, " %lu %lu %lu", view->usage.total << PAGE_SHIFT, proc_view_resident(view),
                view->resident_limit);
}

static int stat_show(struct text *text, const struct proc_id *id)
{
    static const struct aspace no_aspace;
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    const struct aspace *aspace = view.aspace ? view.aspace : &no_aspace;
    text_printf(text, "%d (", view.pid);
    text_string(text, view.name);
    text_string(text, ")");
    stat_counts(text, &view);
    text_printf(text, " %lu %lu %lu 0 0", aspace->code_start, aspace->code_end, aspace->stack_start);
    text_printf(text, " %lu %lu %lu %lu 0 0 0 %d 0 %d %d 0 0 0", view.pending | view.shared, view.blocked, view.ignored,
                view.caught, view.exit_signal, view.priority, view.policy);
    text_printf(text, " %lu %lu %lu %lu %lu %lu %lu %d\n", aspace->data_start, aspace->data_end,
                aspace->brk_start, aspace->arg_start, aspace->arg_end, aspace->env_start, aspace->env_end,
                view.is_zombie ? view.wait_status : 0);
    proc_view_release(&view);
    return 0;
}

static int statm_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    const struct aspace_usage *usage = &view.usage;
    text_printf(text, "%lu %lu %lu %lu 0 %lu 0\n", usage->total, proc_view_resident(&view),
                usage->resident[RESIDENT_FILE] + usage->resident[RESIDENT_SHM], usage->text,
                usage->data + usage->stack);
    proc_view_release(&view);
    return 0;
}

/* ---- comm ---- */

static int comm_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    text_printf(text, "%s\n", view.name);
    proc_view_release(&view);
    return 0;
}

/* A process may name its own threads, and nobody else's (proc(5)); more than fits is cut. */
static int comm_write(const char *name, const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *thread = proc_find_locked(id);
    bool is_mine = thread && thread->leader == current()->leader;
    if (is_mine)
        process_set_name(thread, name);
    spin_unlock_irq(&process_lock, irq);
    return is_mine ? 0 : -EINVAL;
}

/* ---- what prctl(2) and personality(2) have set ---- */

static int personality_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    text_printf(text, "%08x\n", view.persona);
    proc_view_release(&view);
    return 0;
}

/* Another process's slack is for the privileged to see and to set (proc(5)). */
static bool slack_is_allowed(const struct proc_id *id)
{
    return id->pid == current()->pid || credentials_are_privileged(&current()->credentials);
}

static int timerslack_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = slack_is_allowed(id) ? proc_view_take(&view, id) : -EPERM;
    if (error)
        return error;
    text_printf(text, "%lu\n", view.timer_slack);
    proc_view_release(&view);
    return 0;
}

static int timerslack_write(const char *value, const struct proc_id *id)
{
    const char *end;
    unsigned long slack = string_to_ulong(value, &end, 10);
    if (end == value || (*end && *end != '\n'))
        return -EINVAL;
    if (!slack_is_allowed(id))
        return -EPERM;
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = proc_find_locked(id);
    if (process)
        process->timer_slack = slack;
    spin_unlock_irq(&process_lock, irq);
    return process ? 0 : -ESRCH;
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

enum stack_part { PART_ARGUMENTS, PART_ENVIRONMENT, PART_AUXV };

static int stack_part_show(struct text *text, const struct proc_id *id, enum stack_part part)
{
    struct aspace *aspace;
    int error = proc_aspace(id, &aspace);
    if (error || !aspace)
        return error;
    const vaddr_t ends[][2] = {
        [PART_ARGUMENTS] = { aspace->arg_start, aspace->arg_end },
        [PART_ENVIRONMENT] = { aspace->env_start, aspace->env_end },
        [PART_AUXV] = { aspace->auxv_start, aspace->auxv_end },
    };
    error = memory_show(text, aspace, ends[part][0], ends[part][1]);
    aspace_put(aspace);
    return error;
}

static int cmdline_show(struct text *text, const struct proc_id *id)
{
    return stack_part_show(text, id, PART_ARGUMENTS);
}

static int environ_show(struct text *text, const struct proc_id *id)
{
    return stack_part_show(text, id, PART_ENVIRONMENT);
}

static int auxv_show(struct text *text, const struct proc_id *id)
{
    return stack_part_show(text, id, PART_AUXV);
}

/* ---- links ---- */

enum process_link { LINK_CWD, LINK_EXE, LINK_ROOT };

static struct inode *link_of_locked(const struct process *process, enum process_link which)
{
    switch (which) {
    case LINK_CWD:
        return process->standpoint ? process->standpoint->cwd : NULL;
    case LINK_EXE:
        return process->exe;
    default:
        if (!process->standpoint)
            return NULL;
        return process->standpoint->root ? process->standpoint->root : fs_root;
    }
}

/* The inode that a process holds, with a reference; NULL with *error set: it holds none, or it is not for us. */
static struct inode *link_target(const struct inode *inode, enum process_link which, int *error)
{
    struct inode *target = NULL;
    *error = proc_check_look(proc_id_of(inode));
    if (*error)
        return NULL;
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(proc_id_of(inode));
    if (process)
        target = link_of_locked(process, which);
    if (target)
        inode_get(target);
    spin_unlock_irq(&process_lock, irq);
    *error = -ENOENT;
    return target;
}

static ssize_type link_text(const struct inode *inode, enum process_link which, char *text, size_t size)
{
    int error;
    struct inode *target = link_target(inode, which, &error);
    if (!target)
        return error;
    ssize_type length = path_text(target, text, size);
    inode_put(target);
    return length;
}

#define PROCESS_LINK(name_, which_)                                                             \
    static ssize_type name_##_readlink(struct inode *inode, char *target, size_t size)          \
    {                                                                                           \
        return link_text(inode, which_, target, size);                                          \
    }                                                                                           \
    static struct inode *name_##_follow(struct inode *inode, int *error)                        \
    {                                                                                           \
        return link_target(inode, which_, error);                                               \
    }                                                                                           \
    static const struct inode_ops name_##_ops = {                                               \
        .readlink = name_##_readlink, .follow = name_##_follow, .destroy = proc_destroy,        \
    }

PROCESS_LINK(cwd, LINK_CWD);
PROCESS_LINK(exe, LINK_EXE);
PROCESS_LINK(root, LINK_ROOT);

const struct proc_entry proc_process_entries[] = {
    PROC_NODE("task", S_IFDIR | 0555, &proc_task_ops), /* first: a thread has all but this */
    PROC_GUARDED("auxv", 0400, auxv_show),
    PROC_TEXT("cmdline", cmdline_show),
    PROC_SETTING("comm", comm_show, comm_write),
    PROC_NODE("cwd", S_IFLNK | 0777, &cwd_ops),
    PROC_GUARDED("environ", 0400, environ_show),
    PROC_NODE("exe", S_IFLNK | 0777, &exe_ops),
    PROC_NODE("fd", S_IFDIR | 0500, &proc_fd_ops),
    PROC_NODE("fdinfo", S_IFDIR | 0555, &proc_fdinfo_ops),
    PROC_TEXT("limits", proc_limits_show),
    PROC_GUARDED("maps", 0444, proc_maps_show),
    PROC_NODE("mem", S_IFREG | 0600, &proc_mem_ops),
    PROC_TEXT("mountinfo", proc_mountinfo_show),
    PROC_TEXT("mounts", proc_mounts_show),
    PROC_SETTING("oom_adj", proc_oom_adj_show, proc_oom_adj_write),
    PROC_TEXT("oom_score", proc_oom_score_show),
    PROC_SETTING("oom_score_adj", proc_oom_score_adj_show, proc_oom_score_adj_write),
    PROC_NODE("pagemap", S_IFREG | 0400, &proc_pagemap_ops),
    PROC_GUARDED("personality", 0400, personality_show),
    PROC_NODE("root", S_IFLNK | 0777, &root_ops),
    PROC_GUARDED("smaps", 0444, proc_smaps_show),
    PROC_GUARDED("smaps_rollup", 0444, proc_smaps_rollup_show),
    PROC_TEXT("stat", stat_show),
    PROC_TEXT("statm", statm_show),
    PROC_TEXT("status", proc_status_show),
    { .name = "timerslack_ns", .mode = S_IFREG | 0666, .show = timerslack_show, .write = timerslack_write },
    PROC_END,
};

const struct proc_entry *const proc_thread_entries = &proc_process_entries[1];
