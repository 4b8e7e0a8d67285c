// SPDX-License-Identifier: MIT
/*
 * proc.h: inside of /proc: what a file there is made of. Only the proc*.c files include this.
 *
 * The files of /proc are rows of two tables: one for the machine, one for each process. Most rows are text,
 * written by their show() from the live state each time a reader starts at the beginning; no figure is kept
 * for /proc.
 */
#ifndef KERNEL_FS_PROC_H
#define KERNEL_FS_PROC_H

#include "kernel/fs/inode.h"
#include "kernel/fs/text.h"
#include "kernel/process.h"

/* A process or thread that may have ended meanwhile: its number, and when it began, for numbers come again. */
struct proc_id {
    int pid; /* 0: the machine */
    bool is_thread; /* below /proc/PID/task: the thread, not its process */
    uint64_t start_time;
};

struct proc_entry {
    const char *name; /* NULL ends a table */
    uint32_t mode;
    /*
     * Text: write all of it. 0, -ESRCH or another errno (memory that is out is told by text->failed). May
     * sleep.
     */
    int (*show)(struct text *text, const struct proc_id *id);
    /*
     * What becomes of a text that is written to the file, at whatever position: at most PROC_WRITE_MAX bytes
     * of it, with a NUL. 0 or a negative errno. NULL: the file takes none.
     */
    int (*write)(const char *text, const struct proc_id *id);
    bool is_guarded; /* text: only for who may look into the process (process_may_look_locked()) */
    const struct inode_ops *ops;      /* what is no text */
    const struct proc_entry *entries; /* a directory of further rows */
    const struct sysctl *setting;     /* below /proc/sys: proc_sys.c */
};

#define PROC_WRITE_MAX 127

#define PROC_TEXT(name_, show_) { .name = (name_), .mode = S_IFREG | 0444, .show = (show_) }
#define PROC_GUARDED(name_, mode_, show_) \
    { .name = (name_), .mode = S_IFREG | (mode_), .is_guarded = true, .show = (show_) }
#define PROC_SETTING(name_, show_, write_) \
    { .name = (name_), .mode = S_IFREG | 0644, .show = (show_), .write = (write_) }
#define PROC_NODE(name_, mode_, ops_) { .name = (name_), .mode = (mode_), .ops = (ops_) }
#define PROC_DIRECTORY(name_, entries_) { .name = (name_), .mode = S_IFDIR | 0555, .entries = (entries_) }
#define PROC_END { .name = NULL }

extern const struct proc_entry proc_system_entries[], proc_process_entries[];
/* Those of /proc/PID/task/TID. */
extern const struct proc_entry *const proc_thread_entries;

/*
 * An inode below `parent` about the same process, for directories that are no table. `name` is copied if it
 * is short enough for a number, and otherwise has to stay. NULL: memory is out.
 */
struct inode *proc_inode_create(struct inode *parent, uint64_t number, uint32_t mode, const char *name,
                                const struct inode_ops *ops) __must_check;
/* The inode number that proc_inode_create() gives to its `number`. */
uint64_t proc_inode_number(const struct inode *parent, uint64_t number);

/* The row that an inode of a table was made from. */
const struct proc_entry *proc_entry_of(const struct inode *inode);

/* Which process an inode of /proc/PID belongs to. */
const struct proc_id *proc_id_of(const struct inode *inode);

/*
 * kstrtoint() of Linux: a decimal, 0x or 0 number with its sign, blanks around it allowed. 0, -EINVAL or
 * -ERANGE.
 */
int proc_parse_int(const char *text, int *value) __must_check;

/* The thread with the number, or NULL when it is gone. process_lock is held. */
struct process *proc_find_locked(const struct proc_id *id);

/* May the current process look into it? 0, -EACCES, or -ESRCH when it is gone. */
int proc_check_look(const struct proc_id *id) __must_check;

/* A reference to its address space in *aspace (NULL: zombie, or the kernel's own). 0 or -ESRCH. */
int proc_aspace(const struct proc_id *id, struct aspace **aspace) __must_check;

/*
 * What is said of a process's memory is said of the memory that it had when the file was opened, for only then was asked
 * who opens it: the program that comes after may act for somebody else, and has another address space.
 *
 * Open: the number of that address space (0: none). 0, or an error as from proc_check_look().
 */
int proc_memory_open(const struct proc_id *id, uint64_t *number) __must_check;
/* Later: a reference to it, or NULL: the process has ended, or has another. */
struct aspace *proc_memory_get(const struct proc_id *id, uint64_t number);

/* proc_maps.c */
int proc_maps_show(struct text *text, const struct proc_id *id);
void proc_maps_line(struct text *text, const struct aspace *aspace, const struct vma *vma);
extern const struct inode_ops proc_pagemap_ops, proc_mem_ops;

/* proc_smaps.c */
int proc_smaps_show(struct text *text, const struct proc_id *id);
int proc_smaps_rollup_show(struct text *text, const struct proc_id *id);

/* proc_status.c, proc_limits.c, proc_oom.c, proc_fd.c */
int proc_status_show(struct text *text, const struct proc_id *id);
int proc_limits_show(struct text *text, const struct proc_id *id);
int proc_oom_score_show(struct text *text, const struct proc_id *id);
int proc_oom_score_adj_show(struct text *text, const struct proc_id *id);
int proc_oom_score_adj_write(const char *text, const struct proc_id *id);
int proc_oom_adj_show(struct text *text, const struct proc_id *id);
int proc_oom_adj_write(const char *text, const struct proc_id *id);
extern const struct inode_ops proc_fd_ops, proc_fdinfo_ops;

/* procfs.c */
extern const struct inode_ops proc_task_ops;

/* proc_memory.c */
int proc_meminfo_show(struct text *text, const struct proc_id *id);
int proc_vmstat_show(struct text *text, const struct proc_id *id);

/* proc_system.c */
int proc_mounts_show(struct text *text, const struct proc_id *id);
int proc_mountinfo_show(struct text *text, const struct proc_id *id);

/* proc_trace.c */
int proc_trace_show(struct text *text, const struct proc_id *id);
int proc_trace_write(const char *text, const struct proc_id *id);

/* proc_lazy.c, proc_sys.c, kmsg.c */
extern const struct proc_entry proc_lazy_entries[], proc_sys_entries[];
/* proc_machine.c */
int proc_buddyinfo_show(struct text *text, const struct proc_id *id);
int proc_devices_show(struct text *text, const struct proc_id *id);
int proc_interrupts_show(struct text *text, const struct proc_id *id);
int proc_no_disks_show(struct text *text, const struct proc_id *id);

/* proc_sysvipc.c */
extern const struct proc_entry proc_sysvipc_entries[];
extern const struct inode_ops proc_kmsg_ops;

/* The operations of inodes that end with their last reference. */
void proc_destroy(struct inode *inode);

#endif
