// SPDX-License-Identifier: MIT
/*
 * sys_memory.c: the system calls on memory: descriptors become page caches, the rest is mm/'s (aspace.h).
 */
#include <linux/mman.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"

/*
 * The page cache behind a descriptor, one reference added, if the mapping is allowed: EBADF, EACCES,
 * ENODEV, ENOMEM.
 */
static int find_cache(int fd, struct map_request *request)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    struct file *file = files_get(fd);

    if (!file)
        return -EBADF;
    if (!file_is_readable(file) || (shared && (request->prot & PROT_WRITE) && !file_is_writable(file)))
        return -EACCES;
    if (!file->inode->ops->mapping)
        return -ENODEV;
    request->never_write = !file_is_writable(file);
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
