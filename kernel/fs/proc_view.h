// SPDX-License-Identifier: MIT
/*
 * proc_view.h: one process, or thread, at one moment, for the files of /proc/PID.
 *
 * What belongs to the process is copied under process_lock; its address space is then asked at leisure, for
 * that may sleep.
 */
#ifndef KERNEL_FS_PROC_VIEW_H
#define KERNEL_FS_PROC_VIEW_H

#include "kernel/fs/proc.h"

struct proc_view {
    int pid, tgid, ppid, pgid, sid;
    unsigned threads; /* living ones, and a leader that has ended before them */
    int exit_signal, wait_status;
    char name[PROCESS_NAME_SIZE];
    char letter;
    bool is_zombie;
    unsigned umask, descriptors;
    int oom_score_adj;
    int nice, policy, priority;
    bool has_no_new_privileges;
    unsigned persona;
    uint64_t timer_slack; /* nanoseconds */
    struct credentials credentials;
    unsigned queued; /* signals in the queues of its real user's processes */
    uint64_t queue_limit;
    uint64_t start_time, resident_limit;
    signal_mask pending, shared, blocked, ignored, caught;
    struct process_usage own, children; /* the process's, or the thread's own */
    struct process_usage thread;        /* the thread's in any case */
    struct aspace *aspace;     /* one reference, or NULL */
    struct aspace_usage usage; /* all 0 without an aspace */
};

/* 0, to be followed by proc_view_release(), or -ESRCH. */
int proc_view_take(struct proc_view *view, const struct proc_id *id) __must_check;
void proc_view_release(struct proc_view *view);

/* Resident pages of all kinds. */
uint64_t proc_view_resident(const struct proc_view *view);

#endif
