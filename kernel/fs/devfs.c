// SPDX-License-Identifier: MIT
/*
 * devfs.c: /dev: the devices, by number and by name. Numbers are Linux's (admin-guide/devices).
 *
 * The directory is a tmpfs with a node for each row of the table, as Linux's devtmpfs is. A node only has a
 * number: what opening it means is looked up here, so a node made elsewhere by mknod(2) does the same.
 *
 * null swallows and is always at its end; zero and full give zeroes, full has no room for a byte; random and
 * urandom give what the machine's generator gives. Terminals are tty.c's.
 */
#include "kernel/fs/devfs.h"

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/kmsg.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/assert.h"
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
    (void)file, (void)from, (void)offset;
    return -ENOSPC;
}

/* There are no places in them: the position is 0 wherever one goes. */
static int64_t seek_nowhere(struct file *file, int64_t offset, unsigned whence)
{
    (void)offset, (void)whence;
    file->position = 0;
    return 0;
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

/* What is given to the generator is read, so that a bad address is told, and not used: it is the machine's own. */
static ssize_type random_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    char bytes[256];
    size_t done = 0;
    (void)file, (void)offset;
    while (done < from->length && long_call_goes_on()) {
        size_t n = MIN(sizeof bytes, from->length - done);
        ssize_type copied = buffer_get(from, done, bytes, n);
        if (copied <= 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < n)
            break;
    }
    return (ssize_type)done;
}

static const struct inode_ops null_ops = { .read = null_read, .write = null_write, .seek = seek_nowhere };
static const struct inode_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .seek = seek_nowhere,
    .is_anonymous = true,
};
static const struct inode_ops full_ops = { .read = zero_read, .write = full_write, .seek = seek_nowhere };
/* There is always randomness enough: nothing to tell of. */
static int random_async(struct file *file, int fd)
{
    (void)file, (void)fd;
    return 0;
}

static const struct inode_ops random_ops = {
    .read = random_read,
    .write = random_write,
    .seek = seek_nowhere,
    .async = random_async,
};

static const struct device {
    const char *name;
    unsigned major, minor, permissions;
    const struct inode_ops *ops;
} devices[] = {
    { "console", 5, 1, 0600, &tty_ops },   { "full", 1, 7, 0666, &full_ops },
    { "kmsg", 1, 11, 0644, &kmsg_ops },
    { "null", 1, 3, 0666, &null_ops },     { "random", 1, 8, 0666, &random_ops },
    { "tty", 5, 0, 0666, &tty_own_ops },   { "ttyS0", 4, 64, 0600, &tty_ops },
    { "urandom", 1, 9, 0666, &random_ops }, { "zero", 1, 5, 0666, &zero_ops },
};

const struct inode_ops *device_ops(uint32_t special)
{
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        if (device_encode(devices[i].major, devices[i].minor) == special)
            return devices[i].ops;
    return NULL;
}

/*
 * A file below the root, or panic: this is at boot. Without a reference: nobody removes these before init
 * runs.
 */
static struct inode *file_make(struct inode *root, const char *name, const struct inode_new *new)
{
    struct inode *inode;
    int error = root->ops->create(root, name, strlen(name), new, &inode);
    if (error)
        panic("/dev/%s: error %d", name, -error);
    inode_put(inode);
    return inode;
}

static void link_make(struct inode *root, const char *name, const char *target)
{
    file_make(root, name, &(struct inode_new){ .mode = S_IFLNK | 0777, .target = target });
}

struct filesystem *devfs_create(void)
{
    struct filesystem *devfs = tmpfs_create("devtmpfs", 0755);
    if (!devfs)
        panic("no memory for /dev");
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        file_make(devfs->root, devices[i].name,
                  &(struct inode_new){
                      .mode = S_IFCHR | devices[i].permissions,
                      .special = device_encode(devices[i].major, devices[i].minor),
                  });
    link_make(devfs->root, "fd", "/proc/self/fd");
    link_make(devfs->root, "stdin", "/proc/self/fd/0");
    link_make(devfs->root, "stdout", "/proc/self/fd/1");
    link_make(devfs->root, "stderr", "/proc/self/fd/2");
    return devfs;
}

struct inode *devfs_make_directory(struct filesystem *devfs, const char *name)
{
    return file_make(devfs->root, name, &(struct inode_new){ .mode = S_IFDIR | S_ISVTX | 0777 });
}
