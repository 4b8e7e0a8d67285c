// SPDX-License-Identifier: MIT
/*
 * sys_shm.c: the system calls on System V shared memory: shmget(2), shmop(2), shmctl(2).
 */
#include <asm/shmbuf.h>
#include <linux/mman.h>
#include <linux/shm.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/segment.h"
#include "kernel/syscalls.h"
#include "mm/commit.h"
#include "mm/pagecache.h"
#include "mm/usercopy.h"

static bool is_privileged(void) { return credentials_are_privileged(&current()->credentials); }

/* ---- shmget ---- */

static int segment_new_locked(int32_t key, uint64_t size, unsigned flags)
{
    bool noreserve = flags & SHM_NORESERVE && commit_policy.overcommit_memory != COMMIT_NEVER;

    if (size < SHMMIN || size > segment_policy.size_max)
        return -EINVAL;
    if (page_up(size) < size)
        return -ENOSPC;
    if (flags & SHM_HUGETLB)
        return -ENOMEM; /* no huge pages are set aside */
    if (size > INT64_MAX)
        return -EINVAL;
    return segment_create_locked(key, size, flags & 0777, noreserve);
}

static int segment_get_locked(int32_t key, uint64_t size, unsigned flags)
{
    struct segment *segment = key == IPC_PRIVATE ? NULL : segment_with_key_locked(key);

    if (!segment)
        return key == IPC_PRIVATE || flags & IPC_CREAT ? segment_new_locked(key, size, flags) : -ENOENT;
    if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
        return -EEXIST;
    if (size > segment->size)
        return -EINVAL;
    return segment_allows_locked(segment, flags & 0777) ? segment->id : -EACCES;
}

/* shmget(2): key, size, flags. */
int64_t sys_shmget(const struct syscall_args *args)
{
    segments_lock();
    int id = segment_get_locked((int32_t)args->arg[0], args->arg[1], (unsigned)args->arg[2]);
    segments_unlock();
    return id;
}

/* ---- shmat, shmdt ---- */

/* Where to, and how: 0 or -EINVAL. */
static int attach_request(struct map_request *request, vaddr_t addr, unsigned flags)
{
    if (flags & SHM_RND)
        addr = page_down(addr);
    if (!is_aligned(addr, PAGE_SIZE) || (flags & SHM_REMAP && !addr))
        return -EINVAL;
    *request = (struct map_request){
        .addr = addr,
        .flags = MAP_SHARED,
        .prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0),
        .never_write = flags & SHM_RDONLY,
    };
    return 0;
}

/* Find the segment for the request, and hold it. 0, -EINVAL, -EACCES. */
static int attach_find_locked(struct map_request *request, int id, struct segment **segment)
{
    unsigned rights = 0444 | (request->prot & PROT_WRITE ? 0222 : 0) | (request->prot & PROT_EXEC ? 0111 : 0);

    *segment = segment_find_locked(id);
    if (!*segment)
        return -EINVAL;
    if (!segment_allows_locked(*segment, rights))
        return -EACCES;
    segment_hold_locked(*segment);
    request->cache = (*segment)->cache;
    request->length = page_up((*segment)->size);
    return 0;
}

/* shmat(2): id, addr, flags. Unless SHM_REMAP says otherwise, an address has to be free. */
int64_t sys_shmat(const struct syscall_args *args)
{
    vaddr_t addr = args->arg[1];
    unsigned flags = (unsigned)args->arg[2];
    struct map_request request;
    struct segment *segment;
    int error = attach_request(&request, addr, flags);
    int64_t result;

    if (error)
        return error;
    segments_lock();
    error = attach_find_locked(&request, (int)args->arg[0], &segment);
    segments_unlock();
    if (error)
        return error;
    if (addr)
        request.flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    result = aspace_map(current()->aspace, &request);
    segments_lock();
    segment_release_locked(segment);
    segments_unlock();
    return result == -EEXIST ? -EINVAL : result;
}

/* shmdt(2): addr. */
int64_t sys_shmdt(const struct syscall_args *args) { return segment_detach(args->arg[0]); }

/* ---- shmctl ---- */

static void describe(const struct segment *segment, struct shmid64_ds *out)
{
    *out = (struct shmid64_ds){
        .shm_perm = {
            .key = segment->key,
            .uid = segment->uid,
            .gid = segment->gid,
            .cuid = segment->creator_uid,
            .cgid = segment->creator_gid,
            .mode = segment->mode,
            .seq = (unsigned short)(segment->id >> SEGMENT_PLACE_SHIFT),
        },
        .shm_segsz = segment->size,
        .shm_atime = segment->attach_time,
        .shm_dtime = segment->detach_time,
        .shm_ctime = segment->change_time,
        .shm_cpid = segment->creator_pid,
        .shm_lpid = segment->last_pid,
        .shm_nattch = segment->attached,
    };
}

static struct segment *segment_at_locked(int place)
{
    struct segment *segment = segment_from_locked(place);

    return segment && segment_place(segment) == place ? segment : NULL;
}

/* IPC_STAT by id; SHM_STAT, SHM_STAT_ANY by place in the table: these return the id. */
static int64_t shm_stat(int id, int command, vaddr_t to)
{
    struct segment *segment;
    struct shmid64_ds stat;
    int error = 0;

    segments_lock();
    segment = command == IPC_STAT ? segment_find_locked(id) : segment_at_locked(id & (SEGMENT_PLACES - 1));
    if (!segment)
        error = -EINVAL;
    else if (command != SHM_STAT_ANY && !segment_allows_locked(segment, 0444))
        error = -EACCES;
    else
        describe(segment, &stat);
    id = segment ? segment->id : 0;
    segments_unlock();
    if (error)
        return error;
    if (copy_to_user(to, &stat, sizeof(stat)))
        return -EFAULT;
    return command == IPC_STAT ? 0 : id;
}

/* The last place in use, 0 if there is none: up to where to ask SHM_STAT. */
static int64_t last_place_locked(void)
{
    int place = 0;

    for (const struct segment *at = segment_from_locked(0); at; at = segment_from_locked(place + 1))
        place = segment_place(at);
    return place;
}

/* IPC_INFO: the limits. */
static int64_t shm_limits(vaddr_t to)
{
    struct shminfo64 info = {
        .shmmax = segment_policy.size_max,
        .shmmin = SHMMIN,
        .shmmni = (unsigned long)segment_policy.count_max,
        .shmseg = (unsigned long)segment_policy.count_max,
        .shmall = segment_policy.pages_max,
    };

    segments_lock();
    int64_t last = last_place_locked();
    segments_unlock();
    return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : last;
}

/* SHM_INFO: what there is. Nothing is swapped. */
static int64_t shm_figures(vaddr_t to)
{
    struct shm_info info = { 0 };
    int64_t last;

    segments_lock();
    for (const struct segment *at = segment_from_locked(0); at; at = segment_from_locked(segment_place(at) + 1)) {
        info.used_ids++;
        info.shm_tot += segment_pages(at);
        info.shm_rss += at->cache->pages;
    }
    last = last_place_locked();
    segments_unlock();
    return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : last;
}

static bool is_owner(const struct segment *segment)
{
    uint32_t user = current()->credentials.user.effective;

    return user == segment->uid || user == segment->creator_uid;
}

/* IPC_SET: the owner, and the bits of rights. */
static int segment_set_locked(struct segment *segment, const struct ipc64_perm *new)
{
    if (new->uid == UINT32_MAX || new->gid == UINT32_MAX)
        return -EINVAL;
    segment->uid = new->uid;
    segment->gid = new->gid;
    segment->mode = (segment->mode & ~0777u) | (new->mode & 0777);
    segment_note_change_locked(segment);
    return 0;
}

/* IPC_SET, IPC_RMID. */
static int shm_change(int id, int command, vaddr_t from)
{
    struct segment *segment;
    struct shmid64_ds new = { 0 };
    int error;

    if (command == IPC_SET && copy_from_user(&new, from, sizeof(new)))
        return -EFAULT;
    segments_lock();
    segment = segment_find_locked(id);
    error = segment ? 0 : -EINVAL;
    if (!error && !is_owner(segment) && !is_privileged())
        error = -EPERM;
    if (!error && command == IPC_SET)
        error = segment_set_locked(segment, &new.shm_perm);
    else if (!error)
        segment_remove_locked(segment);
    segments_unlock();
    return error;
}

/* Would locking it keep the user within RLIMIT_MEMLOCK, which counts all that a user has locked? */
static bool may_lock_locked(const struct segment *segment)
{
    uint64_t limit = current()->leader->limits[RLIMIT_MEMLOCK].rlim_cur, pages = segment_pages(segment);
    uint32_t user = current()->credentials.user.real;

    for (const struct segment *at = segment_from_locked(0); at; at = segment_from_locked(segment_place(at) + 1))
        if (at->mode & SEGMENT_LOCKED && at->locker == user)
            pages += segment_pages(at);
    return limit == RLIM64_INFINITY || pages <= limit >> PAGE_SHIFT || is_privileged();
}

static int segment_lock_locked(struct segment *segment, int command)
{
    if (!is_privileged() && !is_owner(segment))
        return -EPERM;
    if (command == SHM_UNLOCK) {
        segment->mode &= ~(unsigned)SEGMENT_LOCKED;
        return 0;
    }
    if (!is_privileged() && !current()->leader->limits[RLIMIT_MEMLOCK].rlim_cur)
        return -EPERM;
    if (segment->mode & SEGMENT_LOCKED)
        return 0;
    if (!may_lock_locked(segment))
        return -ENOMEM;
    segment->mode |= SEGMENT_LOCKED;
    segment->locker = current()->credentials.user.real;
    return 0;
}

/* SHM_LOCK, SHM_UNLOCK: pages that are there stay, which holds for all of them, as nothing is swapped. */
static int shm_lock(int id, int command)
{
    segments_lock();
    struct segment *segment = segment_find_locked(id);
    int error = segment ? segment_lock_locked(segment, command) : -EINVAL;
    segments_unlock();
    return error;
}

/* shmctl(2): id, command, buffer. */
int64_t sys_shmctl(const struct syscall_args *args)
{
    int id = (int)args->arg[0], command = (int)args->arg[1];
    vaddr_t buffer = args->arg[2];

    if (id < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
        return shm_limits(buffer);
    case SHM_INFO:
        return shm_figures(buffer);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return shm_stat(id, command, buffer);
    case IPC_SET:
    case IPC_RMID:
        return shm_change(id, command, buffer);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return shm_lock(id, command);
    default:
        return -EINVAL;
    }
}
