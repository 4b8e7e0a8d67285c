// SPDX-License-Identifier: MIT
/*
 * segment.h: System V shared memory (sysvipc(7)): objects of shared memory that have a number, an owner and rights, and
 * stay without anybody who maps them.
 *
 * A segment is the page cache of mm/shm.h with a name: its pages, its charge and its faults are those of all shared
 * memory. What is here is the table of them, and when one ends.
 *
 * Lock: one for the table and all segments in it, after an address space's mutex and before a page cache's lock.
 */
#ifndef KERNEL_SEGMENT_H
#define KERNEL_SEGMENT_H

#include <linux/types.h>
#include <sys/queue.h>

#include "kernel/credentials.h"
#include "kernel/lib/types.h"

struct pagecache;
struct process;

/* In `mode`, above the bits of rights (shmctl(2)). */
#define SEGMENT_ENDS 01000   /* SHM_DEST: removed, and gone when nobody maps it any more */
#define SEGMENT_LOCKED 02000 /* SHM_LOCKED */

/* An id is a place in the table, and above that how often places have been used again (Linux's IPCMNI_SHIFT). */
#define SEGMENT_PLACE_SHIFT 15
#define SEGMENT_PLACES (1 << SEGMENT_PLACE_SHIFT)

struct segment {
    TAILQ_ENTRY(segment) link; /* ascending by place */
    int id;
    int32_t key; /* IPC_PRIVATE: none */
    uint32_t uid, gid, creator_uid, creator_gid;
    unsigned mode;
    uint64_t size; /* bytes, as asked for */
    int64_t attach_time, detach_time, change_time; /* seconds since 1970; 0: never */
    int creator_pid, last_pid;
    uint64_t attached;        /* mappings: VMAs, and shmat(2) while it makes one */
    struct process *creator;  /* while it lives */
    uint32_t locker;          /* with SEGMENT_LOCKED: the user whose limit it counts against */
    struct pagecache *cache;  /* one reference */
    char name[24];            /* in /proc/PID/maps */
};

/* /proc/sys/kernel: shmmax (bytes), shmall (pages), shmmni, shm_rmid_forced. */
struct segment_policy {
    unsigned long size_max, pages_max;
    int count_max, removes_forgotten;
};
extern struct segment_policy segment_policy;

void segments_lock(void);
void segments_unlock(void);

/* The first segment at `place` or behind it; NULL: none. The lock is held. */
struct segment *segment_from_locked(int place);
static inline int segment_place(const struct segment *segment) { return segment->id & (SEGMENT_PLACES - 1); }
/* The segment with this id, or NULL: there is none, or another one at its place by now. The lock is held. */
struct segment *segment_find_locked(int id);
/* The one with this key, which is not IPC_PRIVATE, or NULL. */
struct segment *segment_with_key_locked(int32_t key);

/*
 * A new segment, charged to the current process's ledger unless `noreserve`. Its id, or -ENOSPC (too many segments, or
 * pages), -ENOMEM. The lock is held.
 */
int segment_create_locked(int32_t key, uint64_t size, unsigned mode, bool noreserve) __must_check;

/* May the current process do this to it: any of the bits 0444, 0222, 0111? root always may. */
bool segment_allows_locked(const struct segment *segment, unsigned rights);

/* Keep it from ending for a moment, and the end of that. */
void segment_hold_locked(struct segment *segment);
void segment_release_locked(struct segment *segment);

/* Its owner or rights have been changed: now. */
void segment_note_change_locked(struct segment *segment);

/* IPC_RMID: it has no key any more, and ends with its last mapping. */
void segment_remove_locked(struct segment *segment);

/* Pages that it takes of shmall. */
uint64_t segment_pages(const struct segment *segment);

/* shmdt(2) of the current process: 0, -EINVAL (no segment begins there), -ENOMEM. Takes the address space's mutex. */
int segment_detach(uint64_t addr) __must_check;

/* The process ends: its segments are nobody's now. */
void segments_forget(const struct process *creator);
/* shm_rmid_forced has been set: if to 1, segments without creator and mappings go. */
void segments_policy_changed(void);

#endif
