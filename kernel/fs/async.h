// SPDX-License-Identifier: MIT
/*
 * async.h: signals that tell of a file's readiness (fcntl(2), "Managing signals").
 *
 * An open file has an owner (F_SETOWN) and, with O_ASYNC, stands on the list of the source that it is about: a
 * pipe's readers, a terminal. Whoever makes the source ready calls async_notify() beside waking those who sleep.
 *
 * Lock: process_lock for the lists and the owners, for signals are sent from there.
 */
#ifndef KERNEL_FS_ASYNC_H
#define KERNEL_FS_ASYNC_H

#include <sys/queue.h>

#include "kernel/lib/types.h"

struct file;
struct process;

/* Who is told of an open file, and how. */
struct file_owner {
    int kind;        /* F_OWNER_* */
    int number;      /* of the process or the group; 0: nobody */
    uint64_t since;  /* the start of that process: a later one with its number is another */
    uint32_t real, effective; /* user of who set it: the signal goes only where he might send one */
    int signal;      /* F_SETSIG; 0: SIGIO, without particulars */
};

/* A file on a list. */
struct async {
    struct file *file; /* no reference: it leaves the list before it goes */
    int fd;            /* as which it asked: si_fd */
    LIST_ENTRY(async) link;
};
LIST_HEAD(async_list, async);

/* Put the file on the list, once. 0 or -ENOMEM. */
int async_add(struct async_list *list, struct file *file, int fd) __must_check;
/* Take it off, if it is there. */
void async_remove(struct async_list *list, const struct file *file);

/* What a kind's async operation does with its list: by `fd`, -1 being none (inode.h). */
int async_set(struct async_list *list, struct file *file, int fd) __must_check;

/*
 * Tell the owners of all files on the list; `reason` is POLL_IN, POLL_OUT or POLL_MSG (sigaction(2), si_code). Any
 * context. From an interrupt there is no memory for a queue entry: a real-time signal then becomes a plain SIGIO.
 */
void async_notify_all(struct async_list *list, int reason);
static inline void async_notify(struct async_list *list, int reason)
{
    if (!LIST_EMPTY(list))
        async_notify_all(list, reason);
}

/*
 * F_SETOWN and F_SETOWN_EX: 0, -EINVAL (no such kind), -ESRCH. Number 0: nobody. F_GETOWN: the owner's number if it
 * is still there, else 0; a group's is negative.
 */
int file_owner_set(struct file *file, int kind, int number) __must_check;
int file_owner_get(const struct file *file);
/* What a lease and a terminal do when they are made to signal: an owner that was set stays. */
void file_owner_set_default(struct file *file, int kind, int number);
/* Nobody any more, and SIGIO. */
void file_owner_clear(struct file *file);

#endif
