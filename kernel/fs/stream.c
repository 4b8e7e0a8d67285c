// SPDX-License-Identifier: MIT
/*
 * stream.c: serial ports as plain byte streams.
 *
 * To programs they look like pipes whose other end is the host. Output goes to the port as it is. Input comes
 * framed, for a serial line has no end of file of its own: 0x10 is an escape, 0x10 0x10 stands for one 0x10,
 * and 0x10 0x04 for the end. After the end every read gives 0. Any other byte behind an escape is dropped
 * with it.
 *
 * Nothing is lost: while the ring is full the port is not read, its own buffer fills, and the host waits.
 * Since the port gives an interrupt only when its line rises, readers fetch what waits there when they have
 * made room.
 *
 * Lock: input.lock (_irq: the receive interrupt takes it) for the ring and the state of the framing.
 */
#include "kernel/fs/stream.h"

#include <asm/ioctls.h>
#include <asm/poll.h>

#include "arch/x86_64/machine.h"
#include "kernel/fs/file.h"
#include "kernel/fs/ring.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define STREAM_PORT 0
#define STREAM_ESCAPE 0x10
#define STREAM_END 0x04
#define STREAM_CHUNK 256 /* bytes copied at a time, on the stack */

static struct {
    struct spinlock lock;
    struct wait_queue readable;
    struct ring ring;
    bool escaped; /* the last byte was an escape */
    bool ended;
} input = { .lock = SPINLOCK_INIT, .readable = WAIT_QUEUE_INIT(input.readable) };

struct stream {
    struct inode inode;
    unsigned port; /* output */
};

static const struct filesystem streamfs = { .type = "stream" };
static struct slab_cache stream_cache = SLAB_CACHE_INIT(stream_cache, "stream", struct stream);

/* ---- input ---- */

static void input_byte(uint8_t byte)
{
    if (input.escaped) {
        input.escaped = false;
        if (byte == STREAM_END)
            input.ended = true;
        if (byte != STREAM_ESCAPE)
            return;
    } else if (byte == STREAM_ESCAPE) {
        input.escaped = true;
        return;
    }
    ring_put(&input.ring, byte);
}

/* Move what the port holds into the ring, as far as there is room. The lock is held. Did anything arrive? */
static bool input_fetch(void)
{
    bool arrived = false;
    while (!input.ended && ring_room(&input.ring)) {
        int byte = serial_read(STREAM_PORT);
        if (byte < 0)
            break;
        input_byte((uint8_t)byte);
        arrived = true;
    }
    return arrived;
}

static void input_arrived(void)
{
    wake_all(&input.readable);
    poll_wake();
}

static void input_interrupt(unsigned port)
{
    (void)port;
    bool irq = spin_lock_irq(&input.lock);
    bool arrived = input_fetch();
    spin_unlock_irq(&input.lock, irq);
    if (arrived)
        input_arrived();
}

/* Take at most `size` bytes, and fetch what waited in the port for want of room. */
static size_t input_take(uint8_t *bytes, size_t size)
{
    size_t n = 0;
    bool irq = spin_lock_irq(&input.lock);
    while (n < size && ring_used(&input.ring))
        bytes[n++] = ring_get(&input.ring);
    bool arrived = input_fetch();
    spin_unlock_irq(&input.lock, irq);
    if (arrived)
        input_arrived();
    return n;
}

static bool input_ready(void *arg)
{
    (void)arg;
    return READ_ONCE(input.ring.end) != READ_ONCE(input.ring.start) || READ_ONCE(input.ended);
}

static ssize_type input_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    uint8_t chunk[STREAM_CHUNK];
    size_t done = 0, n;
    (void)offset;
    while (to->length && !input_ready(NULL)) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&input.readable, input_ready, NULL, WAIT_INTERRUPTIBLE, 0);
        if (error)
            return error;
    }
    while (done < to->length && (n = input_take(chunk, MIN(sizeof chunk, to->length - done)))) {
        ssize_type copied = buffer_put(to, done, chunk, n);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < n)
            break;
    }
    return (ssize_type)done;
}

static short input_poll(struct file *file)
{
    (void)file;
    short ready = ring_used(&input.ring) ? POLLIN | POLLRDNORM : 0;
    return ready | (input.ended ? POLLHUP : 0);
}

static int input_ioctl(struct file *file, unsigned long command, uint64_t argument)
{
    int used = (int)ring_used(&input.ring);
    (void)file;
    return command == FIONREAD ? copy_to_user(argument, &used, sizeof used) : -ENOTTY;
}

/* ---- output ---- */

static ssize_type output_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    const struct stream *stream = container_of(file->inode, struct stream, inode);
    char chunk[STREAM_CHUNK];
    size_t done = 0;
    (void)offset;
    while (done < from->length && !(done && signal_is_pending(current()))) {
        size_t n = MIN(sizeof chunk, from->length - done);
        ssize_type copied = buffer_get(from, done, chunk, n);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        serial_write(stream->port, chunk, (size_t)copied);
        done += (size_t)copied;
        if ((size_t)copied < n)
            break;
    }
    return (ssize_type)done;
}

/* ---- both ---- */

static void stream_destroy(struct inode *inode)
{
    slab_free(&stream_cache, container_of(inode, struct stream, inode));
}

static const struct inode_ops input_ops = {
    .read = input_read,
    .ioctl = input_ioctl,
    .poll = input_poll,
    .destroy = stream_destroy,
    .is_stream = true,
};

static const struct inode_ops output_ops = {
    .write = output_write,
    .destroy = stream_destroy,
    .is_stream = true,
};

static struct inode *stream_create(const struct inode_ops *ops, unsigned port)
{
    struct stream *stream = slab_alloc(&stream_cache);
    if (!stream)
        return NULL;
    stream->port = port;
    stream->inode = (struct inode){
        .refs = 1,
        .mode = S_IFIFO | 0600,
        .number = inode_number_new(),
        .links = 1,
        .mtime = inode_time_now(),
        .ops = ops,
        .filesystem = &streamfs,
    };
    return &stream->inode;
}

struct inode *stream_input_create(void) { return stream_create(&input_ops, STREAM_PORT); }
struct inode *stream_output_create(unsigned port) { return stream_create(&output_ops, port); }

/* stdin=none: the end of the input, without a byte that would come when the host finds time for it. */
void stream_init(void)
{
    const char *source = params_string("stdin");

    input.ended = source && !strcmp(source, "none");
    if (!input.ended)
        serial_on_receive(STREAM_PORT, input_interrupt);
}
