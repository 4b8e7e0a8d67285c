// SPDX-License-Identifier: MIT
/*
 * proc_oom.c: /proc/PID/oom_score, oom_score_adj and oom_adj: how likely the OOM killer takes a process, and
 * what it was told about that (proc(5)).
 *
 * oom_adj is the older scale of the same value: -17 to 15, where -17 means never. A value does not come back
 * as it was written, for it is kept on the newer scale.
 */
#include <linux/oom.h>

#include "kernel/fs/proc_view.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "mm/oom.h"

/* oom_adj from -17 (never) to 15 (first): linux/oom.h has the three words, but not this scale's middle. */
#define ADJUST_STEPS (-OOM_DISABLE)

/* 0 for what the OOM killer never takes: init, kernel threads, what has ended. */
int proc_oom_score_show(struct text *text, const struct proc_id *id)
{
    struct proc_view view;
    int error = proc_view_take(&view, id);
    if (error)
        return error;
    bool is_candidate = view.aspace && view.tgid != INIT_PID;
    text_printf(text, "%u\n", is_candidate ? oom_score(view.aspace, view.oom_score_adj) : 0);
    proc_view_release(&view);
    return 0;
}

/* 0 or -ESRCH. */
static int adjustment_get(const struct proc_id *id, int *adjustment)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    if (process)
        *adjustment = process->leader->oom_score_adj;
    spin_unlock_irq(&process_lock, irq);
    return process ? 0 : -ESRCH;
}

/* Who may not lower below: the lowest value that a privileged process set; by the older file, what it is. */
enum adjustment_scale { SCALE_NEW, SCALE_OLD };

static int adjustment_set_locked(struct process *process, int adjustment, enum adjustment_scale scale)
{
    int lowest = scale == SCALE_OLD ? process->leader->oom_score_adj : process->leader->oom_score_adj_min;
    bool privileged = credentials_are_privileged(&current()->credentials);
    if (adjustment < lowest && !privileged)
        return -EACCES;
    process->leader->oom_score_adj = adjustment;
    if (privileged && scale == SCALE_NEW)
        process->leader->oom_score_adj_min = adjustment;
    return 0;
}

static int adjustment_set(const struct proc_id *id, int adjustment, enum adjustment_scale scale)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = proc_find_locked(id);
    int error = process ? adjustment_set_locked(process, adjustment, scale) : -ESRCH;
    spin_unlock_irq(&process_lock, irq);
    return error;
}

int proc_oom_score_adj_show(struct text *text, const struct proc_id *id)
{
    int adjustment, error = adjustment_get(id, &adjustment);
    if (!error)
        text_printf(text, "%d\n", adjustment);
    return error;
}

int proc_oom_score_adj_write(const char *text, const struct proc_id *id)
{
    int adjustment, error = proc_parse_int(text, &adjustment);
    if (error)
        return error;
    if (adjustment < OOM_SCORE_ADJ_MIN || adjustment > OOM_SCORE_ADJ_MAX)
        return -EINVAL;
    return adjustment_set(id, adjustment, SCALE_NEW);
}

int proc_oom_adj_show(struct text *text, const struct proc_id *id)
{
    int adjustment, error = adjustment_get(id, &adjustment);
    if (error)
        return error;
    bool is_most = adjustment == OOM_SCORE_ADJ_MAX;
    text_printf(text, "%d\n", is_most ? OOM_ADJUST_MAX : adjustment * ADJUST_STEPS / OOM_SCORE_ADJ_MAX);
    return 0;
}

int proc_oom_adj_write(const char *text, const struct proc_id *id)
{
    static bool told;
    int value, error = proc_parse_int(text, &value);
    if (error)
        return error;
    if ((value < OOM_ADJUST_MIN || value > OOM_ADJUST_MAX) && value != OOM_DISABLE)
        return -EINVAL;
    if (!told)
        log_warn("%s (%d): /proc/%d/oom_adj is deprecated, please use /proc/%d/oom_score_adj instead.",
                 current()->name, current()->pid, id->pid, id->pid);
    told = true;
    bool is_most = value == OOM_ADJUST_MAX;
    return adjustment_set(id, is_most ? OOM_SCORE_ADJ_MAX : value * OOM_SCORE_ADJ_MAX / ADJUST_STEPS,
                          SCALE_OLD);
}
