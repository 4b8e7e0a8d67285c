// SPDX-License-Identifier: MIT
/*
 * proc.c: tests of /proc from inside: every file is read with every allocation failing once, and no failure
 * leaves a trace.
 */
#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/selftest.h"
#include "tests/kernel/space.h"

static char page[4096];

/* Read a file to its end. 0 or a negative errno. */
static int read_through(const char *path)
{
    struct inode *inode;
    struct file *file;
    int error = path_lookup(NULL, path, PATH_FOLLOW, &inode);
    if (error)
        return error;
    error = file_open(inode, O_RDONLY | O_NONBLOCK, &file);
    inode_put(inode);
    if (error)
        return error;
    struct buffer buffer = buffer_kernel(page, sizeof page);
    ssize_type n;
    do
        n = file_read(file, &buffer);
    while (n > 0);
    file_put(file);
    return n == -EAGAIN ? 0 : (int)n;
}

static const char *const paths[] = {
    "/proc/self/auxv",
    "/proc/self/cmdline",
    "/proc/self/comm",
    "/proc/self/environ",
    "/proc/self/limits",
    "/proc/self/maps",
    "/proc/self/oom_adj",
    "/proc/self/oom_score",
    "/proc/self/smaps",
    "/proc/self/smaps_rollup",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
    "/proc/self/mounts",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/lazy/faults",
    "/proc/lazy/frames",
    "/proc/lazy/processes",
    "/proc/lazy/tables",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/kernel/random/uuid",
    "/proc/sys/vm/overcommit_memory",
    "/proc/uptime",
    "/proc/version",
    "/proc/vmstat",
};

/* A process with memory of several kinds, some of it shared with a relative. */
static struct aspace *scene_create(struct aspace **relative)
{
    struct aspace *space = space_enter();
    if (!space)
        return NULL;
    vaddr_t private = space_map(space, 40, READ_WRITE, MAP_PRIVATE);
    vaddr_t shared = space_map(space, 4, READ_WRITE, MAP_SHARED);
    for (unsigned i = 0; i < 20; i++)
        EXPECT_EQUAL(space_write(private + i * PAGE_SIZE, 1), 0);
    EXPECT_EQUAL(space_write(shared, 1), 0);
    EXPECT(!aspace_fork(space, relative));
    EXPECT_EQUAL(space_write(private, 2), 0);
    return space;
}

static void sweep(const char *path)
{
    uint64_t free = frame_free_count();
    int error = -ENOMEM;

    for (unsigned n = 1; error == -ENOMEM && n < 100; n++) {
        frame_fail_nth(n);
        error = read_through(path);
        frame_fail_nth(0);
        EXPECT_EQUAL(frame_free_count(), free);
    }
    if (!EXPECT_EQUAL(error, 0))
        ktest_note("%s", path);
}

KTEST(proc, no_failed_allocation_leaves_a_trace)
{
    struct aspace *relative = NULL, *space = scene_create(&relative);
    struct process *process = current();

    REQUIRE(space && relative && !process->aspace);
    process->aspace = space;
    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
        sweep(paths[i]);
    process->aspace = NULL;
    aspace_put(relative);
    space_leave(space);
}

KTEST(proc, a_number_is_read_as_linux_reads_it)
{
    struct inode *inode;
    struct file *file;
    REQUIRE(!path_lookup(NULL, "/proc/self/oom_score_adj", PATH_FOLLOW, &inode));
    REQUIRE(!file_open(inode, O_RDWR, &file));
    inode_put(inode);
    struct buffer seven = buffer_kernel((char[]){ " 0x7\n" }, 5), junk = buffer_kernel((char[]){ "7x" }, 2);
    EXPECT_EQUAL(file_write(file, &seven), 5);
    EXPECT_EQUAL(current()->oom_score_adj, 7);
    EXPECT_EQUAL(file_write(file, &junk), -EINVAL);
    EXPECT_EQUAL(current()->oom_score_adj, 7);
    current()->oom_score_adj = 0;
    file_put(file);
}
