// SPDX-License-Identifier: MIT
/*
 * sys_system.c: the system calls on the machine as a whole.
 */
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "arch/x86_64/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/system.h"
#include "kernel/lib/version.h"
#include "mm/frame.h"
#include "mm/usercopy.h"

#define RANDOM_MAX (32ul << 20) /* bytes of one getrandom(2); more is answered in part, as in Linux */

static struct new_utsname system_name = {
    .sysname = "Linux",
    .nodename = "lazybones",
    .release = KERNEL_RELEASE,
    .version = KERNEL_VERSION,
    .machine = "x86_64",
    .domainname = "(none)",
};

const char *system_host_name(void) { return system_name.nodename; }
const char *system_domain_name(void) { return system_name.domainname; }

static bool is_privileged(void) { return credentials_are_privileged(&current()->credentials); }

/* Linux 6.1 for programs that expect a 2.6: 2.6.61, with what follows the release's numbers (personality(2), UNAME26). */
static void make_old(char release[__NEW_UTS_LEN + 1])
{
    const char *rest = KERNEL_RELEASE;

    while (*rest == '.' || (*rest >= '0' && *rest <= '9'))
        rest++;
    snprintf(release, __NEW_UTS_LEN + 1, "2.6.%d%s", 60 + KERNEL_MINOR, rest);
}

/* uname(2): struct utsname *. The release says which Linux the system calls follow. */
int64_t sys_uname(const struct syscall_args *args)
{
    unsigned persona = current()->persona;
    struct new_utsname shown;

    if (likely(!persona))
        return copy_to_user(args->arg[0], &system_name, sizeof(system_name));
    shown = system_name;
    if (persona & UNAME26)
        make_old(shown.release);
    if ((persona & PER_MASK) == PER_LINUX32)
        string_copy(shown.machine, "i686", sizeof(shown.machine));
    return copy_to_user(args->arg[0], &shown, sizeof(shown));
}

/* Exchange one of the names for `length` bytes from user mode. */
static int set_name(char name[__NEW_UTS_LEN + 1], vaddr_t from, int length)
{
    char new[__NEW_UTS_LEN + 1] = { 0 };

    if (!is_privileged())
        return -EPERM;
    if (length < 0 || length > __NEW_UTS_LEN)
        return -EINVAL;
    if (copy_from_user(new, from, (size_t)length))
        return -EFAULT;
    memcpy(name, new, sizeof(new));
    return 0;
}

static void name_take(char name[__NEW_UTS_LEN + 1], const char *text)
{
    size_t n = 0;

    while (n < __NEW_UTS_LEN && text[n] && text[n] != '\n')
        n++;
    memset(name, 0, __NEW_UTS_LEN + 1);
    memcpy(name, text, n);
}

void system_set_host_name(const char *text) { name_take(system_name.nodename, text); }
void system_set_domain_name(const char *text) { name_take(system_name.domainname, text); }

/* sethostname(2), setdomainname(2): name, length. */
int64_t sys_sethostname(const struct syscall_args *args)
{
    return set_name(system_name.nodename, args->arg[0], (int)args->arg[1]);
}

int64_t sys_setdomainname(const struct syscall_args *args)
{
    return set_name(system_name.domainname, args->arg[0], (int)args->arg[1]);
}

/* sysinfo(2): struct sysinfo *. */
int64_t sys_sysinfo(const struct syscall_args *args)
{
    struct frame_figures figures;
    struct sysinfo info = { 0 };

    frame_figures(&figures);
    info.uptime = (long)(clock_nanoseconds() / 1000000000ul);
    for (unsigned i = 0; i < ARRAY_SIZE(sched_load); i++)
        info.loads[i] = sched_load[i] << (SI_LOAD_SHIFT - LOAD_SHIFT);
    info.totalram = figures.total * PAGE_SIZE;
    info.freeram = figures.free * PAGE_SIZE;
    info.sharedram = figures.by_kind[FRAME_SHM] * PAGE_SIZE;
    info.procs = (unsigned short)process_figures.count;
    info.mem_unit = 1;
    return copy_to_user(args->arg[0], &info, sizeof(info));
}

/* getrandom(2): buffer, length, flags. Never waits: the generator is there from boot on. */
int64_t sys_getrandom(const struct syscall_args *args)
{
    uint64_t length = MIN(args->arg[1], RANDOM_MAX), done = 0;
    unsigned flags = (unsigned)args->arg[2];

    if ((flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
        (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    while (done < length) {
        uint64_t words[8];
        size_t n = MIN(length - done, sizeof(words));

        if (done && is_aligned(done, PAGE_SIZE)) {
            if (signal_is_pending(current()))
                break;
            sched_yield_if_needed();
        }
        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
            words[i] = machine_random();
        if (copy_to_user(args->arg[0] + done, words, n))
            return -EFAULT;
        done += n;
    }
    return (int64_t)done;
}

/* reboot(2): magic, magic2, command. */
int64_t sys_reboot(const struct syscall_args *args)
{
    unsigned magic2 = (unsigned)args->arg[1];

    if (!is_privileged())
        return -EPERM;
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
    case LINUX_REBOOT_CMD_CAD_OFF:
    case LINUX_REBOOT_CMD_CAD_ON: /* no keyboard, no Ctrl-Alt-Del */
        return 0;
    default:
        return -EINVAL;
    }
}
