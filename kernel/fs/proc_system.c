// SPDX-License-Identifier: MIT
/*
 * proc_system.c: the files of /proc that tell about the machine. A line is there only where its figure is
 * true; what is not built yet (swap, reclaim, huge pages) has none.
 */
#include "arch/x86_64/machine.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/path.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/version.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "mm/slab.h"

static void meminfo_pages(struct text *text, const char *label, uint64_t pages)
{
    text_printf(text, "%-16s%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

/*
 * The figures are taken before the first line is written, for the text itself takes a frame. Nothing can be
 * reclaimed yet, so what is available is what is free. KernelStack: a stack for each process until it has
 * been waited for.
 */
static int meminfo_show(struct text *text, const struct proc_id *id)
{
    struct frame_figures frames;
    uint64_t committed = commit_total();
    frame_figures(&frames);
    (void)id;
    meminfo_pages(text, "MemTotal:", frames.total);
    meminfo_pages(text, "MemFree:", frames.free);
    meminfo_pages(text, "MemAvailable:", frames.free);
    meminfo_pages(text, "Cached:", frames.by_kind[FRAME_FILE] + frames.by_kind[FRAME_SHM]);
    meminfo_pages(text, "AnonPages:", frames.by_kind[FRAME_ANON]);
    meminfo_pages(text, "Shmem:", frames.by_kind[FRAME_SHM]);
    meminfo_pages(text, "Slab:", frames.by_kind[FRAME_SLAB]);
    meminfo_pages(text, "KernelStack:", process_figures.count * (KSTACK_SIZE >> PAGE_SHIFT));
    meminfo_pages(text, "PageTables:", frames.by_kind[FRAME_TABLE]);
    meminfo_pages(text, "Committed_AS:", committed);
    return 0;
}

/* Seconds since boot, and those in which nothing ran; two decimals each. */
static int uptime_show(struct text *text, const struct proc_id *id)
{
    uint64_t now = clock_nanoseconds() / 10000000;
    (void)id;
    text_printf(text, "%lu.%02lu %lu.%02lu\n", now / 100, now % 100, sched_ticks.idle / TIMER_HZ,
                sched_ticks.idle % TIMER_HZ * (100 / TIMER_HZ));
    return 0;
}

/* cpu: user nice system idle, then kinds of time that are not told apart here. */
static int stat_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    for (unsigned line = 0; line < 2; line++)
        text_printf(text, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", line ? "cpu0" : "cpu ", sched_ticks.user,
                    sched_ticks.system, sched_ticks.idle);
    text_printf(text, "btime %lu\nprocesses %lu\nprocs_running %u\n", clock_boot_time() / 1000000000,
                process_figures.forks, sched_runnable());
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

static int mounts_show(struct text *text, const struct proc_id *id)
{
    char *path = kmalloc(PATH_MAX);
    (void)id;
    if (!path)
        return -ENOMEM;
    for (const struct filesystem *mount = fs_mounts; mount; mount = mount->next) {
        if (path_of(mount->root, path, PATH_MAX) < 0)
            continue;
        text_printf(text, "%s ", mount->type);
        text_string(text, path);
        text_printf(text, " %s %s 0 0\n", mount->type, mount->read_only ? "ro" : "rw");
    }
    kfree(path);
    return 0;
}

static int filesystems_show(struct text *text, const struct proc_id *id)
{
    (void)id;
    for (const struct filesystem *mount = fs_mounts; mount; mount = mount->next)
        text_printf(text, "nodev\t%s\n", mount->type);
    return 0;
}

static ssize_type self_readlink(struct inode *inode, char *target, size_t size)
{
    (void)inode;
    int length = snprintf(target, size, "%d", current()->pid);
    return (size_t)length < size ? length : -ENAMETOOLONG;
}

static const struct inode_ops self_ops = { .readlink = self_readlink, .destroy = proc_destroy };

const struct proc_entry proc_system_entries[] = {
    { "cmdline", S_IFREG | 0444, cmdline_show, NULL },
    { "filesystems", S_IFREG | 0444, filesystems_show, NULL },
    { "meminfo", S_IFREG | 0444, meminfo_show, NULL },
    { "mounts", S_IFREG | 0444, mounts_show, NULL },
    { "self", S_IFLNK | 0777, NULL, &self_ops },
    { "stat", S_IFREG | 0444, stat_show, NULL },
    { "uptime", S_IFREG | 0444, uptime_show, NULL },
    { "version", S_IFREG | 0444, version_show, NULL },
    { NULL, 0, NULL, NULL },
};
