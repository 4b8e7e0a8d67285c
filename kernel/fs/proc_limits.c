// SPDX-License-Identifier: MIT
/*
 * proc_limits.c: /proc/PID/limits: the resource limits of a process (getrlimit(2)).
 */
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

static const struct {
    const char *name, *unit;
} limit_words[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = { "Max cpu time", "seconds" },
    [RLIMIT_FSIZE] = { "Max file size", "bytes" },
    [RLIMIT_DATA] = { "Max data size", "bytes" },
    [RLIMIT_STACK] = { "Max stack size", "bytes" },
    [RLIMIT_CORE] = { "Max core file size", "bytes" },
    [RLIMIT_RSS] = { "Max resident set", "bytes" },
    [RLIMIT_NPROC] = { "Max processes", "processes" },
    [RLIMIT_NOFILE] = { "Max open files", "files" },
    [RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
    [RLIMIT_AS] = { "Max address space", "bytes" },
    [RLIMIT_LOCKS] = { "Max file locks", "locks" },
    [RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
    [RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
    [RLIMIT_NICE] = { "Max nice priority", "" },
    [RLIMIT_RTPRIO] = { "Max realtime priority", "" },
    [RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

static void limit_column(struct text *text, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%lu", value);
    text_printf(text, "%-20s ", value == RLIM64_INFINITY ? "unlimited" : number);
}

int proc_limits_show(struct text *text, const struct proc_id *id)
{
    struct rlimit64 limits[RLIM_NLIMITS];
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    if (process)
        memcpy(limits, process->leader->limits, sizeof limits);
    spin_unlock_irq(&process_lock, irq);
    if (!process)
        return -ESRCH;
    text_printf(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        text_printf(text, "%-25s ", limit_words[i].name);
        limit_column(text, limits[i].rlim_cur);
        limit_column(text, limits[i].rlim_max);
        text_printf(text, limit_words[i].unit[0] ? "%-10s\n" : "\n", limit_words[i].unit);
    }
    return 0;
}
