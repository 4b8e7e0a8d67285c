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

/* The flags that MAP_SHARED_VALIDATE knows for files (mmap(2)): those of old. */
#define MAP_LEGACY                                                                                      \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_GROWSDOWN | MAP_LOCKED | \
     MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT | MAP_HUGE_2MB | MAP_HUGE_1GB)

/* May the file be mapped so? 0, or an error in Linux's order. */
static int check_file(const struct file *file, const struct map_request *request)
{
    unsigned type = request->flags & MAP_TYPE;

    if (!request->length || (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && request->flags & ~(unsigned)MAP_LEGACY)
        return -EOPNOTSUPP;
    if (!file_is_readable(file) || (type != MAP_PRIVATE && request->prot & PROT_WRITE && !file_is_writable(file)))
        return -EACCES;
    if (request->prot & PROT_EXEC && file->inode->filesystem->flags & MS_NOEXEC)
        return -EPERM;
    if (!file->ops->mapping && !file->ops->is_anonymous)
        return -ENODEV;
    return request->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

/* What is sealed from writing is mapped for reading, and stays so (fcntl(2), "File Sealing"). 0 or -EPERM. */
static int check_seals(const struct file *file, struct map_request *request)
{
    bool is_sealed = file->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);

    if (!is_sealed || (request->flags & MAP_TYPE) == MAP_PRIVATE)
        return 0;
    request->never_write = true;
    return request->prot & PROT_WRITE ? -EPERM : 0;
}

/* Is it a mapping that can be written through, now or after mprotect(2)? */
static bool request_may_write(const struct map_request *request)
{
    return (request->flags & MAP_TYPE) != MAP_PRIVATE && !request->never_write;
}

/*
 * The page cache behind a descriptor, one reference added, if the mapping is allowed: else EBADF, ENOMEM or as above.
 * /dev/zero has none: its mapping is anonymous.
 */
static int find_cache(int fd, struct map_request *request)
{
    struct file *file = files_get(fd);
    int error = file && !file_is_path(file) ? check_file(file, request) : -EBADF;

    if (error)
        return error;
    request->never_write = !file_is_writable(file);
    request->never_exec = file->inode->filesystem->flags & MS_NOEXEC;
    error = check_seals(file, request);
    if (error)
        return error;
    if (file->ops->is_anonymous) {
        if ((request->flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
            request->flags = (request->flags & ~(unsigned)MAP_TYPE) | MAP_SHARED;
        request->offset = 0;
        return 0;
    }
    request->cache = file->ops->mapping(file->inode); /* nobody seals it meanwhile: nothing here sleeps */
    if (!request->cache)
        return -ENOMEM;
    __atomic_add_fetch(&request->cache->arriving, request_may_write(request), __ATOMIC_RELAXED);
    inode_note_access(file->inode);
    return 0;
}

/* The mapping is there, or will not be. */
static void put_cache(const struct map_request *request)
{
    __atomic_sub_fetch(&request->cache->arriving, request_may_write(request), __ATOMIC_RELAXED);
    pagecache_put(request->cache);
}

/* Huge pages are not built: as on a Linux that has none set aside, there are none of 2 MiB, and no others exist. */
static int64_t refuse_huge(const struct map_request *request)
{
    unsigned size = request->flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    bool is_known = request->flags & MAP_ANONYMOUS && request->length && (!size || size == MAP_HUGE_2MB >> MAP_HUGE_SHIFT);

    return is_known ? -ENOMEM : -EINVAL;
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
    if (request.flags & MAP_HUGETLB)
        return refuse_huge(&request);
    if (request.flags & MAP_ANONYMOUS) {
        request.offset = 0;
    } else {
        int error = find_cache((int)args->arg[4], &request);

        if (error)
            return error;
    }
    result = aspace_map(current()->aspace, &request);
    if (request.cache)
        put_cache(&request);
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

/* mlock(2): addr, length. */
int64_t sys_mlock(const struct syscall_args *args)
{
    return aspace_lock(current()->aspace, args->arg[0], args->arg[1], LOCK_NOW);
}

/* mlock2(2): addr, length, flags. */
int64_t sys_mlock2(const struct syscall_args *args)
{
    if ((int)args->arg[2] & ~MLOCK_ONFAULT)
        return -EINVAL;
    return aspace_lock(current()->aspace, args->arg[0], args->arg[1], args->arg[2] ? LOCK_ON_FAULT : LOCK_NOW);
}

/* munlock(2): addr, length. */
int64_t sys_munlock(const struct syscall_args *args)
{
    return aspace_unlock(current()->aspace, args->arg[0], args->arg[1]);
}

/* mlockall(2): flags. */
int64_t sys_mlockall(const struct syscall_args *args)
{
    return aspace_lock_all(current()->aspace, (int)args->arg[0]);
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
    vaddr_t vector = args->arg[2];
    unsigned char in_core[256];

    if (!is_aligned(addr, PAGE_SIZE))
        return -EINVAL;
    if (addr > USER_END || length > USER_END - addr)
        return -ENOMEM;
    if (vector > USER_END || pages > USER_END - vector)
        return -EFAULT;
    for (uint64_t done = 0; done < pages;) {
        int64_t part = aspace_in_core(current()->aspace, addr + done * PAGE_SIZE, MIN(pages - done, sizeof(in_core)), in_core);
        if (part < 0)
            return part;
        if (copy_to_user(vector + done, in_core, (size_t)part))
            return -EFAULT;
        done += (uint64_t)part;
    }
    return 0;
}

/* msync(2): addr, length, flags. */
int64_t sys_msync(const struct syscall_args *args)
{
    return aspace_sync(current()->aspace, args->arg[0], args->arg[1], (uint64_t)(int)args->arg[2]);
}
