// SPDX-License-Identifier: MIT
/*
 * sys_remote.c: process_vm_readv(2) and process_vm_writev(2): copies between the memory of two processes.
 *
 * A page at a time goes through a page of the kernel's, so neither side's lazy pages are touched while the other's
 * mutex is held. The other side's pages come to be as by an access of its own: but where memory is out nobody is killed
 * for it, and the copy ends there.
 */
#include <linux/uio.h>

#include "kernel/fs/file.h"
#include "kernel/fs/parts.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

struct remote {
    struct aspace *aspace;
    struct iovec *parts; /* over there */
    unsigned count;
    struct buffer local;
    bool writes; /* to the other process */
    char *page;
};

/* Copy n bytes, within one page over there; `done` have been copied before. Bytes, or -EFAULT. */
static ssize_type remote_piece(const struct remote *remote, vaddr_t addr, size_t done, size_t n)
{
    if (!remote->writes)
        return aspace_read(remote->aspace, addr, remote->page, n) ? -EFAULT
                                                                  : buffer_put(&remote->local, done, remote->page, n);
    ssize_type got = buffer_get(&remote->local, done, remote->page, n);
    if (got <= 0)
        return got;
    return aspace_write(remote->aspace, addr, remote->page, (size_t)got) ? -EFAULT : got;
}

/* Copy until one side ends, or cannot be had: bytes, or -EFAULT if not one could be copied. */
static ssize_type remote_copy(const struct remote *remote)
{
    size_t done = 0;

    for (unsigned i = 0; i < remote->count; i++) {
        vaddr_t addr = (vaddr_t)remote->parts[i].iov_base;
        size_t left = remote->parts[i].iov_len;

        while (left && done < remote->local.length) {
            size_t n = MIN(MIN(left, PAGE_SIZE - page_offset(addr)), remote->local.length - done);
            ssize_type copied = remote_piece(remote, addr, done, n);

            if (copied < 0)
                return done ? (ssize_type)done : copied;
            addr += (size_t)copied;
            left -= (size_t)copied;
            done += (size_t)copied;
            if ((size_t)copied < n || !long_call_goes_on())
                return (ssize_type)done;
        }
    }
    return (ssize_type)done;
}

/* As for a debugger, the real ids count here (ptrace(2), PTRACE_MODE_REALCREDS), unlike for the files of /proc. */
static bool may_reach_locked(const struct process *process)
{
    bool is_open = process->is_dumpable || process == current() || credentials_are_privileged(&current()->credentials);

    return is_open && process_may_access_locked(process);
}

/* The address space of a process that the caller may reach into. 0, -ESRCH, -EPERM. */
static int remote_find(int pid, struct aspace **aspace)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = process_find_locked(pid);
    int error = !process ? -ESRCH : !may_reach_locked(process) ? -EPERM : !process->aspace ? -ESRCH : 0;

    if (!error)
        *aspace = aspace_get(process->aspace);
    spin_unlock_irq(&process_lock, irq);
    return error;
}

static ssize_type remote_transfer(struct remote *remote, int pid)
{
    ssize_type result = remote_find(pid, &remote->aspace);

    if (result)
        return result;
    remote->page = kmalloc(PAGE_SIZE);
    result = remote->page ? remote_copy(remote) : -ENOMEM;
    kfree(remote->page);
    aspace_put(remote->aspace);
    return result;
}

/* The parts over there: their addresses are nobody's to check beforehand. 0, -EINVAL, -EFAULT, -ENOMEM. */
static int remote_parts(struct remote *remote, vaddr_t from, uint64_t count)
{
    if (count > UIO_MAXIOV)
        return -EINVAL;
    if (count && !(remote->parts = kmalloc(count * sizeof(*remote->parts))))
        return -ENOMEM;
    remote->count = (unsigned)count;
    if (copy_from_user(remote->parts, from, count * sizeof(*remote->parts)))
        return -EFAULT;
    for (unsigned i = 0; i < remote->count; i++)
        if ((int64_t)remote->parts[i].iov_len < 0)
            return -EINVAL;
    return 0;
}

/* pid, local parts and their number, remote parts and their number, flags (none are defined). */
static int64_t remote_call(const struct syscall_args *args, bool writes)
{
    struct iovec on_stack[PARTS_ON_STACK];
    struct remote remote = { .writes = writes };
    uint64_t wanted = 0;
    int64_t result;

    if (args->arg[5])
        return -EINVAL;
    result = parts_get(args->arg[1], args->arg[2], on_stack, &remote.local);
    if (result > 0)
        result = remote_parts(&remote, args->arg[3], args->arg[4]);
    for (unsigned i = 0; !result && i < remote.count; i++)
        wanted |= remote.parts[i].iov_len;
    if (!result && wanted)
        result = remote_transfer(&remote, (int)args->arg[0]);
    kfree(remote.parts);
    parts_put(&remote.local, on_stack);
    return result;
}

int64_t sys_process_vm_readv(const struct syscall_args *args) { return remote_call(args, false); }
int64_t sys_process_vm_writev(const struct syscall_args *args) { return remote_call(args, true); }
