// SPDX-License-Identifier: MIT
/*
 * proc_system.c: the files of /proc that tell about the machine. A line is there only where its figure is
 * true; what is not built yet (swap, reclaim, huge pages) has none.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/machine.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/path.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/lib/version.h"
#include "kernel/sched.h"
#include "mm/slab.h"

/* Seconds since boot, and those in which nothing ran; two decimals each. */
static int uptime_show(struct text *text, const struct proc_id *id)
{
    uint64_t now = clock_nanoseconds() / 10000000;
    (void)id;
    text_printf(text, "%lu.%02lu %lu.%02lu\n", now / 100, now % 100, sched_ticks.idle / TIMER_HZ,
                sched_ticks.idle % TIMER_HZ * (100 / TIMER_HZ));
    return 0;
}

/* The total, then one figure a line of the interrupt controller. */
static void stat_interrupts(struct text *text)
{
    uint64_t total = 0;
    for (unsigned irq = 0; irq < IRQS; irq++)
        total += irq_count(irq);
    text_printf(text, "intr %lu", total);
    for (unsigned irq = 0; irq < IRQS; irq++)
        text_printf(text, " %lu", irq_count(irq));
    text_string(text, "\n");
}

static int count_blocked(struct process *process, void *count)
{
    *(unsigned *)count += process->state == PROCESS_UNINTERRUPTIBLE;
    return 0;
}

/* cpu: user nice system idle iowait irq softirq steal guest guest_nice; those that say 0 are not told apart. */
static int stat_show(struct text *text, const struct proc_id *id)
{
    unsigned blocked = 0;
    (void)id;
    (void)process_visit(count_blocked, &blocked);
    for (unsigned line = 0; line < 2; line++)
        text_printf(text, "%s %lu 0 %lu %lu 0 0 0 %lu 0 0\n", line ? "cpu0" : "cpu ", sched_ticks.user,
                    sched_ticks.system, sched_ticks.idle, sched_ticks.stolen);
    stat_interrupts(text);
    text_printf(text, "ctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\nprocs_blocked %u\n",
                sched_switches, clock_boot_time() / 1000000000, process_figures.forks, sched_runnable(),
                blocked);
    return 0;
}

/* The load of 1, 5 and 15 minutes to the nearest hundredth; runnable of all processes; the last pid. */
static int loadavg_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    for (unsigned i = 0; i < ARRAY_SIZE(sched_load); i++) {
        unsigned long load = sched_load[i] + (1ul << LOAD_SHIFT) / 200;
        unsigned long fraction = load & ((1ul << LOAD_SHIFT) - 1);
        text_printf(text, "%lu.%02lu ", load >> LOAD_SHIFT, fraction * 100 >> LOAD_SHIFT);
    }
    text_printf(text, "%u/%u %d\n", sched_runnable(), process_figures.count, process_figures.last_pid);
    return 0;
}

/* There are no swap areas: the heading alone. */
static int swaps_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

static void cpuinfo_flag(const char *name, void *text)
{
    text_string(text, " ");
    text_string(text, name);
}

static int cpuinfo_show(struct text *text, const struct proc_id *id)
{
    struct cpu_identity cpu;
    uint64_t hertz = clock_tsc_frequency();
    (void)id;
    cpu_identify(&cpu);
    text_printf(text, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu.vendor,
                cpu.family, cpu.model);
    text_printf(text, "model name\t: %s\nstepping\t: %u\n", cpu_model(), cpu.stepping);
    text_printf(text, "cpu MHz\t\t: %lu.%03lu\n", hertz / 1000000, hertz / 1000 % 1000);
    text_string(text, "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n");
    text_printf(text, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:",
                cpu.last_leaf);
    cpu_for_each_feature(cpuinfo_flag, text);
    text_printf(text, "\nclflush size\t: %u\ncache_alignment\t: %u\n", cpu.flush_bytes, cpu.flush_bytes);
    text_printf(text, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
                cpu.physical_bits, cpu.virtual_bits);
    return 0;
}

static int cmdline_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, params_line());
    text_string(text, "\n");
    return 0;
}

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int version_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    text_string(text, "Linux version " KERNEL_RELEASE " (" COMPILER ") " KERNEL_VERSION "\n");
    return 0;
}

static void mount_rights_show(struct text *text, unsigned flags)
{
    text_string(text, flags & MS_RDONLY ? "ro" : "rw");
}

/* What mount(8) shows of a mount's flags. */
static void mount_flags_show(struct text *text, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        { MS_NOSUID, ",nosuid" },   { MS_NODEV, ",nodev" },           { MS_NOEXEC, ",noexec" },
        { MS_NOATIME, ",noatime" }, { MS_NODIRATIME, ",nodiratime" },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].flag)
            text_string(text, names[i].name);
    if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
        text_string(text, ",relatime");
}

static void filesystem_flags_show(struct text *text, unsigned flags)
{
    text_string(text, flags & MS_SYNCHRONOUS ? ",sync" : "");
    text_string(text, flags & MS_DIRSYNC ? ",dirsync" : "");
}

static void filesystem_options_show(struct text *text, const struct filesystem *filesystem)
{
    char options[128];
    if (!filesystem->options)
        return;
    filesystem->options(filesystem, options, sizeof options);
    text_string(text, options);
}

static const char *filesystem_source(const struct filesystem *filesystem)
{
    return filesystem->source ? filesystem->source : filesystem->type;
}

/* A name, with blanks and backslashes as three octal digits (proc(5), mountinfo; getmntent(3)). */
static void name_show(struct text *text, const char *name)
{
    for (; *name; name++)
        if (*name == ' ' || *name == '\t' || *name == '\n' || *name == '\\')
            text_printf(text, "\\%03o", *name);
        else
            text_printf(text, "%c", *name);
}

static int mounts_visit(struct text *text,
                        void (*show)(struct text *text, const struct filesystem *mount, const char *path))
{
    char *path = kmalloc(PATH_MAX);
    if (!path)
        return -ENOMEM;
    for (const struct filesystem *mount = fs_mounts; mount; mount = mount->next)
        if (path_of(mount->root, path, PATH_MAX) >= 0)
            show(text, mount, path);
    kfree(path);
    return 0;
}

static void mounts_line(struct text *text, const struct filesystem *mount, const char *path)
{
    name_show(text, filesystem_source(mount));
    text_string(text, " ");
    name_show(text, path);
    text_printf(text, " %s ", mount->type);
    mount_rights_show(text, mount->flags);
    filesystem_flags_show(text, mount->flags);
    mount_flags_show(text, mount->flags);
    filesystem_options_show(text, mount);
    text_string(text, " 0 0\n");
}

int proc_mounts_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    return mounts_visit(text, mounts_line);
}

/* proc(5), mountinfo. A mount's number is its file system's; the root lies in no other. */
static void mountinfo_line(struct text *text, const struct filesystem *mount, const char *path)
{
    const struct filesystem *under = mount->covered ? mount->covered->filesystem : mount;
    text_printf(text, "%u %u 0:%u / ", mount->device, under->device, mount->device);
    name_show(text, path);
    text_string(text, " ");
    mount_rights_show(text, mount->flags);
    mount_flags_show(text, mount->flags);
    text_printf(text, " - %s ", mount->type);
    name_show(text, filesystem_source(mount));
    text_string(text, " ");
    mount_rights_show(text, mount->flags);
    filesystem_flags_show(text, mount->flags);
    filesystem_options_show(text, mount);
    text_string(text, "\n");
}

int proc_mountinfo_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    return mounts_visit(text, mountinfo_line);
}

/* Is no file system of its type mounted before it? */
static bool first_of_type(const struct filesystem *mount)
{
    const struct filesystem *other = fs_mounts;
    while (strcmp(other->type, mount->type))
        other = other->next;
    return other == mount;
}

static int filesystems_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    for (const struct filesystem *mount = fs_mounts; mount; mount = mount->next)
        if (first_of_type(mount))
            text_printf(text, "nodev\t%s\n", mount->type);
    return 0;
}

static ssize_type self_readlink(struct inode *inode, char *target, size_t size)
{
    (void)inode;
    int length = snprintf(target, size, "%d", current()->leader->pid);
    return (size_t)length < size ? length : -ENAMETOOLONG;
}

static ssize_type thread_self_readlink(struct inode *inode, char *target, size_t size)
{
    (void)inode;
    int length = snprintf(target, size, "%d/task/%d", current()->leader->pid, current()->pid);
    return (size_t)length < size ? length : -ENAMETOOLONG;
}

/* Everybody sees the mounts as one's own directory tells of them. */
static ssize_type mounts_readlink(struct inode *inode, char *target, size_t size)
{
    (void)inode;
    int length = snprintf(target, size, "self/mounts");
    return (size_t)length < size ? length : -ENAMETOOLONG;
}

static const struct inode_ops mounts_ops = { .readlink = mounts_readlink, .destroy = proc_destroy };
static const struct inode_ops thread_self_ops = { .readlink = thread_self_readlink, .destroy = proc_destroy };
static const struct inode_ops self_ops = { .readlink = self_readlink, .destroy = proc_destroy };

const struct proc_entry proc_system_entries[] = {
    PROC_TEXT("buddyinfo", proc_buddyinfo_show),
    PROC_TEXT("cmdline", cmdline_show),
    PROC_TEXT("cpuinfo", cpuinfo_show),
    PROC_TEXT("devices", proc_devices_show),
    PROC_TEXT("diskstats", proc_no_disks_show),
    PROC_TEXT("filesystems", filesystems_show),
    PROC_TEXT("interrupts", proc_interrupts_show),
    PROC_NODE("kmsg", S_IFREG | 0400, &proc_kmsg_ops),
    PROC_DIRECTORY("lazy", proc_lazy_entries),
    PROC_TEXT("loadavg", loadavg_show),
    PROC_TEXT("meminfo", proc_meminfo_show),
    PROC_NODE("mounts", S_IFLNK | 0777, &mounts_ops),
    PROC_TEXT("partitions", proc_no_disks_show),
    PROC_NODE("self", S_IFLNK | 0777, &self_ops),
    PROC_TEXT("stat", stat_show),
    PROC_TEXT("swaps", swaps_show),
    PROC_DIRECTORY("sys", proc_sys_entries),
    PROC_DIRECTORY("sysvipc", proc_sysvipc_entries),
    PROC_NODE("thread-self", S_IFLNK | 0777, &thread_self_ops),
    PROC_TEXT("uptime", uptime_show),
    PROC_TEXT("version", version_show),
    PROC_TEXT("vmstat", proc_vmstat_show),
    PROC_END,
};
