// SPDX-License-Identifier: MIT
/*
 * sys_prctl.c: settings of a process that are its own affair: prctl(2), arch_prctl(2), personality(2).
 */
#include <asm/prctl.h>
#include <linux/personality.h>
#include <linux/prctl.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/* arch_prctl(2): code, address. */
int64_t sys_arch_prctl(const struct syscall_args *args)
{
    struct process *process = current();
    vaddr_t addr = args->arg[1];
    int code = (int)args->arg[0];

    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (addr >= USER_END)
            return -EPERM;
        if (code == ARCH_SET_FS)
            cpu_set_fs_base(process->fs_base = addr);
        else
            cpu_set_gs_base(process->gs_base = addr);
        return 0;
    case ARCH_GET_FS:
        return copy_to_user(addr, &process->fs_base, sizeof(process->fs_base));
    case ARCH_GET_CPUID: /* the instruction can be used, and no CPU here can forbid it */
        return 1;
    case ARCH_SET_CPUID:
        return -ENODEV;
    case ARCH_GET_GS:
        return copy_to_user(addr, &process->gs_base, sizeof(process->gs_base));
    default:
        return -EINVAL;
    }
}

static int set_name(vaddr_t from)
{
    char name[PROCESS_NAME_SIZE] = { 0 };

    if (copy_string_from_user(name, from, sizeof(name)) == -EFAULT)
        return -EFAULT;
    name[sizeof(name) - 1] = '\0'; /* a longer name is cut */
    process_set_name(current(), name);
    return 0;
}

static int get_name(vaddr_t to)
{
    char name[PROCESS_NAME_SIZE] = { 0 };

    string_copy(name, current()->name, sizeof(name));
    return copy_to_user(to, name, sizeof(name));
}

static int set_dumpable(uint64_t wanted)
{
    if (wanted > 1)
        return -EINVAL;
    current()->leader->is_dumpable = wanted;
    return 0;
}

static int set_death_signal(uint64_t number)
{
    if (number > SIGNAL_COUNT)
        return -EINVAL;
    current()->death_signal = (int)number;
    return 0;
}

/* Nothing that a process can run gives it privileges, so the promise is kept by itself. */
static int set_no_new_privileges(const struct syscall_args *args)
{
    if (args->arg[1] != 1 || args->arg[2] || args->arg[3] || args->arg[4])
        return -EINVAL;
    current()->has_no_new_privileges = true;
    return 0;
}

static int64_t get_timer_slack(void) { return (int64_t)MIN(process_timer_slack(current()), (uint64_t)INT64_MAX); }

static int set_huge_pages(const struct syscall_args *args)
{
    if (args->arg[2] || args->arg[3] || args->arg[4])
        return -EINVAL;
    current()->leader->has_no_huge_pages = args->arg[1];
    return 0;
}

static int set_tsc(uint64_t wanted)
{
    if (wanted != PR_TSC_ENABLE && wanted != PR_TSC_SIGSEGV)
        return -EINVAL;
    current()->has_no_tsc = wanted == PR_TSC_SIGSEGV;
    cpu_allow_tsc(!current()->has_no_tsc);
    return 0;
}

static int put_int(vaddr_t to, int value) { return copy_to_user(to, &value, sizeof(value)); }

/* prctl(2): option, four arguments. */
int64_t sys_prctl(const struct syscall_args *args)
{
    struct process *process = current();
    uint64_t argument = args->arg[1];

    switch ((int)args->arg[0]) {
    case PR_SET_NAME:
        return set_name(argument);
    case PR_GET_NAME:
        return get_name(argument);
    case PR_SET_DUMPABLE:
        return set_dumpable(argument);
    case PR_GET_DUMPABLE:
        return process->leader->is_dumpable;
    case PR_SET_PDEATHSIG:
        return set_death_signal(argument);
    case PR_GET_PDEATHSIG:
        return put_int(argument, process->death_signal);
    case PR_SET_NO_NEW_PRIVS:
        return set_no_new_privileges(args);
    case PR_GET_NO_NEW_PRIVS:
        if (argument || args->arg[2] || args->arg[3] || args->arg[4])
            return -EINVAL;
        return process->has_no_new_privileges;
    case PR_SET_CHILD_SUBREAPER:
        process->leader->is_subreaper = argument;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(argument, process->leader->is_subreaper);
    case PR_SET_TIMERSLACK:
        process->timer_slack = (int64_t)argument > 0 ? argument : 0;
        return 0;
    case PR_GET_TIMERSLACK:
        return get_timer_slack();
    case PR_SET_THP_DISABLE:
        return set_huge_pages(args);
    case PR_GET_THP_DISABLE:
        if (argument || args->arg[2] || args->arg[3] || args->arg[4])
            return -EINVAL;
        return process->leader->has_no_huge_pages;
    case PR_GET_TID_ADDRESS:
        return copy_to_user(argument, &process->clear_child_tid, sizeof(process->clear_child_tid));
    case PR_SET_TIMING: /* times are by ticks, and nothing else can be had */
        return argument == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_SET_TSC:
        return set_tsc(argument);
    case PR_GET_TSC:
        return put_int(argument, process->has_no_tsc ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
    default:
        return -EINVAL;
    }
}

/*
 * personality(2): the new one, or 0xffffffff to ask. The domain of execution is a name alone, but that uname(2) calls the
 * machine i686 for PER_LINUX32. Of the flags, UNAME26 and STICKY_TIMEOUTS change calls; ADDR_NO_RANDOMIZE asks for what is
 * always so; MMAP_PAGE_ZERO asks exec for a page that nobody may map here, and Linux does not tell who may not; the others
 * mean nothing on x86-64. Not built: READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT.
 */
#define PERSONA_BUILT                                                                                  \
    ((unsigned)(PER_MASK | UNAME26 | STICKY_TIMEOUTS | ADDR_NO_RANDOMIZE | MMAP_PAGE_ZERO | FDPIC_FUNCPTRS | \
                ADDR_LIMIT_32BIT | ADDR_LIMIT_3GB | SHORT_INODE | WHOLE_SECONDS))

int64_t sys_personality(const struct syscall_args *args)
{
    unsigned wanted = (unsigned)args->arg[0], old = current()->persona;

    if (wanted == UINT32_MAX)
        return old;
    if (wanted & ~PERSONA_BUILT)
        return -EINVAL;
    current()->persona = wanted;
    return old;
}
