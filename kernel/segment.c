// SPDX-License-Identifier: MIT
/*
 * segment.c: the table of System V shared memory.
 *
 *      segment_create --> attached 0 <--> attached n --(last mapping ends)--> stays, unless it has been removed, or
 *                                                                          nobody's are not kept (shm_rmid_forced)
 *
 * Mappings are counted by the page cache's hooks: every VMA is one, as on Linux. The table keeps a reference on the
 * cache, so the pages stay without any mapping; a segment that ends gives that one back.
 */
#include "kernel/segment.h"

#include <linux/ipc.h>

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/shm.h"
#include "mm/slab.h"
#include "mm/truncate.h"

/* Linux's defaults (proc(5)): bounds that bind nobody, and leave room to add to them. */
#define BOUNDLESS (UINT64_MAX - (1ul << 24))
#define COUNT_MAX 4096
#define PLACES_IN_TURN 64 /* places are used in turn, so that an id does not come back soon: at least so many */

struct segment_policy segment_policy = { .size_max = BOUNDLESS, .pages_max = BOUNDLESS, .count_max = COUNT_MAX };

static TAILQ_HEAD(, segment) segments = TAILQ_HEAD_INITIALIZER(segments);
static struct spinlock segments_spinlock = SPINLOCK_INIT;
static int segment_count;
static int last_place = -1, round;

static struct slab_cache segment_cache = SLAB_CACHE_INIT(segment_cache, "segment", struct segment);

void segments_lock(void) { spin_lock(&segments_spinlock); }
void segments_unlock(void) { spin_unlock(&segments_spinlock); }

static int64_t seconds_now(void) { return (int64_t)((clock_boot_time() + clock_nanoseconds()) / NANOSECONDS); }

void segment_note_change_locked(struct segment *segment) { segment->change_time = seconds_now(); }

uint64_t segment_pages(const struct segment *segment) { return page_up(segment->size) >> PAGE_SHIFT; }

/* ---- finding ---- */

struct segment *segment_from_locked(int place)
{
    struct segment *segment;

    TAILQ_FOREACH(segment, &segments, link)
        if (segment_place(segment) >= place)
            return segment;
    return NULL;
}

struct segment *segment_find_locked(int id)
{
    struct segment *segment = segment_from_locked(id & (SEGMENT_PLACES - 1));

    return segment && segment->id == id ? segment : NULL;
}

struct segment *segment_with_key_locked(int32_t key)
{
    struct segment *segment;

    TAILQ_FOREACH(segment, &segments, link)
        if (segment->key == key)
            return segment;
    return NULL;
}

/* ---- the end ---- */

static void segment_destroy_locked(struct segment *segment)
{
    TAILQ_REMOVE(&segments, segment, link);
    segment_count--;
    pagecache_put(segment->cache);
    slab_free(&segment_cache, segment);
}

/* Nobody maps it: does it go? */
static void segment_end_locked(struct segment *segment)
{
    if (!segment->attached && (segment->mode & SEGMENT_ENDS || segment_policy.removes_forgotten))
        segment_destroy_locked(segment);
}

void segment_hold_locked(struct segment *segment) { segment->attached++; }

void segment_release_locked(struct segment *segment)
{
    ASSERT(segment->attached);
    segment->attached--;
    segment_end_locked(segment);
}

void segment_remove_locked(struct segment *segment)
{
    segment->mode |= SEGMENT_ENDS;
    segment->key = IPC_PRIVATE;
    segment_end_locked(segment);
}

void segments_forget(const struct process *creator)
{
    struct segment *next;

    segments_lock();
    for (struct segment *segment = TAILQ_FIRST(&segments); segment; segment = next) {
        next = TAILQ_NEXT(segment, link);
        if (segment->creator != creator)
            continue;
        segment->creator = NULL;
        segment_end_locked(segment);
    }
    segments_unlock();
}

void segments_policy_changed(void)
{
    struct segment *next;

    segments_lock();
    for (struct segment *segment = TAILQ_FIRST(&segments); segment; segment = next) {
        next = TAILQ_NEXT(segment, link);
        if (!segment->creator)
            segment_end_locked(segment);
    }
    segments_unlock();
}

/* ---- mappings ---- */

static void segment_attach(struct pagecache *cache)
{
    struct segment *segment = cache->owner;

    segments_lock();
    segment->attached++;
    segment->attach_time = seconds_now();
    segment->last_pid = current()->leader->pid;
    segments_unlock();
}

static void segment_detached(struct pagecache *cache)
{
    struct segment *segment = cache->owner;

    segments_lock();
    segment->detach_time = seconds_now();
    segment->last_pid = current()->leader->pid;
    segment_release_locked(segment);
    segments_unlock();
}

/* MADV_REMOVE. */
static int segment_punch(struct pagecache *cache, uint64_t from, uint64_t to)
{
    pagecache_punch(cache, from, to);
    return 0;
}

static const struct pagecache_ops segment_ops = {
    .punch = segment_punch,
    .attach = segment_attach,
    .detach = segment_detached,
};

int segment_detach(uint64_t addr) { return aspace_unmap_object(current()->aspace, addr, &segment_ops); }

/* ---- the beginning ---- */

static int lowest_free_from(int place)
{
    struct segment *segment;

    TAILQ_FOREACH(segment, &segments, link)
        if (segment_place(segment) == place)
            place++;
    return place;
}

/* An id that has not been used for long. */
static int id_make(void)
{
    int end = MIN(MAX(segment_count * 3 / 2, PLACES_IN_TURN), SEGMENT_PLACES);
    int place = lowest_free_from(last_place + 1);

    if (place >= end)
        place = lowest_free_from(0);
    if (place <= last_place)
        round = (round + 1) & (INT_MAX >> SEGMENT_PLACE_SHIFT);
    last_place = place;
    return round << SEGMENT_PLACE_SHIFT | place;
}

static void segment_insert_locked(struct segment *segment)
{
    struct segment *next;

    segment->id = id_make();
    segment->cache->inode = (uint64_t)segment->id;
    next = segment_from_locked(segment_place(segment));
    if (next)
        TAILQ_INSERT_BEFORE(next, segment, link);
    else
        TAILQ_INSERT_TAIL(&segments, segment, link);
    segment_count++;
}

static struct segment *segment_make(int32_t key, uint64_t size, unsigned mode)
{
    const struct credentials *credentials = &current()->credentials;
    struct segment *segment = slab_alloc(&segment_cache);

    if (!segment)
        return NULL;
    segment->key = key;
    segment->size = size;
    segment->mode = mode;
    segment->uid = segment->creator_uid = credentials->user.effective;
    segment->gid = segment->creator_gid = credentials->group.effective;
    segment->creator = current()->leader;
    segment->creator_pid = current()->leader->pid;
    segment_note_change_locked(segment);
    snprintf(segment->name, sizeof(segment->name), "/SYSV%08x (deleted)", (unsigned)key);
    return segment;
}

/* Would so many pages more be within shmall? */
static bool pages_fit_locked(uint64_t pages)
{
    const struct segment *segment;

    TAILQ_FOREACH(segment, &segments, link)
        pages += segment_pages(segment);
    return pages <= segment_policy.pages_max;
}

int segment_create_locked(int32_t key, uint64_t size, unsigned mode, bool noreserve)
{
    struct segment *segment;
    int id = -ENOMEM;

    if (!pages_fit_locked(page_up(size) >> PAGE_SHIFT))
        return -ENOSPC;
    segment = segment_make(key, size, mode);
    if (!segment)
        return -ENOMEM;
    segment->cache = shm_create(page_up(size));
    if (!segment->cache)
        goto out_segment;
    segment->cache->name = segment->name;
    if (shm_charge(segment->cache, noreserve ? SHM_RESERVE_NOTHING : SHM_RESERVE_WHOLE, current()->aspace))
        goto out_cache;
    id = -ENOSPC;
    if (segment_count >= segment_policy.count_max)
        goto out_cache;
    segment->cache->ops = &segment_ops;
    segment->cache->owner = segment;
    segment_insert_locked(segment);
    return segment->id;

out_cache:
    pagecache_put(segment->cache);
out_segment:
    slab_free(&segment_cache, segment);
    return id;
}

bool segment_allows_locked(const struct segment *segment, unsigned rights)
{
    const struct credentials *who = &current()->credentials;
    unsigned wanted = rights >> 6 | rights >> 3 | rights, granted = segment->mode;
    uint32_t user = who->user.effective;

    if (user == segment->uid || user == segment->creator_uid)
        granted >>= 6;
    else if (credentials_have_group(who, segment->gid) || credentials_have_group(who, segment->creator_gid))
        granted >>= 3;
    return !(wanted & ~granted & 07) || credentials_are_privileged(who);
}
