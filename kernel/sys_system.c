// SPDX-License-Identifier: MIT
/*
 * sys_system.c: the system calls on the machine as a whole, and on the limits of a process.
 */
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/utsname.h>

#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/version.h"
#include "mm/usercopy.h"

#define RANDOM_MAX (32ul << 20) /* bytes of one getrandom(2); more is answered in part, as in Linux */
#define FILES_MAX (1ul << 20)   /* RLIMIT_NOFILE cannot be set higher (proc(5), /proc/sys/fs/nr_open) */

/* uname(2): struct utsname *. The release says which Linux the system calls follow. */
int64_t sys_uname(const struct syscall_args *args)
{
    static const struct new_utsname name = {
        .sysname = "Linux",
        .nodename = "lazybones",
        .release = KERNEL_RELEASE,
        .version = KERNEL_VERSION,
        .machine = "x86_64",
        .domainname = "(none)",
    };
    return copy_to_user(args->arg[0], &name, sizeof(name));
}

/* getrandom(2): buffer, length, flags. Never waits: the generator is there from boot on. */
int64_t sys_getrandom(const struct syscall_args *args)
{
    uint64_t length = MIN(args->arg[1], RANDOM_MAX), done = 0;

    if (args->arg[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    while (done < length) {
        uint64_t words[8];
        size_t n = MIN(length - done, sizeof(words));

        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
            words[i] = machine_random();
        if (copy_to_user(args->arg[0] + done, words, n))
            return -EFAULT;
        done += n;
    }
    return (int64_t)done;
}

/* Read and perhaps set a limit of a process. process_lock is held. */
static int change_limit_locked(struct process *process, unsigned resource, const struct rlimit64 *new,
                               struct rlimit64 *old)
{
    if (!process)
        return -ESRCH;
    *old = process->limits[resource];
    if (new && new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (new && resource == RLIMIT_NOFILE && new->rlim_max > FILES_MAX)
        return -EPERM;
    if (new)
        process->limits[resource] = *new;
    return 0;
}

/* A growing stack asks its address space for the limit. */
static void set_stack_limit(struct aspace *aspace, uint64_t limit)
{
    mutex_lock(&aspace->lock);
    aspace->stack_limit = limit;
    mutex_unlock(&aspace->lock);
}

/* The limit `resource` of `pid` (0: the caller): get the old one, set the new one unless that is NULL. */
static int change_limit(int pid, unsigned resource, const struct rlimit64 *new, struct rlimit64 *old)
{
    struct aspace *aspace = NULL;
    struct process *process;
    int error;
    bool irq;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    process = pid ? process_find_locked(pid) : current();
    error = change_limit_locked(process, resource, new, old);
    if (!error && new && resource == RLIMIT_STACK && process->aspace)
        aspace = aspace_get(process->aspace);
    spin_unlock_irq(&process_lock, irq);
    if (aspace) {
        set_stack_limit(aspace, new->rlim_cur);
        aspace_put(aspace);
    }
    return error;
}

/* prlimit64(2): pid, resource, const struct rlimit64 *new, struct rlimit64 *old. */
int64_t sys_prlimit64(const struct syscall_args *args)
{
    struct rlimit64 new, old;
    int error;

    if (args->arg[2] && copy_from_user(&new, args->arg[2], sizeof(new)))
        return -EFAULT;
    error = change_limit((int)args->arg[0], (unsigned)args->arg[1], args->arg[2] ? &new : NULL, &old);
    if (error)
        return error;
    return args->arg[3] ? copy_to_user(args->arg[3], &old, sizeof(old)) : 0;
}

/* getrlimit(2): resource, struct rlimit *; on x86-64 the same as struct rlimit64. */
int64_t sys_getrlimit(const struct syscall_args *args)
{
    struct rlimit64 limit;
    int error = change_limit(0, (unsigned)args->arg[0], NULL, &limit);

    return error ? error : copy_to_user(args->arg[1], &limit, sizeof(limit));
}

/* setrlimit(2): resource, const struct rlimit *. */
int64_t sys_setrlimit(const struct syscall_args *args)
{
    struct rlimit64 new, old;

    if (copy_from_user(&new, args->arg[1], sizeof(new)))
        return -EFAULT;
    return change_limit(0, (unsigned)args->arg[0], &new, &old);
}

/* reboot(2): magic, magic2, command. */
int64_t sys_reboot(const struct syscall_args *args)
{
    unsigned magic2 = (unsigned)args->arg[1];

    if ((unsigned)args->arg[0] != LINUX_REBOOT_MAGIC1 ||
        (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A && magic2 != LINUX_REBOOT_MAGIC2B &&
         magic2 != LINUX_REBOOT_MAGIC2C))
        return -EINVAL;
    switch ((unsigned)args->arg[2]) {
    case LINUX_REBOOT_CMD_POWER_OFF:
    case LINUX_REBOOT_CMD_HALT:
        shutdown_power_off(0);
    case LINUX_REBOOT_CMD_RESTART:
        shutdown_restart();
    default:
        return -EINVAL;
    }
}
