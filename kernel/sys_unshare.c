// SPDX-License-Identifier: MIT
/*
 * sys_unshare.c: unshare(2): descriptors, directory and umask that clone(2) shared are one's own from now on. Namespaces
 * are not built.
 */
#include <linux/sched.h>

#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"

/* CLONE_SYSVSEM finds nothing that is shared. */
#define UNSHARE_KNOWN \
    ((unsigned)(CLONE_FILES | CLONE_FS | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM))

static bool memory_is_shared(const struct process *mine)
{
    const struct process *process;
    bool irq = spin_lock_irq(&process_lock), shared = false;

    TAILQ_FOREACH(process, &process_table, all)
        shared |= process != mine && process->aspace == mine->aspace;
    spin_unlock_irq(&process_lock, irq);
    return shared;
}

/* Memory, signal actions and the process can only be shared or not, never taken apart (unshare(2), EINVAL). */
static int check(unsigned flags, const struct process *process)
{
    if (flags & ~UNSHARE_KNOWN)
        return -EINVAL;
    if (flags & (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND) && thread_next(process->leader))
        return -EINVAL;
    if (flags & (CLONE_VM | CLONE_SIGHAND) && signal_actions_are_shared(process->signals->actions))
        return -EINVAL;
    return flags & CLONE_VM && memory_is_shared(process) ? -EINVAL : 0;
}

static void exchange(struct process *process, struct files *files, struct standpoint *standpoint)
{
    struct files *old_files = files ? process->files : NULL;
    struct standpoint *old_standpoint = standpoint ? process->standpoint : NULL;
    bool irq = spin_lock_irq(&process_lock);

    if (files)
        process->files = files;
    if (standpoint)
        process->standpoint = standpoint;
    spin_unlock_irq(&process_lock, irq);
    if (old_files)
        files_put(old_files);
    if (old_standpoint)
        standpoint_put(old_standpoint);
}

/* unshare(2): CLONE_* flags. All or nothing. */
int64_t sys_unshare(const struct syscall_args *args)
{
    struct process *process = current();
    unsigned flags = (unsigned)args->arg[0];
    bool takes_files = flags & CLONE_FILES && files_are_shared(process->files);
    bool takes_standpoint = flags & CLONE_FS && standpoint_is_shared(process->standpoint);
    int error = args->arg[0] >> 32 ? -EINVAL : check(flags, process);

    if (error)
        return error;
    struct files *files = takes_files ? files_clone(process->files) : NULL;
    if (takes_files && !files)
        return -ENOMEM;
    struct standpoint *standpoint = takes_standpoint ? standpoint_clone(process->standpoint) : NULL;
    if (takes_standpoint && !standpoint) {
        if (files)
            files_put(files);
        return -ENOMEM;
    }
    exchange(process, files, standpoint);
    return 0;
}
