// SPDX-License-Identifier: MIT
/*
 * sys_lock.c: the system calls that lock files: flock(2), and fcntl(2) with F_SETLK and its like.
 */
#include "kernel/fs/sys_lock.h"

#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/usercopy.h"

/* ---- flock ---- */

/* A lock of another type goes before the new one is asked for: somebody may come in between (flock(2)). */
static int flock_set(struct file *file, short type, enum lock_wait wait)
{
    const struct lock wanted = { .kind = LOCK_WHOLE, .owner = file, .type = type, .end = INT64_MAX };
    if (type != F_UNLCK && lock_is_held(file->inode, LOCK_WHOLE, file, type))
        return 0;
    lock_release(file->inode, LOCK_WHOLE, file);
    return type == F_UNLCK ? 0 : lock_set(file->inode, &wanted, wait);
}

/* flock(2): descriptor, operation. */
int64_t sys_flock(const struct syscall_args *args)
{
    static const short types[] = { [LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK };
    unsigned operation = (unsigned)args->arg[1], type = operation & ~(unsigned)LOCK_NB;
    struct file *file = files_get((int)args->arg[0]);
    if (operation & LOCK_MAND)
        return 0; /* mandatory locks have never done anything: done */
    if (type != LOCK_SH && type != LOCK_EX && type != LOCK_UN)
        return -EINVAL;
    if (!file || file_is_path(file))
        return -EBADF;
    return flock_set(file, types[type], operation & LOCK_NB ? LOCK_TRY : LOCK_WAIT);
}

/* ---- ranges ---- */

/* Where the range is counted from, by `whence`; -1: there is no such place. */
static int64_t range_base(const struct file *file, short whence)
{
    switch (whence) {
    case SEEK_SET:
        return 0;
    case SEEK_CUR:
        return (int64_t)file->position;
    case SEEK_END:
        return (int64_t)file->inode->size;
    default:
        return -1;
    }
}

/* The range that the user means: `length` bytes from there, before it if negative, all if 0. */
static int range_get(const struct file *file, const struct flock *user, struct lock *lock)
{
    int64_t start = range_base(file, user->l_whence), end = INT64_MAX;
    if (start < 0)
        return -EINVAL;
    if (__builtin_add_overflow(start, user->l_start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    if (user->l_len > 0 && __builtin_add_overflow(start, user->l_len - 1, &end))
        return -EOVERFLOW;
    if (user->l_len < 0) {
        end = start - 1;
        start += user->l_len;
    }
    if (start < 0)
        return -EINVAL;
    lock->start = (uint64_t)start;
    lock->end = (uint64_t)end;
    return 0;
}

/* What the user asks for: a process's lock, or (F_OFD_*) the open file's. */
static int lock_get(struct file *file, const struct flock *user, bool is_files, struct lock *lock)
{
    *lock = (struct lock){
        .kind = LOCK_RANGE,
        .owner = is_files ? (const void *)file : current()->files,
        .pid = is_files ? 0 : current()->leader->pid,
        .type = user->l_type,
    };
    int error = range_get(file, user, lock);
    if (error)
        return error;
    if (lock->type != F_RDLCK && lock->type != F_WRLCK && lock->type != F_UNLCK)
        return -EINVAL;
    return 0;
}

static int64_t range_test(struct file *file, uint64_t argument, bool is_files)
{
    struct flock user;
    struct lock lock, blocker;
    if (copy_from_user(&user, argument, sizeof user))
        return -EFAULT;
    if ((user.l_type != F_RDLCK && user.l_type != F_WRLCK) || (is_files && user.l_pid))
        return -EINVAL;
    int error = lock_get(file, &user, is_files, &lock);
    if (error)
        return error;
    if (lock_find_blocker(file->inode, &lock, &blocker)) {
        user.l_type = blocker.type;
        user.l_whence = SEEK_SET;
        user.l_start = (int64_t)blocker.start;
        user.l_len = blocker.end == INT64_MAX ? 0 : (int64_t)(blocker.end - blocker.start + 1);
        user.l_pid = blocker.pid ? blocker.pid : -1;
    } else {
        user.l_type = F_UNLCK;
    }
    return copy_to_user(argument, &user, sizeof user);
}

/*
 * A lock goes when its descriptor is closed. Where another process shares the table, that may have happened while this
 * one slept, so the lock came too late: it goes now. 0 or -EBADF.
 */
static int check_still_open(int fd, struct file *file)
{
    struct files *files = current()->files;
    if (files_peek(files, (unsigned)fd) == file)
        return 0;
    lock_release(file->inode, LOCK_RANGE, files);
    return -EBADF;
}

static int64_t range_set(int fd, struct file *file, uint64_t argument, bool is_files, enum lock_wait wait)
{
    struct flock user;
    struct lock lock;
    if (copy_from_user(&user, argument, sizeof user))
        return -EFAULT;
    int error = lock_get(file, &user, is_files, &lock);
    if (error)
        return error;
    if ((lock.type == F_RDLCK && !file_is_readable(file)) || (lock.type == F_WRLCK && !file_is_writable(file)))
        return -EBADF;
    if (is_files && user.l_pid)
        return -EINVAL;
    error = lock_set(file->inode, &lock, wait);
    return error || is_files || lock.type == F_UNLCK ? error : check_still_open(fd, file);
}

bool fcntl_is_lock(unsigned command)
{
    return (command >= F_GETLK && command <= F_SETLKW) || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
}

int64_t fcntl_lock(int fd, struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_GETLK:
        return range_test(file, argument, false);
    case F_OFD_GETLK:
        return range_test(file, argument, true);
    case F_SETLK:
        return range_set(fd, file, argument, false, LOCK_TRY);
    case F_OFD_SETLK:
        return range_set(fd, file, argument, true, LOCK_TRY);
    case F_SETLKW:
        return range_set(fd, file, argument, false, LOCK_WAIT);
    default:
        return range_set(fd, file, argument, true, LOCK_WAIT);
    }
}
