// SPDX-License-Identifier: MIT
/*
 * devfs.c: /dev: one directory with one row a device. Device numbers are Linux's (admin-guide/devices).
 *
 * null swallows and is always at its end; zero and full give zeroes, full has no room for a byte; random and
 * urandom give what the machine's generator gives. Terminals are tty.c's.
 */
#include "kernel/fs/devfs.h"

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/zero.h"

static ssize_type null_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    (void)file, (void)to, (void)offset;
    return 0;
}

static ssize_type null_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    (void)file, (void)offset;
    return (ssize_type)from->length;
}

static ssize_type full_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    (void)file, (void)offset;
    return from->length ? -ENOSPC : 0;
}

/*
 * Fill a buffer from a page that next() gives, piece by piece. A long read ends early when a signal waits.
 */
static ssize_type buffer_fill(const struct buffer *to, const void *(*next)(void *scratch), void *scratch,
                              size_t size)
{
    size_t done = 0;
    while (done < to->length && !(done && signal_is_pending(current()))) {
        size_t chunk = MIN(size, to->length - done);
        ssize_type copied = buffer_put(to, done, next(scratch), chunk);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < chunk)
            break;
    }
    return (ssize_type)done;
}

static const void *zero_next(void *scratch)
{
    (void)scratch;
    return frame_address(zero_frame());
}

static ssize_type zero_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    (void)file, (void)offset;
    return buffer_fill(to, zero_next, NULL, PAGE_SIZE);
}

#define RANDOM_WORDS 32

static const void *random_next(void *scratch)
{
    uint64_t *words = scratch;
    for (unsigned i = 0; i < RANDOM_WORDS; i++)
        words[i] = machine_random();
    return words;
}

static ssize_type random_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    uint64_t words[RANDOM_WORDS];
    (void)file, (void)offset;
    return buffer_fill(to, random_next, words, sizeof words);
}

static const struct inode_ops null_ops = { .read = null_read, .write = null_write };
static const struct inode_ops zero_ops = { .read = zero_read, .write = null_write };
static const struct inode_ops full_ops = { .read = zero_read, .write = full_write };
static const struct inode_ops random_ops = { .read = random_read, .write = null_write };

static struct inode *devfs_lookup(struct inode *directory, const char *name, size_t length, int *error);
static int devfs_list(struct inode *directory, int64_t from, directory_emit emit, void *arg);

static const struct inode_ops root_ops = { .lookup = devfs_lookup, .list = devfs_list };

static struct filesystem devfs = { .type = "devtmpfs" };
static struct inode root = {
    .refs = 1,
    .mode = S_IFDIR | 0755,
    .links = 2,
    .ops = &root_ops,
    .filesystem = &devfs,
};

static const struct device {
    const char *name;
    unsigned major, minor, permissions;
    const struct inode_ops *ops;
} devices[] = {
    { "console", 5, 1, 0600, &tty_ops },   { "full", 1, 7, 0666, &full_ops },
    { "null", 1, 3, 0666, &null_ops },     { "random", 1, 8, 0666, &random_ops },
    { "tty", 5, 0, 0666, &tty_own_ops },   { "ttyS0", 4, 64, 0600, &tty_ops },
    { "urandom", 1, 9, 0666, &random_ops }, { "zero", 1, 5, 0666, &zero_ops },
};

static struct inode inodes[ARRAY_SIZE(devices)];

struct inode *devfs_device(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        if (!strcmp(devices[i].name, name))
            return &inodes[i];
    return NULL;
}

static struct inode *devfs_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    (void)directory;
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        if (!strncmp(devices[i].name, name, length) && !devices[i].name[length])
            return inode_get(&inodes[i]);
    *error = -ENOENT;
    return NULL;
}

static int devfs_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    (void)directory;
    for (size_t i = (size_t)from; i < ARRAY_SIZE(devices); i++) {
        const struct inode *inode = &inodes[i];
        if (!emit(arg, inode->name, strlen(inode->name), inode->number, inode->mode, (int64_t)i + 1))
            break;
    }
    return 0;
}

struct filesystem *devfs_create(void)
{
    root.number = inode_number_new();
    root.mtime = inode_time_now();
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        inodes[i] = (struct inode){
            .refs = 1,
            .mode = S_IFCHR | devices[i].permissions,
            .number = inode_number_new(),
            .links = 1,
            .special = device_encode(devices[i].major, devices[i].minor),
            .mtime = root.mtime,
            .ops = devices[i].ops,
            .filesystem = &devfs,
            .parent = inode_get(&root),
            .name = devices[i].name,
        };
    devfs.root = &root;
    return &devfs;
}
