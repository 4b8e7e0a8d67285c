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

/* A process that may have ended meanwhile: its number, and when it began, for numbers come again. */
struct proc_id {
    int pid; /* 0: the machine */
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
    const struct inode_ops *ops; /* what is no text */
};

extern const struct proc_entry proc_system_entries[], proc_process_entries[];

/* Which process an inode of /proc/PID belongs to. */
const struct proc_id *proc_id_of(const struct inode *inode);

/* The process, or NULL when it is gone. process_lock is held. */
struct process *proc_find_locked(const struct proc_id *id);

/* A reference to its address space in *aspace (NULL: zombie, or the kernel's own). 0 or -ESRCH. */
int proc_aspace(const struct proc_id *id, struct aspace **aspace) __must_check;

/* proc_maps.c */
int proc_maps_show(struct text *text, const struct proc_id *id);
int proc_smaps_show(struct text *text, const struct proc_id *id);
extern const struct inode_ops proc_pagemap_ops;

/* The operations of inodes that end with their last reference. */
void proc_destroy(struct inode *inode);

#endif
