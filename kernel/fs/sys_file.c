// SPDX-License-Identifier: MIT
/*
 * sys_file.c: the system calls that move bytes through open files.
 */
#include <asm/ioctls.h>
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/parts.h"
#include "kernel/fs/sys_fcntl.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

typedef ssize_type (*transfer)(struct file *file, const struct buffer *buffer);
typedef ssize_type (*transfer_offset)(struct file *file, const struct buffer *buffer, uint64_t offset);

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

static int64_t transfer_parts(const struct syscall_args *args, transfer move)
{
    struct iovec on_stack[PARTS_ON_STACK];
    struct buffer buffer;
    struct file *file = files_get((int)args->arg[0]);
    if (!file)
        return -EBADF;
    int64_t result = parts_get(args->arg[1], args->arg[2], on_stack, &buffer);
    if (result >= 0)
        result = move(file, &buffer);
    parts_put(&buffer, on_stack);
    return result;
}

int64_t sys_readv(const struct syscall_args *args) { return transfer_parts(args, file_read); }
int64_t sys_writev(const struct syscall_args *args) { return transfer_parts(args, file_write); }

/* The offset comes in two words, of which the first holds all on a 64-bit machine (preadv(2)). */
static int64_t transfer_parts_at(const struct syscall_args *args, transfer_offset move)
{
    struct iovec on_stack[PARTS_ON_STACK];
    struct buffer buffer;
    struct file *file = files_get((int)args->arg[0]);
    if ((int64_t)args->arg[3] < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    int64_t result = parts_get(args->arg[1], args->arg[2], on_stack, &buffer);
    if (result >= 0)
        result = move(file, &buffer, args->arg[3]);
    parts_put(&buffer, on_stack);
    return result;
}

int64_t sys_preadv(const struct syscall_args *args) { return transfer_parts_at(args, file_read_at); }
int64_t sys_pwritev(const struct syscall_args *args) { return transfer_parts_at(args, file_write_at); }

/* What these two ask for beside the transfer is true of every transfer here; other wishes are not built. */
#define TRANSFER_FLAGS ((unsigned)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))

/* preadv2(2), pwritev2(2): an offset of -1 is the file's position. */
static int64_t transfer_parts_with(const struct syscall_args *args, transfer move, transfer_offset move_at)
{
    if ((unsigned)args->arg[5] & ~TRANSFER_FLAGS)
        return files_get((int)args->arg[0]) ? -EOPNOTSUPP : -EBADF;
    return (int64_t)args->arg[3] == -1 ? transfer_parts(args, move) : transfer_parts_at(args, move_at);
}

int64_t sys_preadv2(const struct syscall_args *args)
{
    return transfer_parts_with(args, file_read, file_read_at);
}

int64_t sys_pwritev2(const struct syscall_args *args)
{
    return transfer_parts_with(args, file_write, file_write_at);
}

/* ---- lseek, ioctl ---- */

int64_t sys_lseek(const struct syscall_args *args)
{
    struct file *file = files_get((int)args->arg[0]);
    int64_t offset = (int64_t)args->arg[1], base;
    if (!file || file_is_path(file))
        return -EBADF;
    if ((unsigned)args->arg[2] > SEEK_HOLE)
        return -EINVAL;
    if (file->ops->seek)
        return file->ops->seek(file, offset, (unsigned)args->arg[2]);
    if (file->ops->is_stream)
        return -ESPIPE;
    switch ((unsigned)args->arg[2]) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = (int64_t)file->position;
        break;
    case SEEK_END:
        if (S_ISDIR(file->inode->mode))
            return -EINVAL; /* places in a directory have no order */
        base = (int64_t)file->inode->size;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (!file->inode->ops->seek_data)
            return -EINVAL;
        base = -ENXIO;
        if (offset >= 0)
            base = file->inode->ops->seek_data(file->inode, (uint64_t)offset, (int)args->arg[2]);
        if (base < 0)
            return base;
        file->position = (uint64_t)base;
        return base;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    file->position = (uint64_t)base;
    return base;
}

/* What an inode of any kind can be asked about its size (ioctl(2)); -ENOTTY: another command. */
static int64_t ioctl_size(const struct file *file, unsigned command, uint64_t user)
{
    const struct inode *inode = file->inode;
    bool has_contents = S_ISREG(inode->mode) || S_ISDIR(inode->mode);
    if (command == FIGETBSZ) {
        int size = (int)inode_block_size(inode);
        return copy_to_user(user, &size, sizeof size);
    }
    if (command == FIOQSIZE && has_contents) {
        uint64_t occupied = inode_blocks(inode) * 512;
        return copy_to_user(user, &occupied, sizeof occupied);
    }
    if (command == FIONREAD && S_ISREG(inode->mode)) {
        int left = (int)(inode->size - file->position);
        return copy_to_user(user, &left, sizeof left);
    }
    return -ENOTTY;
}

/* The commands that concern the open file itself are done here, all others by its kind. */
int64_t sys_ioctl(const struct syscall_args *args)
{
    struct file *file = files_get((int)args->arg[0]);
    unsigned command = (unsigned)args->arg[1];
    if (!file || file_is_path(file))
        return -EBADF;
    if (command == FIOCLEX || command == FIONCLEX) {
        files_set_close_on_exec((int)args->arg[0], command == FIOCLEX);
        return 0;
    }
    if (command == FIONBIO || command == FIOASYNC) {
        int on;
        if (copy_from_user(&on, args->arg[2], sizeof on))
            return -EFAULT;
        if (command == FIOASYNC)
            return file_set_async(file, (int)args->arg[0], on);
        file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(unsigned)O_NONBLOCK;
        return 0;
    }
    int64_t result = ioctl_size(file, command, args->arg[2]);
    return result == -ENOTTY && file->ops->ioctl ? file->ops->ioctl(file, command, args->arg[2]) : result;
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
        if ((size_t)n < buffer.length || !long_call_goes_on())
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
    if (in->ops->is_stream)
        return user_offset ? -ESPIPE : -EINVAL;
    if (!S_ISREG(in->inode->mode) || out->flags & O_APPEND || (int64_t)args->arg[3] < 0)
        return -EINVAL;
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

/* ---- copy_file_range ---- */

/* The offset that a call works at: the user's, or the file's position. 0, -EFAULT, -EOVERFLOW. */
static int offset_get(const struct file *file, uint64_t user, uint64_t *offset)
{
    *offset = file->position;
    if (user && copy_from_user(offset, user, sizeof *offset))
        return -EFAULT;
    return (int64_t)*offset < 0 ? -EOVERFLOW : 0;
}

static int offset_put(struct file *file, uint64_t user, uint64_t offset)
{
    if (user)
        return copy_to_user(user, &offset, sizeof offset);
    file->position = offset;
    return 0;
}

static int copy_range_check(const struct file *in, const struct file *out)
{
    if (!in || !out || file_is_path(in) || file_is_path(out))
        return -EBADF;
    if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
        return -EISDIR;
    if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode) || !out->ops->write)
        return -EINVAL;
    if (!file_is_readable(in) || !file_is_writable(out) || out->flags & O_APPEND)
        return -EBADF;
    return in->inode->filesystem == out->inode->filesystem ? 0 : -EXDEV;
}

static int64_t copy_range(struct file *in, uint64_t *from, struct file *out, uint64_t *to, uint64_t count)
{
    void *page = kmalloc(PAGE_SIZE);
    int64_t done = 0;
    if (!page)
        return -ENOMEM;
    while (count) {
        struct buffer buffer = buffer_kernel(page, MIN(count, PAGE_SIZE));
        ssize_type n = file_read_at(in, &buffer, *from);
        if (n > 0) {
            buffer.length = (size_t)n;
            n = file_write_at(out, &buffer, *to);
        }
        if (n <= 0) {
            done = done ? done : n;
            break;
        }
        done += n;
        *from += (uint64_t)n;
        *to += (uint64_t)n;
        count -= (uint64_t)n;
        if (!long_call_goes_on())
            break;
    }
    kfree(page);
    return done;
}

int64_t sys_copy_file_range(const struct syscall_args *args)
{
    struct file *in = files_get((int)args->arg[0]), *out = files_get((int)args->arg[2]);
    uint64_t from, to, count = MIN(args->arg[4], TRANSFER_MAX);
    if (args->arg[5])
        return -EINVAL;
    int error = copy_range_check(in, out);
    if (!error)
        error = offset_get(in, args->arg[1], &from);
    if (!error)
        error = offset_get(out, args->arg[3], &to);
    if (error)
        return error;
    if (in->inode == out->inode && from < to + count && to < from + count)
        return -EINVAL;
    int64_t result = copy_range(in, &from, out, &to, count);
    if (result < 0)
        return result;
    error = offset_put(in, args->arg[1], from);
    if (!error)
        error = offset_put(out, args->arg[3], to);
    return error ? error : result;
}
