// SPDX-License-Identifier: MIT
/*
 * sys_file.c: the system calls that move bytes through open files.
 */
#include <asm/ioctls.h>
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* No call moves more (read(2), "On Linux … at most 0x7ffff000"). */
#define TRANSFER_MAX 0x7ffff000ul

typedef ssize_type (*transfer)(struct file *file, const struct buffer *buffer);
typedef ssize_type (*transfer_offset)(struct file *file, const struct buffer *buffer, uint64_t offset);

/* Can [address, address + length) be user memory at all? What lies there is found out when it is touched. */
static bool range_is_user(uint64_t address, uint64_t length)
{
    return length <= USER_END && address <= USER_END - length;
}

static int64_t transfer_one(const struct syscall_args *args, transfer move)
{
    struct file *file = files_get((int)args->arg[0]);
    if (!file)
        return -EBADF;
    if (!range_is_user(args->arg[1], args->arg[2]))
        return -EFAULT;
    struct buffer buffer = buffer_user(args->arg[1], MIN(args->arg[2], TRANSFER_MAX));
    return move(file, &buffer);
}

int64_t sys_read(const struct syscall_args *args) { return transfer_one(args, file_read); }
int64_t sys_write(const struct syscall_args *args) { return transfer_one(args, file_write); }

static int64_t transfer_at(const struct syscall_args *args, transfer_offset move)
{
    struct file *file = files_get((int)args->arg[0]);
    if ((int64_t)args->arg[3] < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (!range_is_user(args->arg[1], args->arg[2]))
        return -EFAULT;
    struct buffer buffer = buffer_user(args->arg[1], MIN(args->arg[2], TRANSFER_MAX));
    return move(file, &buffer, args->arg[3]);
}

int64_t sys_pread64(const struct syscall_args *args) { return transfer_at(args, file_read_at); }
int64_t sys_pwrite64(const struct syscall_args *args) { return transfer_at(args, file_write_at); }

/* ---- readv, writev ---- */

#define PARTS_ON_STACK 8

/* Sum up the parts, cut so that the sum is at most TRANSFER_MAX. The sum, -EINVAL, -EFAULT. */
static int64_t parts_length(struct iovec *parts, unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((int64_t)parts[i].iov_len < 0)
            return -EINVAL;
        if (!range_is_user((uint64_t)parts[i].iov_base, parts[i].iov_len))
            return -EFAULT;
        parts[i].iov_len = MIN(parts[i].iov_len, TRANSFER_MAX - sum);
        sum += parts[i].iov_len;
    }
    return (int64_t)sum;
}

static int64_t transfer_parts(const struct syscall_args *args, transfer move)
{
    struct iovec on_stack[PARTS_ON_STACK], *parts = on_stack;
    struct file *file = files_get((int)args->arg[0]);
    uint64_t count = args->arg[2];
    if (!file)
        return -EBADF;
    if (count > UIO_MAXIOV)
        return -EINVAL;
    if (count > PARTS_ON_STACK && !(parts = kmalloc(count * sizeof *parts)))
        return -ENOMEM;
    int64_t result = copy_from_user(parts, args->arg[1], count * sizeof *parts);
    if (!result)
        result = parts_length(parts, (unsigned)count);
    if (result >= 0) {
        struct buffer buffer = {
            .length = (size_t)result, .is_user = true, .parts = parts, .part_count = (unsigned)count,
        };
        result = move(file, &buffer);
    }
    if (parts != on_stack)
        kfree(parts);
    return result;
}

int64_t sys_readv(const struct syscall_args *args) { return transfer_parts(args, file_read); }
int64_t sys_writev(const struct syscall_args *args) { return transfer_parts(args, file_write); }

/* ---- lseek, ioctl ---- */

int64_t sys_lseek(const struct syscall_args *args)
{
    struct file *file = files_get((int)args->arg[0]);
    int64_t offset = (int64_t)args->arg[1], base;
    if (!file)
        return -EBADF;
    if (file->inode->ops->is_stream)
        return -ESPIPE;
    switch (args->arg[2]) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = (int64_t)file->position;
        break;
    case SEEK_END:
        base = (int64_t)file->inode->size;
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    file->position = (uint64_t)base;
    return base;
}

/* The commands that concern the open file itself are done here, all others by its kind. */
int64_t sys_ioctl(const struct syscall_args *args)
{
    struct file *file = files_get((int)args->arg[0]);
    unsigned command = (unsigned)args->arg[1];
    if (!file)
        return -EBADF;
    if (command == FIOCLEX || command == FIONCLEX) {
        files_set_close_on_exec((int)args->arg[0], command == FIOCLEX);
        return 0;
    }
    if (command == FIONBIO) {
        int on;
        if (copy_from_user(&on, args->arg[2], sizeof on))
            return -EFAULT;
        file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(unsigned)O_NONBLOCK;
        return 0;
    }
    return file->inode->ops->ioctl ? file->inode->ops->ioctl(file, command, args->arg[2]) : -ENOTTY;
}

/* ---- sendfile ---- */

/*
 * Copy up to `count` bytes through a page: `in` is read at *offset, which moves by what was written. What the
 * output does not take is read again by the next call.
 */
static int64_t sendfile_copy(struct file *out, struct file *in, uint64_t *offset, uint64_t count, void *page)
{
    int64_t done = 0;
    while (count) {
        struct buffer buffer = buffer_kernel(page, MIN(count, PAGE_SIZE));
        ssize_type n = file_read_at(in, &buffer, *offset);
        if (n > 0) {
            buffer.length = (size_t)n;
            n = file_write(out, &buffer);
        }
        if (n <= 0)
            return done ? done : n;
        done += n;
        *offset += (uint64_t)n;
        count -= (uint64_t)n;
        if ((size_t)n < buffer.length || signal_is_pending(current()))
            break;
    }
    return done;
}

int64_t sys_sendfile(const struct syscall_args *args)
{
    struct file *out = files_get((int)args->arg[0]), *in = files_get((int)args->arg[1]);
    uint64_t user_offset = args->arg[2], offset;
    if (!out || !in || !file_is_writable(out) || !file_is_readable(in))
        return -EBADF;
    if (in->inode->ops->is_stream)
        return user_offset ? -ESPIPE : -EINVAL;
    offset = in->position;
    if (user_offset && copy_from_user(&offset, user_offset, sizeof offset))
        return -EFAULT;
    if ((int64_t)offset < 0)
        return -EINVAL;
    void *page = kmalloc(PAGE_SIZE);
    if (!page)
        return -ENOMEM;
    int64_t result = sendfile_copy(out, in, &offset, MIN(args->arg[3], TRANSFER_MAX), page);
    kfree(page);
    if (result < 0)
        return result;
    if (!user_offset)
        in->position = offset;
    else if (copy_to_user(user_offset, &offset, sizeof offset))
        return -EFAULT;
    return result;
}
