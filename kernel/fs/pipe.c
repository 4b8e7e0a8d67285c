// SPDX-License-Identifier: MIT
/*
 * pipe.c: pipes: a ring of pages between a writer and a reader, in frames taken when bytes come to lie in
 * them.
 *
 * Positions count all places written and read since the ring was made; place n lies in slot n / PAGE_SIZE %
 * slot_count. A slot's frame goes when its last place has been read and none of the next round has been
 * written to it, so an empty pipe holds one frame at most.
 *
 * A packet (O_DIRECT, pipe(7)) begins a slot and has it alone: the places behind it are skipped by both sides,
 * and so are those before it in a slot that a plain write has begun. Both need the whole slot to be free of
 * the round before, so a slot's `end` and `is_packet` are always those of its unread round.
 *
 * A copy is whole or not at all, slot by slot: bytes count as written or read after their copy has succeeded.
 * Writes of at most PIPE_BUF bytes wait until all of them fit, and so are never torn apart.
 *
 * Wake-ups: readers sleep only while the pipe is empty, writers only while it has no room for a packet (which
 * is no less than PIPE_BUF), so only leaving those states wakes anyone.
 *
 * Lock: a pipe's mutex, held over copies (which may sleep) but not while waiting for the other side.
 */
#include "kernel/fs/pipe.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/limits.h>
#include <linux/magic.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define PIPE_SLOTS 16u /* of a new pipe (pipe(7)) */
#define PIPE_SLOTS_FEW 2u /* of one that goes beyond its user's soft limit */
#define PIPE_SLOTS_MAX (1u << 16)

struct slot {
    struct frame *frame; /* or NULL */
    uint16_t end;        /* places behind it are skipped; 0: none are */
    bool is_packet;
};

struct pipe {
    struct inode inode;
    struct mutex lock;
    struct wait_queue readable, writable;
    uint64_t written, read; /* places */
    size_t skipped;         /* places between the two that hold no byte */
    unsigned readers, writers;
    uint64_t readers_ever, writers_ever; /* openers of a named pipe wait for the other side's to change */
    struct async_list async_readers, async_writers;
    unsigned slot_count; /* a power of two */
    struct slot *slots;
    uint32_t owner; /* the real user who made it: the slots count as his */
    LIST_ENTRY(pipe) all;
};

static LIST_HEAD(, pipe) all_pipes;

static const struct filesystem pipefs = { .type = "pipefs", .magic = PIPEFS_MAGIC, .keeps_attributes = true };
static struct slab_cache pipe_cache = SLAB_CACHE_INIT(pipe_cache, "pipe", struct pipe);

static struct pipe *pipe_of(const struct file *file) { return file->data; }

static size_t pipe_used(const struct pipe *pipe) { return pipe->written - pipe->read - pipe->skipped; }
static size_t pipe_capacity(const struct pipe *pipe) { return (size_t)pipe->slot_count << PAGE_SHIFT; }

/* Places for a plain write; for a packet's, which begins a slot. */
static size_t pipe_room(const struct pipe *pipe, bool packet)
{
    uint64_t start = packet ? page_up(pipe->written) : pipe->written;
    uint64_t end = pipe->read + pipe_capacity(pipe);
    return start < end ? end - start : 0;
}

/* Plain writes of at most PIPE_BUF bytes, and packets, wait for room of this size. */
static bool pipe_is_writable(const struct pipe *pipe, bool packet) { return pipe_room(pipe, packet) >= PIPE_BUF; }

static struct slot *pipe_slot(const struct pipe *pipe, uint64_t position)
{
    return &pipe->slots[(position >> PAGE_SHIFT) & (pipe->slot_count - 1)];
}

static unsigned slot_end(const struct slot *slot) { return slot->end ? slot->end : PAGE_SIZE; }

/* ---- reading ---- */

/* Go on to the next slot, past what is left of this one. Its frame goes, unless the writer is in it again. */
static void slot_leave(struct pipe *pipe, struct slot *slot, size_t left)
{
    pipe->read += left;
    pipe->skipped -= PAGE_SIZE - slot_end(slot);
    slot->end = 0;
    slot->is_packet = false;
    if (pipe->written > pipe->read + pipe_capacity(pipe) - PAGE_SIZE)
        return;
    frame_put(slot->frame);
    slot->frame = NULL;
}

/* A packet ends the read, whose buffer may be too small for it: the rest of it is lost (pipe(7)). */
static ssize_type pipe_take(struct pipe *pipe, const struct buffer *to)
{
    size_t n = MIN(to->length, pipe_used(pipe)), done = 0;
    bool over = false;
    while (done < n && !over) {
        struct slot *slot = pipe_slot(pipe, pipe->read);
        size_t offset = page_offset(pipe->read);
        size_t chunk = MIN(slot_end(slot) - offset, n - done);
        if (buffer_put(to, done, (char *)frame_address(slot->frame) + offset, chunk) != (ssize_type)chunk)
            return done ? (ssize_type)done : -EFAULT;
        pipe->read += chunk;
        done += chunk;
        over = slot->is_packet;
        if (over || offset + chunk == slot_end(slot))
            slot_leave(pipe, slot, PAGE_SIZE - offset - chunk);
    }
    return (ssize_type)done;
}

static bool pipe_has_input(void *arg)
{
    const struct pipe *pipe = arg;
    return pipe_used(pipe) || !pipe->writers;
}

/* Take out what there is: bytes, 0 for none, or -EFAULT. */
static ssize_type pipe_read_some(struct pipe *pipe, const struct buffer *to)
{
    mutex_lock(&pipe->lock);
    bool was_full = !pipe_is_writable(pipe, true);
    ssize_type n = pipe_take(pipe, to);
    mutex_unlock(&pipe->lock);
    if (n > 0 && was_full) {
        wake_all(&pipe->writable);
        poll_wake();
    }
    return n;
}

static ssize_type pipe_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    struct pipe *pipe = pipe_of(file);
    bool waits = !(file->flags & O_NONBLOCK);
    ssize_type n;
    (void)offset;
    if (!to->length)
        return 0;
    do { /* another reader may have been faster */
        int error = waits ? wait_until(&pipe->readable, pipe_has_input, pipe, WAIT_INTERRUPTIBLE, 0) : 0;
        if (error)
            return error;
        n = pipe_read_some(pipe, to);
    } while (!n && pipe->writers && waits);
    async_notify(&pipe->async_writers, POLL_OUT);
    if (n > 0)
        inode_note_access(file->inode);
    return n || !pipe->writers ? n : -EAGAIN;
}

/* ---- writing ---- */

/* Copy in `n` bytes that fit: bytes, or -EFAULT, -ENOMEM when none could be. */
static ssize_type pipe_give(struct pipe *pipe, const struct buffer *from, size_t start, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t offset = page_offset(pipe->written);
        size_t chunk = MIN(PAGE_SIZE - offset, n - done);
        struct slot *slot = pipe_slot(pipe, pipe->written);
        if (!slot->frame)
            slot->frame = frame_alloc(FRAME_KERNEL);
        if (!slot->frame)
            return done ? (ssize_type)done : -ENOMEM;
        char *page = frame_address(slot->frame);
        if (buffer_get(from, start + done, page + offset, chunk) != (ssize_type)chunk)
            return done ? (ssize_type)done : -EFAULT;
        pipe->written += chunk;
        done += chunk;
    }
    return (ssize_type)done;
}

/* What is written next begins a slot. There is room for that, so no other round's bytes lie in this one. */
static void slot_close(struct pipe *pipe)
{
    unsigned end = page_offset(pipe->written);
    if (!end)
        return;
    pipe_slot(pipe, pipe->written)->end = (uint16_t)end;
    pipe->skipped += PAGE_SIZE - end;
    pipe->written += PAGE_SIZE - end;
}

/* Do the first `n` bytes of a packet go behind plain ones that are unread? */
static bool packet_joins(const struct pipe *pipe, size_t n)
{
    size_t offset = page_offset(pipe->written);
    return n && offset && offset + n <= PAGE_SIZE && pipe_used(pipe);
}

/*
 * The same for a packet of at most a page. As on Linux, what goes beyond whole pages joins plain bytes that it finds
 * room behind, and is no packet.
 */
static __noinline ssize_type packet_give(struct pipe *pipe, const struct buffer *from, size_t start, size_t n)
{
    if (!start && packet_joins(pipe, from->length % PAGE_SIZE))
        return pipe_give(pipe, from, 0, from->length % PAGE_SIZE);
    slot_close(pipe);
    struct slot *slot = pipe_slot(pipe, pipe->written);
    ssize_type done = pipe_give(pipe, from, start, n);
    if (done <= 0)
        return done;
    slot->is_packet = true;
    slot_close(pipe);
    return done;
}

/* What a writer waits for: room for all of a small write or for a packet, or for something of a large one. */
struct room_wanted {
    const struct pipe *pipe;
    size_t bytes;
    bool packet;
};

static bool pipe_has_room(void *arg)
{
    const struct room_wanted *wanted = arg;
    return pipe_room(wanted->pipe, wanted->packet) >= wanted->bytes || !wanted->pipe->readers;
}

/* Write what fits now of `from`, from byte `start` on: bytes, 0 where it has to wait, or a negative errno. */
static ssize_type pipe_write_some(struct pipe *pipe, const struct buffer *from, size_t start,
                                  const struct room_wanted *wanted)
{
    mutex_lock(&pipe->lock);
    bool was_empty = !pipe_used(pipe);
    size_t room = pipe_room(pipe, wanted->packet), n = from->length - start;
    ssize_type done = 0;
    if (!pipe->readers)
        done = -EPIPE;
    else if (room >= wanted->bytes)
        done = wanted->packet ? packet_give(pipe, from, start, MIN(n, PAGE_SIZE))
                              : pipe_give(pipe, from, start, MIN(n, room));
    mutex_unlock(&pipe->lock);
    if (done > 0 && was_empty) {
        wake_all(&pipe->readable);
        poll_wake();
    }
    return done;
}

/* Who reads by signals has to know that there is something before the writer sleeps. */
static int pipe_wait_for_room(struct pipe *pipe, struct room_wanted *wanted)
{
    async_notify(&pipe->async_readers, POLL_IN);
    return wait_until(&pipe->writable, pipe_has_room, wanted, WAIT_INTERRUPTIBLE, 0);
}

static ssize_type pipe_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    struct pipe *pipe = pipe_of(file);
    bool packet = file->flags & O_DIRECT;
    struct room_wanted wanted = { pipe, packet ? PAGE_SIZE : from->length > PIPE_BUF ? 1 : from->length, packet };
    size_t done = 0;
    ssize_type error = 0;
    (void)offset;
    if (!from->length)
        return 0;
    while (done < from->length && !error) {
        ssize_type n = pipe_write_some(pipe, from, done, &wanted);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0)
            error = n;
        else if (file->flags & O_NONBLOCK)
            error = -EAGAIN;
        else
            error = pipe_wait_for_room(pipe, &wanted);
    }
    async_notify(&pipe->async_readers, POLL_IN);
    if (done)
        inode_note_change(file->inode);
    if (error == -EPIPE)
        signal_send_self(SIGPIPE);
    return done ? (ssize_type)done : error;
}

/* ---- the rest ---- */

/* The writers are gone: there are none, and the file was not opened to wait for the first of them (fifo(7)). */
static bool pipe_was_left(const struct pipe *pipe, const struct file *file)
{
    return !pipe->writers && (uint32_t)pipe->writers_ever != file->opened_at;
}

static short pipe_poll(struct file *file)
{
    const struct pipe *pipe = pipe_of(file);
    short ready = 0;
    if (file_is_readable(file)) {
        ready |= pipe_used(pipe) ? POLLIN | POLLRDNORM : 0;
        ready |= pipe_was_left(pipe, file) ? POLLHUP : 0;
    }
    if (file_is_writable(file)) {
        ready |= pipe_is_writable(pipe, file->flags & O_DIRECT) ? POLLOUT | POLLWRNORM : 0;
        ready |= pipe->readers ? 0 : POLLERR;
    }
    return ready;
}

static int pipe_ioctl(struct file *file, unsigned long command, uint64_t argument)
{
    int used = (int)pipe_used(pipe_of(file));
    return command == FIONREAD ? copy_to_user(argument, &used, sizeof used) : -ENOTTY;
}

static int pipe_async(struct file *file, int fd)
{
    struct pipe *pipe = pipe_of(file);
    int error = file_is_readable(file) ? async_set(&pipe->async_readers, file, fd) : 0;
    if (error || !file_is_writable(file))
        return error;
    error = async_set(&pipe->async_writers, file, fd);
    if (error)
        async_remove(&pipe->async_readers, file);
    return error;
}

static void pipe_enter(struct pipe *pipe, struct file *file)
{
    file->data = pipe;
    pipe->readers += file_is_readable(file);
    pipe->writers += file_is_writable(file);
    pipe->readers_ever += file_is_readable(file);
    pipe->writers_ever += file_is_writable(file);
}

static int pipe_open(struct file *file)
{
    pipe_enter(container_of(file->inode, struct pipe, inode), file);
    return 0;
}

/* The last reader or writer leaves: whoever waits for the other side learns that it is gone. */
static void pipe_release(struct file *file)
{
    struct pipe *pipe = pipe_of(file);
    pipe->readers -= file_is_readable(file);
    pipe->writers -= file_is_writable(file);
    if (pipe->readers && pipe->writers)
        return;
    wake_all(&pipe->readable);
    wake_all(&pipe->writable);
    poll_wake();
    async_notify(&pipe->async_readers, POLL_IN);
    async_notify(&pipe->async_writers, POLL_OUT);
}

static void slots_free(struct slot *slots, unsigned count)
{
    for (unsigned i = 0; slots && i < count; i++)
        if (slots[i].frame)
            frame_put(slots[i].frame);
    kfree(slots);
}

static void pipe_free(struct pipe *pipe)
{
    LIST_REMOVE(pipe, all);
    slots_free(pipe->slots, pipe->slot_count);
    slab_free(&pipe_cache, pipe);
}

static void pipe_destroy(struct inode *inode) { pipe_free(container_of(inode, struct pipe, inode)); }

static const struct inode_ops pipe_ops = {
    .open = pipe_open,
    .release = pipe_release,
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .async = pipe_async,
    .destroy = pipe_destroy,
    .is_stream = true,
};

/* ---- what a user may have ---- */

unsigned long pipe_max_size = 1ul << 20;
unsigned long pipe_user_pages_soft = 1024 * PIPE_SLOTS, pipe_user_pages_hard;

/* Counted when it is asked for, by those without privilege: they are few, and so are the pipes. */
static unsigned long slots_of_user(uint32_t user)
{
    unsigned long count = 0;
    const struct pipe *pipe;
    LIST_FOREACH(pipe, &all_pipes, all)
        count += pipe->owner == user ? pipe->slot_count : 0;
    return count;
}

static bool exceeds(unsigned long slots, unsigned long limit) { return limit && slots > limit; }

/* How many slots a new pipe of the current process gets; 0: it gets none. */
static unsigned slots_granted(void)
{
    const struct credentials *mine = &current()->credentials;
    if (credentials_are_privileged(mine))
        return PIPE_SLOTS;
    unsigned long others = slots_of_user(mine->user.real);
    unsigned count = (unsigned)MIN((unsigned long)PIPE_SLOTS, pipe_max_size >> PAGE_SHIFT);
    if (exceeds(others + count, pipe_user_pages_soft))
        count = PIPE_SLOTS_FEW;
    return exceeds(others + count, pipe_user_pages_hard) ? 0 : count;
}

/* May the current process give the pipe so many slots? */
static bool slots_are_allowed(const struct pipe *pipe, unsigned count)
{
    if (count <= pipe->slot_count || credentials_are_privileged(&current()->credentials))
        return true;
    unsigned long all = slots_of_user(pipe->owner) - pipe->slot_count + count;
    return (uint64_t)count << PAGE_SHIFT <= pipe_max_size && !exceeds(all, pipe_user_pages_soft) &&
           !exceeds(all, pipe_user_pages_hard);
}

/* A pipe for the current process's user; NULL with *error set: memory is out, or the user has too many (`refused`). */
static struct pipe *pipe_alloc(int refused, int *error)
{
    struct pipe *pipe = slab_alloc(&pipe_cache);
    *error = -ENOMEM;
    if (!pipe)
        return NULL;
    unsigned count = slots_granted();
    if (!count) {
        slab_free(&pipe_cache, pipe);
        *error = refused;
        return NULL;
    }
    pipe->owner = current()->credentials.user.real;
    pipe->slot_count = count;
    LIST_INSERT_HEAD(&all_pipes, pipe, all);
    pipe->slots = kmalloc(count * sizeof *pipe->slots);
    if (!pipe->slots) {
        pipe_free(pipe);
        return NULL;
    }
    mutex_init(&pipe->lock);
    wait_queue_init(&pipe->readable);
    wait_queue_init(&pipe->writable);
    return pipe;
}

int pipe_create(unsigned flags, struct file **read_end, struct file **write_end)
{
    int error;
    struct pipe *pipe = pipe_alloc(-ENFILE, &error);
    if (!pipe)
        return error;
    int64_t now = inode_time_now();
    pipe->inode = (struct inode){
        .refs = 1,
        .mode = S_IFIFO | 0600,
        .number = inode_number_new(),
        .links = 1,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .ops = &pipe_ops,
        .filesystem = &pipefs,
    };
    error = file_open(&pipe->inode, O_RDONLY | (flags & O_NONBLOCK), read_end);
    if (!error) {
        error = file_open(&pipe->inode, O_WRONLY | (flags & O_NONBLOCK), write_end);
        if (error)
            file_put(*read_end);
    }
    inode_put(&pipe->inode);
    if (error)
        return error;
    (*write_end)->flags |= flags & O_DIRECT; /* not an open flag here: opening a named pipe with it is refused */
    return 0;
}

/* ---- named pipes (fifo(7)) ---- */

/*
 * The pipe behind a name exists while the name is open: inode->data. Kernel code is not preempted, so the
 * steps between two sleeps need no lock.
 */

struct other_side {
    const uint64_t *ever;
    uint64_t before;
};

static bool other_side_came(void *arg)
{
    const struct other_side *side = arg;
    return READ_ONCE(*side->ever) != side->before;
}

/* Wait until the other side has been opened, be it only for a moment. 0 or -ERESTARTSYS. */
static int named_pipe_meet(struct pipe *pipe, struct wait_queue *queue, const uint64_t *ever)
{
    struct other_side side = { ever, *ever };
    (void)pipe;
    return wait_until(queue, other_side_came, &side, WAIT_INTERRUPTIBLE, 0);
}

static void named_pipe_release(struct file *file)
{
    struct pipe *pipe = pipe_of(file);
    pipe_release(file);
    if (pipe->readers || pipe->writers)
        return;
    file->inode->data = NULL;
    pipe_free(pipe);
}

/* O_RDWR never waits; O_NONBLOCK reading does not, and writing then wants a reader to be there (fifo(7)). */
static int named_pipe_wait(struct pipe *pipe, struct file *file)
{
    bool reads = file_is_readable(file), writes = file_is_writable(file);
    if (reads && writes)
        return 0;
    if (reads && file->flags & O_NONBLOCK && !pipe->writers)
        file->opened_at = (uint32_t)pipe->writers_ever;
    if (file->flags & O_NONBLOCK)
        return writes && !pipe->readers ? -ENXIO : 0;
    if (reads && !pipe->writers)
        return named_pipe_meet(pipe, &pipe->readable, &pipe->writers_ever);
    if (writes && !pipe->readers)
        return named_pipe_meet(pipe, &pipe->writable, &pipe->readers_ever);
    return 0;
}

static int named_pipe_open(struct file *file)
{
    struct pipe *pipe = file->inode->data;
    int error;
    if (!pipe)
        pipe = file->inode->data = pipe_alloc(-ENOMEM, &error);
    if (!pipe)
        return error;
    pipe_enter(pipe, file);
    wake_all(&pipe->readable);
    wake_all(&pipe->writable);
    error = named_pipe_wait(pipe, file);
    if (error)
        named_pipe_release(file);
    return error;
}

const struct inode_ops named_pipe_ops = {
    .open = named_pipe_open,
    .release = named_pipe_release,
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .async = pipe_async,
    .is_stream = true,
};

/* ---- size ---- */

static unsigned slots_for(unsigned size)
{
    unsigned count = 1;
    while ((uint64_t)count << PAGE_SHIFT < size)
        count *= 2;
    return count;
}

void pipe_max_size_changed(void)
{
    pipe_max_size = (uint64_t)slots_for((unsigned)MIN(pipe_max_size, 1ul << 31)) << PAGE_SHIFT;
}

static bool is_pipe(const struct file *file) { return file->ops == &pipe_ops || file->ops == &named_pipe_ops; }

int pipe_size(const struct file *file) { return is_pipe(file) ? (int)pipe_capacity(pipe_of(file)) : -EBADF; }

/*
 * The unread bytes of the pipe into another ring of slots, where they keep their places within a slot; the slot
 * that is read from becomes slot 0. 0 or -ENOMEM; the ring may be half full then.
 */
static int pipe_copy(const struct pipe *pipe, struct slot *slots, unsigned count)
{
    uint64_t base = page_down(pipe->read);
    for (uint64_t from = pipe->read; from < pipe->written; from = page_down(from) + PAGE_SIZE) {
        const struct slot *old = pipe_slot(pipe, from);
        struct slot *new = &slots[((from - base) >> PAGE_SHIFT) % count];
        size_t offset = page_offset(from), end = MIN(pipe->written - page_down(from), (uint64_t)PAGE_SIZE);
        if (!new->frame)
            new->frame = frame_alloc(FRAME_KERNEL);
        if (!new->frame)
            return -ENOMEM;
        memcpy((char *)frame_address(new->frame) + offset, (char *)frame_address(old->frame) + offset, end - offset);
        /* A slot that wraps around, in either ring, has no marks of its own: those are of the round before. */
        if (from - base < MIN(pipe_capacity(pipe), (uint64_t)count << PAGE_SHIFT)) {
            new->end = old->end;
            new->is_packet = old->is_packet;
        }
    }
    return 0;
}

/* The pipe gets a ring of `count` slots, in which its places fit. Its lock is held. */
static int pipe_resize(struct pipe *pipe, unsigned count)
{
    struct slot *slots = kmalloc(count * sizeof *slots);
    int error = slots ? pipe_copy(pipe, slots, count) : -ENOMEM;
    if (error) {
        slots_free(slots, count);
        return error;
    }
    slots_free(pipe->slots, pipe->slot_count);
    pipe->written -= page_down(pipe->read);
    pipe->read = page_offset(pipe->read);
    pipe->slots = slots;
    pipe->slot_count = count;
    return 0;
}

int pipe_set_size(struct file *file, unsigned size)
{
    struct pipe *pipe = pipe_of(file);
    if (!is_pipe(file))
        return -EBADF;
    if (size > 1u << 31)
        return -EINVAL;
    unsigned count = slots_for(size);
    if (!slots_are_allowed(pipe, count))
        return -EPERM;
    if (count > PIPE_SLOTS_MAX)
        return -ENOMEM;
    mutex_lock(&pipe->lock);
    int error = pipe->written - pipe->read > (uint64_t)count << PAGE_SHIFT ? -EBUSY : pipe_resize(pipe, count);
    mutex_unlock(&pipe->lock);
    if (error)
        return error;
    wake_all(&pipe->writable);
    poll_wake();
    return pipe_size(file);
}
