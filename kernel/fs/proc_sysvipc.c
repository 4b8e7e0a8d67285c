// SPDX-License-Identifier: MIT
/*
 * proc_sysvipc.c: /proc/sysvipc (proc(5)): the segments of shared memory. Message queues and semaphores are not built.
 */
#include "kernel/fs/proc.h"
#include "kernel/segment.h"
#include "mm/pagecache.h"

static int shm_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      "
                      "atime      dtime      ctime                   rss                  swap\n");
    segments_lock();
    for (const struct segment *at = segment_from_locked(0); at; at = segment_from_locked(segment_place(at) + 1)) {
        text_printf(text, "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u ", at->key, at->id, at->mode, at->size,
                    at->creator_pid, at->last_pid, at->attached, at->uid, at->gid, at->creator_uid, at->creator_gid);
        text_printf(text, "%10ld %10ld %10ld %21lu %21u\n", at->attach_time, at->detach_time, at->change_time,
                    at->cache->pages << PAGE_SHIFT, 0);
    }
    segments_unlock();
    return 0;
}

const struct proc_entry proc_sysvipc_entries[] = {
    PROC_TEXT("shm", shm_show),
    PROC_END,
};
