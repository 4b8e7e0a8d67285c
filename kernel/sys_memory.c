// SPDX-License-Identifier: MIT
/*
 * sys_memory.c: the system calls on memory: descriptors become page caches, the rest is mm/'s (aspace.h).
 */
#include <linux/mman.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/*
 * The page cache behind a descriptor, one reference added, if the mapping is allowed: EBADF, EACCES,
 * ENODEV, ENOMEM.
 */
static int find_cache(int fd, struct map_request *request)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    struct file *file = files_get(fd);

    if (!file || file_is_path(file))
        return -EBADF;
    if (!file_is_readable(file) || (shared && (request->prot & PROT_WRITE) && !file_is_writable(file)))
        return -EACCES;
    request->never_write = !file_is_writable(file);
    if (file->ops->is_anonymous) {
        request->flags |= MAP_ANONYMOUS;
        request->offset = 0;
        return 0;
    }
    if (!file->inode->ops->mapping)
        return -ENODEV;
    request->cache = file->inode->ops->mapping(file->inode);
    return request->cache ? 0 : -ENOMEM;
}

/* mmap(2): addr, length, prot, flags, fd, offset. */
int64_t sys_mmap(const struct syscall_args *args)
{
    struct map_request request = {
        .addr = args->arg[0],
        .length = args->arg[1],
        .prot = (unsigned)args->arg[2],
        .flags = (unsigned)args->arg[3],
        .offset = args->arg[5],
    };
    int64_t result;

    if (!is_aligned(request.offset, PAGE_SIZE))
        return -EINVAL;
    if (request.flags & MAP_ANONYMOUS) {
        request.offset = 0;
    } else {
        int error = find_cache((int)args->arg[4], &request);

        if (error)
            return error;
    }
    result = aspace_map(current()->aspace, &request);
    if (request.cache)
        pagecache_put(request.cache);
    return result;
}

/* munmap(2): addr, length. */
int64_t sys_munmap(const struct syscall_args *args)
{
    return aspace_unmap(current()->aspace, args->arg[0], args->arg[1]);
}

/* mprotect(2): addr, length, prot. */
int64_t sys_mprotect(const struct syscall_args *args)
{
    return aspace_protect(current()->aspace, args->arg[0], args->arg[1], (unsigned)args->arg[2]);
}

/* mremap(2): old address, old length, new length, flags, new address. */
int64_t sys_mremap(const struct syscall_args *args)
{
    return aspace_remap(current()->aspace, args->arg[0], args->arg[1], args->arg[2], (unsigned)args->arg[3],
                        args->arg[4]);
}

/* madvise(2): addr, length, advice. */
int64_t sys_madvise(const struct syscall_args *args)
{
    return aspace_advise(current()->aspace, args->arg[0], args->arg[1], (int)args->arg[2]);
}

/* brk(2): the new break; the result is the break afterwards. */
int64_t sys_brk(const struct syscall_args *args)
{
    return (int64_t)aspace_brk(current()->aspace, args->arg[0]);
}

/* What the caller may lock in all: RLIMIT_MEMLOCK, which does not bind the privileged (mlock(2)). */
static uint64_t lock_limit(void)
{
    const struct process *process = current();

    return credentials_are_privileged(&process->credentials) ? UINT64_MAX : process->limits[RLIMIT_MEMLOCK].rlim_cur;
}

/* mlock(2): addr, length. */
int64_t sys_mlock(const struct syscall_args *args)
{
    if (!lock_limit())
        return -EPERM;
    return aspace_lock(current()->aspace, args->arg[0], args->arg[1], LOCK_NOW, lock_limit());
}

/* mlock2(2): addr, length, flags. */
int64_t sys_mlock2(const struct syscall_args *args)
{
    if (args->arg[2] & ~(uint64_t)MLOCK_ONFAULT)
        return -EINVAL;
    if (!lock_limit())
        return -EPERM;
    return aspace_lock(current()->aspace, args->arg[0], args->arg[1], args->arg[2] ? LOCK_ON_FAULT : LOCK_NOW,
                       lock_limit());
}

/* munlock(2): addr, length. */
int64_t sys_munlock(const struct syscall_args *args)
{
    return aspace_unlock(current()->aspace, args->arg[0], args->arg[1]);
}

/* mlockall(2): flags. */
int64_t sys_mlockall(const struct syscall_args *args)
{
    return aspace_lock_all(current()->aspace, (int)args->arg[0], lock_limit());
}

/* munlockall(2). */
int64_t sys_munlockall(const struct syscall_args *args)
{
    (void)args;
    aspace_unlock_all(current()->aspace);
    return 0;
}

/* mincore(2): addr, length, unsigned char *vector; the vector is written a stretch at a time. */
int64_t sys_mincore(const struct syscall_args *args)
{
    uint64_t addr = args->arg[0], length = args->arg[1], pages = page_up(length) >> PAGE_SHIFT;
    unsigned char in_core[256];

    if (!is_aligned(addr, PAGE_SIZE))
        return -EINVAL;
    if (addr > USER_END || length > USER_END - addr)
        return -ENOMEM;
    for (uint64_t done = 0; done < pages; done += MIN(pages - done, sizeof(in_core))) {
        uint64_t part = MIN(pages - done, sizeof(in_core));
        int error = aspace_in_core(current()->aspace, addr + done * PAGE_SIZE, part, in_core);
        if (error)
            return error;
        if (copy_to_user(args->arg[2] + done, in_core, part))
            return -EFAULT;
    }
    return 0;
}

/* msync(2): addr, length, flags. Files live in memory, so there is nothing to write out; the checks are the call. */
int64_t sys_msync(const struct syscall_args *args)
{
    uint64_t addr = args->arg[0], length = page_up(args->arg[1]), flags = args->arg[2];

    if (!is_aligned(addr, PAGE_SIZE) || flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (addr > USER_END || length > USER_END - addr || (length < args->arg[1]))
        return -ENOMEM;
    return !length || aspace_is_mapped(current()->aspace, addr, length) ? 0 : -ENOMEM;
}
